//! Puts together what watches one service: source, actuator, engine and state file, and starts its loop.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use http::Uri;
use scaler_engine::{AnyPolicy, ControlLoop, Engine, Policy as _};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::actuators::{self, Actuator};
use crate::api::ServiceApi;
use crate::clock::Clock;
use crate::config::{SCRAPE_INTERVAL_MIN, ServiceConfig, SourceKind};
use crate::driver::{Driver, DriverParts};
use crate::history::HistoryFile;
use crate::policy_watch::{Reload, watch_policy};
use crate::published::Published;
use crate::scaler_error::ScalerError;
use crate::service_event::ServiceEvent;
use crate::sighting::{Looking, keep_looking};
use crate::sources::{
    PrometheusSettings, PrometheusSource, PrometheusUrlError, ScrapeSettings, ScrapeSource, Source, Wanted,
};
use crate::state_file::{Found, StateFile};
use crate::whole_file::StateFileError;

/// Commands that may wait for the driver; more than a few people never ask at once.
const COMMANDS_WAITING: usize = 16;

/// A service that is watched as soon as it is started.
#[derive(Debug)]
pub(crate) struct WatchedService {
    config: ServiceConfig,
    source: Box<dyn Source>,
    actuator: Arc<dyn Actuator>,
    engine: Engine,
    state_file: Option<StateFile>,
}

/// Checks what can be told without asking anybody.
pub(crate) fn check(config: &ServiceConfig) -> Result<(), ScalerError> {
    check_interval(config.scrape_interval, config.policy.policy.window())?;
    for url in [&config.gateway_admin, &config.gateway_url] {
        let is_usable = url.parse::<Uri>().is_ok_and(|parsed| {
            parsed.scheme_str() == Some("http") && parsed.host().is_some_and(|host| !host.is_empty())
        });
        if !is_usable {
            return Err(ScalerError::GatewayUrl { url: url.clone() });
        }
    }
    Ok(())
}

/// Checks that looks this far apart tell something of a window of this length.
pub(crate) fn check_interval(interval: Duration, window: Duration) -> Result<(), ScalerError> {
    if interval < SCRAPE_INTERVAL_MIN || interval > window {
        return Err(ScalerError::ScrapeInterval { interval, window });
    }
    Ok(())
}

impl WatchedService {
    /// Finds the platform and reads the saved state; nothing runs yet.
    pub(crate) async fn prepare(config: ServiceConfig, clock: Clock) -> Result<Self, ScalerError> {
        let source = source_of(&config, clock)?;
        let actuator = actuators::choose(&config.actuator, &config.name, &config.gateway_admin).await?;
        let mut engine = Engine::new(config.policy.policy.clone());
        let state_file = config.state_file.clone().map(StateFile::new);
        if let Some(file) = &state_file {
            restore(&mut engine, file, clock)?;
            // Now, rather than after the first action, is the time to learn that nothing can be saved.
            file.save(&engine.state())?;
        }
        Ok(Self { config, source, actuator, engine, state_file })
    }

