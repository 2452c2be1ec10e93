//! Puts source, engine, actuator and API together, and runs them until told to stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use http::Uri;
use scaler_engine::Engine;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::actuators::{self, Actuator, ActuatorError};
use crate::api::{self, AllowedHosts, ApiState};
use crate::clock::Clock;
use crate::config::{ScalerConfig, SourceKind};
use crate::driver::{Driver, DriverParts, Published};
use crate::sighting::keep_looking;
use crate::sources::{
    PrometheusSettings, PrometheusSource, PrometheusUrlError, ScrapeSettings, ScrapeSource, Source,
};
use crate::state_file::{Found, StateFile, StateFileError};

/// Commands that may wait for the driver; more than a few people never ask at once.
const COMMANDS_WAITING: usize = 16;

/// Longest wait at the end for an action and requests in flight.
const DRAIN: Duration = Duration::from_secs(4);

const SCRAPE_INTERVAL_MIN: Duration = Duration::from_millis(100);

/// A scaler that listens, and runs as soon as it is served.
#[derive(Debug)]
pub struct Scaler {
    config: ScalerConfig,
    listener: TcpListener,
    address: SocketAddr,
    source: Box<dyn Source>,
    actuator: Arc<dyn Actuator>,
    engine: Engine,
    state_file: Option<StateFile>,
    clock: Clock,
}

/// Why a scaler cannot start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScalerError {
    /// Somebody else listens there.
    #[error("port {} is in use: the scaler cannot listen on {address}", .address.port())]
    AddressInUse {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The address cannot be listened on for another reason.
    #[error("the scaler cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// A gateway address is none.
    #[error("`{url}` is not an address of the gateway, expected something like http://127.0.0.1:8001")]
    GatewayUrl {
        /// What was given.
        url: String,
    },
    /// The address of Prometheus is none.
    #[error(transparent)]
    PrometheusUrl(#[from] PrometheusUrlError),
    /// The scrape interval contradicts the policy's window.
    #[error(
        "the scrape interval is {interval:?}, expected {SCRAPE_INTERVAL_MIN:?} up to the policy's window of {window:?}"
    )]
    ScrapeInterval {
        /// The interval asked for.
        interval: Duration,
        /// The policy's window.
        window: Duration,
    },
    /// What carries decisions out cannot.
    #[error("the actuator cannot work: {problem}")]
    Actuator {
        /// What is wrong.
        problem: String,
        /// What to do about it.
        hint: String,
        /// Whether a setting is wrong, rather than something that is to be there and is not.
        is_setting: bool,
    },
    /// The state file can be neither read nor written.
    #[error(transparent)]
    StateFile(#[from] StateFileError),
    /// A part of it ended by itself.
    #[error("the scaler broke: {0}")]
    Broken(String),
}

impl From<ActuatorError> for ScalerError {
    fn from(error: ActuatorError) -> Self {
        let text = error.to_string();
        let (problem, hint) =
            text.split_once("; hint: ").unwrap_or((&text, "look at what the actuator commands"));
        let is_setting = matches!(error, ActuatorError::Setting(_));
        Self::Actuator { problem: problem.to_owned(), hint: hint.to_owned(), is_setting }
    }
}

impl ScalerError {
    /// What to do about it.
    pub fn hint(&self) -> &str {
        match self {
            Self::Actuator { hint, .. } => hint,
            Self::AddressInUse { .. } => "end the other process, or choose another address with --listen",
            Self::Listen { .. } => "choose another address with --listen",
            Self::GatewayUrl { .. } => "give plain http:// addresses with --gateway and --gateway-admin",
            Self::PrometheusUrl(_) => {
                "give the address of Prometheus with --prometheus-url or PROMETHEUS_URL"
            }
            Self::ScrapeInterval { .. } => {
                "choose a shorter --scrape-interval, or a longer window in the policy"
            }
            Self::StateFile(_) => "choose a file in a folder that can be written to with --state",
            Self::Broken(_) => "start it again; with --state it continues where it was",
        }
    }
}

