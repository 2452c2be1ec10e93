//! Runs one load from start to end inside the caller's runtime, one at a time in a process.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use goose::GooseError;
use goose::config::GooseConfiguration;
use goose::goose::{GooseUser, get_base_url};
use tokio::sync::Mutex;
use tokio::time::MissedTickBehavior;

use crate::attack::{self, Shared};
use crate::config::LoadConfig;
use crate::error::{self, LoadError};
use crate::progress::Progress;
use crate::report;
use crate::result::LoadResult;

/// Goose's killswitch belongs to the whole process, so a second run waits for the first.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// How long the service may take to answer at all before the start.
const REACHABLE_WITHIN_SECONDS: u64 = 2;

/// How often the killswitch is looked at.
const TICK: Duration = Duration::from_millis(100);

/// Every how many ticks progress is told: once a second.
const TICKS_PER_PROGRESS: u32 = 10;

/// How long requests may stay unanswered after the end before they are given up: a service that hangs must not keep
/// the run from ending.
const PATIENCE_AT_THE_END: Duration = Duration::from_secs(2);

/// Loads the service as configured, until the time is over or `stop` resolves, and writes the reports.
///
/// `progress` is called once a second, from the task that awaits this. After `stop` a run ends within about three
/// seconds, with a result and reports of what was measured so far. A second run in the same process waits until the
/// first is over. Dropping the future ends the run as well, in the background and without a result.
///
/// Goose replaces the process's handler of Ctrl-C, even that of tokio, for good: the first Ctrl-C ends the run as
/// `stop` does, a second one ends the process with status 1. A program that wants to keep its own installs it by
/// `ctrlc::set_handler` before. Goose also sets a global logger that writes to standard output unless there is one
/// already; `tracing_subscriber`'s `init` sets one.
///
/// # Errors
/// [`LoadError`] where nothing was measured: a setting cannot be, the service does not answer, a report cannot be
/// created, `stop` came first, or Goose failed.
pub async fn run(
    config: &LoadConfig,
    stop: impl Future<Output = ()>,
    mut progress: impl FnMut(Progress),
) -> Result<LoadResult, LoadError> {
    config.validate()?;
    let mut stop = pin!(stop);
    let turn = tokio::select! {
        turn = ONE_AT_A_TIME.lock() => turn,
        () = &mut stop => return Err(LoadError::Stopped),
    };
    tokio::select! {
        reachable = reach(&config.host) => reachable?,
        () = &mut stop => return Err(LoadError::Stopped),
    }
    report::create(&config.reports).await?;

    let shared = Arc::new(Shared::new(config));
    let attack = attack::build(config, &shared).map_err(|error| LoadError::from_goose(&error))?;
    goose::reset_killswitch();
    tracing::debug!(host = config.host, users = config.users, "load begins");
    let mut execution = tokio::spawn(async move {
        let _turn = turn;
        Box::pin(attack.execute()).await.map(|_metrics| ())
    });
    let _end_when_dropped = EndWhenDropped(Arc::clone(&shared));

    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut tick_count: u32 = 0;
    let mut stopping = false;
    let mut interrupted = false;
    let executed = loop {
        tokio::select! {
            executed = &mut execution => break executed,
            () = &mut stop, if !stopping => {
                stopping = true;
                interrupted = shared.recorder.stop(Instant::now());
                goose::trigger_killswitch("stopped by the caller");
            }
            _ = ticks.tick() => {
                let now = Instant::now();
                if stopping {
                    // Again and again: at its very start Goose forgets what it was told before.
                    goose::trigger_killswitch("stopped by the caller");
                } else if goose::is_killswitch_triggered() {
                    stopping = true;
                    interrupted = shared.recorder.stop(now);
                }
                if shared.recorder.end().is_some_and(|end| end + PATIENCE_AT_THE_END < now) {
                    shared.give_up.send_replace(true);
                }
                tick_count += 1;
                if tick_count.is_multiple_of(TICKS_PER_PROGRESS) {
                    progress(Progress::new(&shared.recorder.snapshot(now), config.run_time));
                }
            }
        }
    };

    let snapshot = shared.recorder.snapshot(Instant::now());
    let mut result = LoadResult::new(config, &snapshot, interrupted);
    match executed {
        Ok(Ok(())) => {}
        // The users have acted, so what failed afterwards was a report; the numbers are not thrown away for that.
        Ok(Err(error)) if !snapshot.measured.is_zero() => result.report_errors.push(error::describe(&error)),
        Ok(Err(error)) => return Err(LoadError::from_goose(&error)),
        Err(panic) => return Err(LoadError::Goose(panic.to_string())),
    }
    for path in config.reports.iter().filter(|path| report::is_csv(path)) {
        if let Err(error) = tokio::fs::write(path, report::csv(&result)).await {
            result.report_errors.push(format!("`{}`: {error}", path.display()));
        }
    }
    Ok(result)
}

/// Ends the attack when nobody waits for it any more; Goose's users would otherwise act for ever.
struct EndWhenDropped(Arc<Shared>);

impl Drop for EndWhenDropped {
    fn drop(&mut self) {
        if self.0.recorder.stop(Instant::now()) {
            goose::trigger_killswitch("nobody waits for the result");
        }
        self.0.give_up.send_replace(true);
    }
}

/// Asks for `/` once: any answer will do.
async fn reach(host: &str) -> Result<(), LoadError> {
    let single_user = || -> Result<GooseUser, GooseError> {
        let timeout = format!("--timeout={REACHABLE_WITHIN_SECONDS}");
        let configuration = GooseConfiguration::parse_args_default(&[timeout])?;
        GooseUser::single(get_base_url(Some(host.to_owned()), None, None)?, &configuration)
    };
    let user = single_user().map_err(|error| LoadError::from_goose(&error))?;
    match user.client.get(user.base_url.clone()).send().await {
        Ok(_answer) => Ok(()),
        Err(error) => {
            Err(LoadError::Unreachable { host: host.to_owned(), reason: error::chain(&error.without_url()) })
        }
    }
}
