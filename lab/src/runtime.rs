//! Builds the async runtime of a process and starts its logging and its traces.

use observability::traces::{self, TraceSettings};

use crate::arguments::log::LogArguments;
use crate::failure::Failure;

/// Most runtime threads: the processes of the lab share one machine, and none of them needs many.
const MAX_THREADS: usize = 4;

/// Starts logging and runs `main` to its end on a runtime of its own.
pub(crate) fn run<T>(
    log: &LogArguments,
    main: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    observability::logs::start(&log.log_level, log.log_format).map_err(Failure::bad_input)?;
    block_on(main)
}

/// As [`run`], for a process that has spans of its own; sends the last of them before it returns.
pub(crate) fn run_traced<T>(
    log: &LogArguments,
    spans: &TraceSettings,
    main: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    observability::logs::start(&log.log_level, log.log_format).map_err(Failure::bad_input)?;
    traces::start(spans).map_err(Failure::bad_input)?;
    let result = block_on(main);
    // The runtime has nothing left to do by now, so this may block.
    traces::stop();
    result
}

fn block_on<T>(main: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
    let mut builder = if threads == 1 {
        // One core: a second thread would only add wake-ups.
        tokio::runtime::Builder::new_current_thread()
    } else {
        tokio::runtime::Builder::new_multi_thread()
    };
    let runtime = builder
        .worker_threads(threads)
        .enable_all()
        .build()
        .map_err(|error| Failure::could_not_run(format!("cannot start the async runtime: {error}")))?;
    let result = runtime.block_on(main);
    // A blocking thread that still burns CPU time must not hold the process back.
    runtime.shutdown_background();
    result
}
