//! Keeps one process running: starts it again at once when it dies, and more slowly when it keeps dying.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use scaler::ServiceEvent;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Notice;
use super::journal::Journal;
use crate::child_command::ChildCommand;
use crate::child_process::ChildProcess;

/// A process that lived longer than this is started again without delay.
const LIVED_WELL: Duration = Duration::from_secs(5);

/// Delay before the second quick restart; it doubles up to [`LONGEST_DELAY`].
const FIRST_DELAY: Duration = Duration::from_millis(100);

const LONGEST_DELAY: Duration = Duration::from_secs(5);

/// A process with a name that is always there.
#[derive(Debug)]
pub(super) struct KeptProcess {
    name: &'static str,
    announcement: String,
    pid: Arc<AtomicU32>,
    restarts: watch::Receiver<u64>,
    stop: CancellationToken,
    keeper: JoinHandle<ChildProcess>,
}

impl KeptProcess {
    /// Starts it and waits until it says where it listens. A restart listens on the same address.
    pub(super) async fn start(
        name: &'static str,
        program: &Path,
        command: ChildCommand,
        (notices, journal): (mpsc::UnboundedSender<Notice>, Journal),
    ) -> Result<Self, String> {
        let mut child = ChildProcess::spawn(name, program, &command)
            .map_err(|error| format!("cannot start {name}: {error}"))?;
        let announcement = child.announcement().await?;
        let command = command.listening_where(&announcement);
        let pid = Arc::new(AtomicU32::new(child.pid()));
        let (restarted, restarts) = watch::channel(0);
        let stop = CancellationToken::new();
        let keeper = Keeper {
            name,
            program: program.to_owned(),
            command,
            notices,
            journal,
            pid: Arc::clone(&pid),
            restarted,
            stop: stop.clone(),
        };
        let keeper = tokio::spawn(keeper.keep(child));
        Ok(Self { name, announcement, pid, restarts, stop, keeper })
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid.load(Ordering::Relaxed)
    }

    /// What it said about where it listens.
    pub(super) fn announcement(&self) -> String {
        self.announcement.clone()
    }

    /// Counts the restarts.
    pub(super) fn restarts(&self) -> watch::Receiver<u64> {
        self.restarts.clone()
    }

    /// Ends it for good.
    pub(super) async fn stop(self, grace: Duration) {
        self.stop.cancel();
        if let Ok(child) = self.keeper.await {
            child.stop(grace).await;
        }
    }
}

struct Keeper {
    name: &'static str,
    program: std::path::PathBuf,
    command: ChildCommand,
    notices: mpsc::UnboundedSender<Notice>,
    journal: Journal,
    pid: Arc<AtomicU32>,
    restarted: watch::Sender<u64>,
    stop: CancellationToken,
}

impl Keeper {
    /// Restarts the process whenever it ends, until it is to stop; hands back what runs then.
    async fn keep(self, mut child: ChildProcess) -> ChildProcess {
        let mut delay = Duration::ZERO;
        let mut began = Instant::now();
        loop {
            let end = tokio::select! {
                end = child.wait() => end,
                () = self.stop.cancelled() => return child,
            };
            delay = if began.elapsed() > LIVED_WELL { Duration::ZERO } else { next_delay(delay) };
            self.tell(format!("{} died ({end}), starting it again", self.name));
            self.journal.record(ServiceEvent::ProcessDied { process: self.name.to_owned(), end });
            began = Instant::now();
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = self.stop.cancelled() => return child,
            }
            match self.start_again().await {
                Ok(started) => {
                    child = started;
                    self.pid.store(child.pid(), Ordering::Relaxed);
                    self.restarted.send_modify(|count| *count += 1);
                    self.tell(format!("{} is back after {} ms", self.name, began.elapsed().as_millis()));
                    self.journal.record(ServiceEvent::ProcessRestarted {
                        process: self.name.to_owned(),
                        after_seconds: began.elapsed().as_secs_f64(),
                    });
                }
                // The ended child is waited for again at once, which leads here again after a longer delay.
                Err(problem) => self.tell(problem),
            }
        }
    }

    async fn start_again(&self) -> Result<ChildProcess, String> {
        let mut child = ChildProcess::spawn(self.name, &self.program, &self.command)
            .map_err(|error| format!("cannot start {}: {error}", self.name))?;
        child.announcement().await?;
        Ok(child)
    }

    fn tell(&self, text: String) {
        // Nobody listens any more while everything ends.
        let _ending = self.notices.send(Notice(text));
    }
}

fn next_delay(delay: Duration) -> Duration {
    if delay.is_zero() { FIRST_DELAY } else { (delay * 2).min(LONGEST_DELAY) }
}

#[cfg(test)]
mod tests {
    use super::{FIRST_DELAY, LONGEST_DELAY, next_delay};

    #[test]
    fn the_first_quick_restart_is_almost_at_once_and_later_ones_wait() {
        let mut delay = next_delay(std::time::Duration::ZERO);
        assert_eq!(delay, FIRST_DELAY);
        for _ in 0..20 {
            delay = next_delay(delay);
        }
        assert_eq!(delay, LONGEST_DELAY);
    }
}
