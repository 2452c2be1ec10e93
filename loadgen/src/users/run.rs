//! Runs one load from start to end inside the caller's runtime, one at a time in a process.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::{AUTHORIZATION, HOST};
use http::{HeaderMap, Method, Uri};
use loadgen_baseline::FailureKind;
use tokio::sync::Mutex;
use tokio::time::MissedTickBehavior;

use crate::config::LoadConfig;
use crate::error::LoadError;
use crate::generator;
use crate::metrics::LoadMetrics;
use crate::report;
use crate::result::LoadResult;
use crate::result::progress::Progress;
use crate::users::client::{Client, Message, NoAnswer};
use crate::users::conductor::{Conductor, PATIENCE_AT_THE_END};
use crate::users::goose::{Users, are_ended, end_all};
use crate::users::phase::Phase;
use crate::users::shared::Shared;

/// Goose's killswitch belongs to the whole process, so a second run waits for the first.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// How long the service may take to answer at all before the start.
const REACHABLE_WITHIN: Duration = Duration::from_secs(2);

/// How often the load is adjusted and the end is looked for.
const TICK: Duration = Duration::from_millis(25);

/// Loads the service as configured, until the time is over or `stop` resolves, and writes the reports.
///
/// `progress` is called once a second, from the task that awaits this. After `stop` a run ends within about three
/// seconds, with a result and reports of what was measured so far. A second run in the same process waits until the
/// first is over. Dropping the future ends the run as well, in the background and without a result.
///
/// The limit of open files is raised where the users may need more and the system allows it.
///
/// Goose replaces the process's handler of Ctrl-C, even that of tokio, for good: the first Ctrl-C ends the run as
/// `stop` does, one that comes while the last answers are awaited ends the process with status 1 and without a result.
/// A program that wants to keep its own installs it by `ctrlc::set_handler` before. Goose also sets a global logger that
/// writes to standard output unless there is one already; `tracing_subscriber`'s `init` sets one.
///
/// # Errors
/// [`LoadError`] where nothing was measured: a setting cannot be, the service does not answer, a report cannot be
/// created, `stop` came first, or Goose failed.
pub async fn run(
    config: &LoadConfig,
    stop: impl Future<Output = ()>,
    progress: impl FnMut(Progress),
) -> Result<LoadResult, LoadError> {
    run_with_metrics(config, &LoadMetrics::default(), stop, progress).await
}

/// As [`run`], counted in `metrics`, for a caller who serves them.
///
/// # Errors
/// As [`run`].
pub async fn run_with_metrics(
    config: &LoadConfig,
    metrics: &LoadMetrics,
    stop: impl Future<Output = ()>,
    mut progress: impl FnMut(Progress),
) -> Result<LoadResult, LoadError> {
    config.validate()?;
    let shared = Arc::new(Shared::new(config, metrics)?);
    let conductor = lead(config, &shared, PATIENCE_AT_THE_END, stop, |conductor, now| {
        if let Some(now) = conductor.progress(now) {
            progress(now);
        }
    })
    .await?;
    let mut result = conductor.finish(config, Instant::now());
    report::write(&config.reports, &mut result).await;
    Ok(result)
}

/// Leads users from their start to their end, and calls `watch` at each tick.
///
/// Requests that are unanswered at the end are given up after `patience`.
///
/// # Errors
/// As [`run`].
pub(crate) async fn lead(
    config: &LoadConfig,
    shared: &Arc<Shared>,
    patience: Duration,
    stop: impl Future<Output = ()>,
    mut watch: impl FnMut(&mut Conductor, Instant),
) -> Result<Conductor, LoadError> {
    let mut stop = pin!(stop);
    let turn = tokio::select! {
        turn = ONE_AT_A_TIME.lock() => turn,
        () = &mut stop => return Err(LoadError::Stopped),
    };
    if config.must_answer {
        tokio::select! {
            reachable = reach(config) => reachable?,
            () = &mut stop => return Err(LoadError::Stopped),
        }
    }
    let descriptors = generator::provide_descriptors(config.pool());
    if let Some(problem) = &descriptors {
        tracing::warn!("{problem}");
    }
    report::check_all_writable(&config.reports)?;

    let users = Users::new(config, shared)?;
    tracing::debug!(host = shared.sender.service.text, users = config.pool(), "load begins");
    // The turn comes back with the result: who ended it would else end the next run, which waits for it.
    let mut acting = tokio::spawn(async move {
        let acted = users.act().await;
        (acted, turn)
    });
    let mut end_when_dropped = EndWhenDropped { shared: Arc::clone(shared), is_over: false };

    let mut conductor = Conductor::new(config, Arc::clone(shared), descriptors, patience);
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut asked_to_stop = false;
    let acted = loop {
        tokio::select! {
            acted = &mut acting => break acted,
            () = &mut stop, if !asked_to_stop => {
                asked_to_stop = true;
                conductor.stop(Instant::now());
            }
            _ = ticks.tick() => {
                let now = Instant::now();
                if !conductor.is_over() && are_ended() {
                    conductor.stop(now);
                }
                conductor.conduct(now);
                if conductor.is_over() {
                    // Again and again: at its very start Goose forgets what it was told before.
                    end_all("the load is over");
                }
                watch(&mut conductor, now);
            }
        }
    };

    end_when_dropped.is_over = true;
    conductor.close();
    match acted {
        Ok((Ok(()), _turn)) => Ok(conductor),
        Ok((Err(error), _turn)) => Err(error),
        Err(panic) => Err(LoadError::Goose(panic.to_string())),
    }
}

/// Ends the attack when the run is dropped before its end; Goose's users would otherwise act forever.
struct EndWhenDropped {
    shared: Arc<Shared>,
    /// Goose has ended, and its killswitch belongs to the next run.
    is_over: bool,
}

impl Drop for EndWhenDropped {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        self.shared.recorder.stop(Instant::now());
        self.shared.phase.enter(Phase::GivenUp);
        end_all("nobody waits for the result");
    }
}

/// Asks for `/` once: any answer will do.
pub(crate) async fn reach(config: &LoadConfig) -> Result<(), LoadError> {
    let service = config.service()?;
    let unreachable = |kind: FailureKind, reason: Option<Arc<str>>| {
        let kind = kind.to_string();
        // The system often says the same in its own words.
        let reason = match reason.filter(|reason| !reason.to_lowercase().starts_with(&kind)) {
            Some(reason) => format!("{kind} ({reason})"),
            None => kind,
        };
        LoadError::Unreachable { host: service.text.clone(), reason }
    };
    let client = Client::new(&service).map_err(|failure| LoadError::Client(failure.reason))?;
    let mut headers = HeaderMap::new();
    headers.insert(HOST, service.authority.clone());
    headers.extend(service.authorization.clone().map(|authorization| (AUTHORIZATION, authorization)));
    let root = Message { method: Method::GET, target: Uri::from_static("/"), headers, body: None };
    match tokio::time::timeout(REACHABLE_WITHIN, client.send(&root)).await {
        Ok(Ok(_answer)) => Ok(()),
        Ok(Err(NoAnswer { kind, reason, .. })) => Err(unreachable(kind, reason)),
        Err(_) => Err(unreachable(FailureKind::TimedOut, Some(format!("after {REACHABLE_WITHIN:?}").into()))),
    }
}