impl Scaler {
    /// Checks the settings, takes the address and reads the saved state; nothing runs yet.
    ///
    /// A state that cannot be read is moved aside, and the scaler starts as if an action had just happened, which is
    /// the careful thing to assume.
    ///
    /// # Errors
    /// See [`ScalerError`].
    pub async fn bind(config: ScalerConfig) -> Result<Self, ScalerError> {
        let (interval, window) = (config.scrape_interval, config.policy.policy.window());
        if interval < SCRAPE_INTERVAL_MIN || interval > window {
            return Err(ScalerError::ScrapeInterval { interval, window });
        }
        for url in [&config.gateway_admin, &config.gateway_url] {
            let is_usable = url.parse::<Uri>().is_ok_and(|parsed| {
                parsed.scheme_str() == Some("http") && parsed.host().is_some_and(|host| !host.is_empty())
            });
            if !is_usable {
                return Err(ScalerError::GatewayUrl { url: url.clone() });
            }
        }
        let clock = Clock::start();
        let source = source_of(&config, clock)?;
        let address = config.listen;
        let listener = TcpListener::bind(address).await.map_err(|source| match source.kind() {
            std::io::ErrorKind::AddrInUse => ScalerError::AddressInUse { address },
            _ => ScalerError::Listen { address, source },
        })?;
        let address = listener.local_addr().map_err(|source| ScalerError::Listen { address, source })?;
        let actuator =
            actuators::choose(&config.actuator, &config.service_name, &config.gateway_admin).await?;
        let mut engine = Engine::new(config.policy.policy.clone());
        let state_file = config.state_file.clone().map(StateFile::new);
        if let Some(file) = &state_file {
            restore(&mut engine, file, clock)?;
            // Now, rather than after the first action, is the time to learn that nothing can be saved.
            file.save(engine.state())?;
        }
        Ok(Self { config, listener, address, source, actuator, engine, state_file, clock })
    }

    /// The address that was taken; with port 0, the one the system chose.
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Runs until `stop` completes; then finishes what is in flight, for some seconds at most, and saves its state.
    ///
    /// # Errors
    /// If a part of it breaks.
    pub async fn serve(self, stop: impl Future<Output = ()>) -> Result<(), ScalerError> {
        let Self { config, listener, address, source, actuator, engine, state_file, clock } = self;
        info!(
            %address,
            service = config.service_name,
            policy = config.policy.name,
            signal = config.policy.policy.signal().name(),
            source = config.source.name(),
            actuator = config.actuator.name(),
            "the scaler watches {}",
            config.service_name
        );
        let stopping = CancellationToken::new();
        let published = Arc::new(Published::new());
        let (sightings, seen) = watch::channel(None);
        let (commands, asked) = mpsc::channel(COMMANDS_WAITING);
        let app = api::router(ApiState::new(
            published.clone(),
            commands,
            &config.gateway_url,
            AllowedHosts::new(&config.allowed_hosts),
            stopping.clone(),
        ));
        let every = config.scrape_interval;
        let driver = Driver::new(DriverParts {
            service: config.service_name,
            policy: config.policy,
            source_name: config.source.name(),
            actuator_name: config.actuator.name(),
            engine,
            actuator: actuator.clone(),
            state_file,
            clock,
            published,
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(keep_looking(source, actuator, clock, every, sightings, stopping.clone()).map(Ok));
        tasks.spawn(driver.run(seen, asked, stopping.clone()).map(Ok));
        let server = axum::serve(listener, app).with_graceful_shutdown(stopping.clone().cancelled_owned());
        tasks.spawn(server.into_future());
        // Each of them runs for ever: one that ends has broken, and half a scaler is worse than a restarted one.
        let broken = tokio::select! {
            () = stop => None,
            ended = tasks.join_next() => ended,
        };
        stopping.cancel();
        if tokio::time::timeout(DRAIN, async { while tasks.join_next().await.is_some() {} }).await.is_err() {
            warn!("stopped with requests still in flight");
        }
        match broken {
            None => Ok(()),
            Some(Ok(Err(problem))) => Err(ScalerError::Broken(problem.to_string())),
            Some(Ok(Ok(()))) => Err(ScalerError::Broken("a task ended by itself".to_owned())),
            Some(Err(problem)) => Err(ScalerError::Broken(problem.to_string())),
        }
    }
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
                warn!("the saved state was not taken: {problem}");
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

fn source_of(config: &ScalerConfig, clock: Clock) -> Result<Box<dyn Source>, PrometheusUrlError> {
    let gateway_admin = config.gateway_admin.trim_end_matches('/').to_owned();
    let (window, interval) = (config.policy.policy.window(), config.scrape_interval);
    Ok(match &config.source {
        SourceKind::Scrape => {
            Box::new(ScrapeSource::new(ScrapeSettings { gateway_admin, window, interval }, clock))
        }
        SourceKind::Prometheus { url } => {
            let prometheus_url = url.clone();
            let settings = PrometheusSettings { prometheus_url, gateway_admin, window, interval };
            Box::new(PrometheusSource::new(settings, clock)?)
        }
    })
}