    /// Starts its loop among `tasks`; its metrics are labelled with its name where there are several services.
    pub(crate) fn start(
        self,
        is_one_of_several: bool,
        clock: Clock,
        reload: &Reload,
        stop: &CancellationToken,
        tasks: &mut JoinSet<std::io::Result<()>>,
    ) -> ServiceApi {
        let Self { config, source, actuator, engine, state_file } = self;
        info!(
            service = config.name,
            policy = config.policy.name,
            needs = needs_of(&config.policy.policy),
            source = config.source.name(),
            actuator = config.actuator.name(),
            "the scaler watches {}",
            config.name
        );
        let published = Arc::new(Published::new(is_one_of_several.then_some(config.name.as_str())));
        if let Some(file) = state_file.as_ref().map(HistoryFile::beside) {
            published.history(|history| *history = file.load(clock.now()));
            tasks.spawn(file.keep(published.clone(), stop.clone()).map(Ok));
        }
        let now = clock.now();
        let seen_before = published.history(|history| history.newest_at());
        let unseen_seconds = seen_before.map(|at| now.saturating_sub(at).as_secs_f64());
        published.record_event(now, ServiceEvent::ScalerStarted { unseen_seconds });
        let (sightings, seen) = watch::channel(None);
        let (commands, asked) = mpsc::channel(COMMANDS_WAITING);
        let every = config.scrape_interval;
        let (wanted, asked_for) = watch::channel(Wanted::of(&config.policy.policy));
        // A Deployment beside the policy knows its replicas better than the defaults of flags.
        let requests = config.policy.requests.or(config.resources.requests());
        let driver = Driver::new(DriverParts {
            service: config.name.clone(),
            policy: config.policy,
            source_name: config.source.name(),
            actuator_name: config.actuator.name(),
            control: ControlLoop::new(engine, actuator.acts()),
            actuator: actuator.clone(),
            state_file,
            clock,
            published: published.clone(),
            looks_each: every,
            wanted,
        });
        let looking = Looking { every, wanted: asked_for, requests };
        tasks.spawn(keep_looking(source, actuator, clock, looking, sightings, stop.clone()).map(Ok));
        if let Some(source) = config.policy_source {
            let watching = watch_policy(source, reload.requests(), commands.clone(), stop.clone());
            tasks.spawn(watching.map(Ok));
        }
        tasks.spawn(driver.run(seen, asked, stop.clone()).map(Ok));
        ServiceApi::new(config.name, published, commands, &config.gateway_url)
    }
}

/// What a policy wants measured, for people.
fn needs_of(policy: &AnyPolicy) -> String {
    let metrics: BTreeSet<String> = policy.needs().iter().map(|need| need.metric.to_string()).collect();
    Vec::from_iter(metrics).join(", ")
}

fn restore(engine: &mut Engine, file: &StateFile, clock: Clock) -> Result<(), StateFileError> {
    match file.load()? {
        Found::Nothing => {}
        Found::State(state) => {
            info!(
                "continuing from {}: {} replicas wanted{}{}",
                file.path().display(),
                state.desired.map_or_else(|| "unknown".to_owned(), |desired| desired.to_string()),
                state.limits.map(|limits| format!(", limits set by hand: {limits}")).unwrap_or_default(),
                if state.paused { ", paused by hand" } else { "" }
            );
            if let Err(problem) = engine.restore(state) {
                let moved_to = file.set_aside()?;
                warn!(
                    "{problem}; it was moved to {}, and the scaler starts as if an action had just happened",
                    moved_to.display()
                );
                engine.start_cooldown(clock.now());
            }
        }
        Found::Corrupt { problem, moved_to } => {
            error!(
                "the saved state in {} is unreadable ({problem}); it was moved to {}, and the scaler starts as if an \
                 action had just happened",
                file.path().display(),
                moved_to.display()
            );
            engine.start_cooldown(clock.now());
        }
    }
    Ok(())
}

fn source_of(config: &ServiceConfig, clock: Clock) -> Result<Box<dyn Source>, PrometheusUrlError> {
    let gateway_admin = config.gateway_admin.trim_end_matches('/').to_owned();
    let (window, interval) = (config.policy.policy.window(), config.scrape_interval);
    let cores_per_worker = config.resources.cpu_cores_per_worker;
    Ok(match &config.source {
        SourceKind::Scrape => {
            let settings = ScrapeSettings { gateway_admin, window, interval };
            Box::new(
                ScrapeSource::new(settings, clock)
                    .with_cpu_per_worker(cores_per_worker)
                    .with_prometheus(config.queries_url.clone()),
            )
        }
        SourceKind::Prometheus { url } => {
            let prometheus_url = url.clone();
            let settings = PrometheusSettings { prometheus_url, gateway_admin, window, interval };
            Box::new(PrometheusSource::new(settings, clock)?.with_cpu_per_worker(cores_per_worker))
        }
    })
}
