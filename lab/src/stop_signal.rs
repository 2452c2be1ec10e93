//! Signals of the system: SIGTERM and Ctrl-C to stop, SIGHUP to read files again.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::failure::Failure;

/// The stop signals of this process, caught from here on.
#[derive(Debug)]
pub(crate) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    /// Starts to catch the signals.
    pub(crate) fn catch() -> Result<Self, Failure> {
        let catch = |kind| {
            signal(kind).map_err(|error| Failure::could_not_run(format!("cannot catch signals: {error}")))
        };
        Ok(Self { terminate: catch(SignalKind::terminate())?, interrupt: catch(SignalKind::interrupt())? })
    }

    /// Keeps Goose from taking Ctrl-C over, to be called before [`StopSignals::catch`]: a Ctrl-C between two loads would
    /// be lost, and one while a load waits for its last answers would end the process without a result.
    ///
    /// Goose sets no handler where there is one of the same kind; this one does nothing, and comes after those that are
    /// caught later.
    pub(crate) fn keep_from_goose() -> Result<(), Failure> {
        ctrlc::set_handler(|| {})
            .map_err(|error| Failure::could_not_run(format!("cannot catch signals: {error}")))
    }

    /// Returns at the next SIGTERM or Ctrl-C.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => info!("SIGTERM: stopping"),
            _ = self.interrupt.recv() => info!("interrupted: stopping"),
        }
    }

    /// A token that is cancelled at the next SIGTERM or Ctrl-C, for work that looks at it in several places.
    pub(crate) fn into_token(mut self) -> CancellationToken {
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        tokio::spawn(async move {
            self.next().await;
            stopping.cancel();
        });
        stop
    }
}

/// SIGHUP, which asks for files to be read again; caught from here on, so that it does not end this process.
#[derive(Debug)]
pub(crate) struct Hangups(Signal);

impl Hangups {
    /// Starts to catch the signal.
    pub(crate) fn catch() -> Result<Self, Failure> {
        signal(SignalKind::hangup())
            .map(Self)
            .map_err(|error| Failure::could_not_run(format!("cannot catch signals: {error}")))
    }

    /// Returns at the next SIGHUP.
    pub(crate) async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            // The runtime is ending; there is no next one.
            std::future::pending::<()>().await;
        }
    }
}
