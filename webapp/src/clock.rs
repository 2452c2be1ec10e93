//! Run time: how long this process has been serving, which is all the time that the physics knows.

use std::time::Duration;

use tokio::time::Instant;

/// Tells the time since the replica's start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunClock {
    origin: Instant,
}

impl RunClock {
    pub(crate) fn start() -> Self {
        Self { origin: Instant::now() }
    }

    pub(crate) fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    /// How long ago the given run time was.
    pub(crate) fn since(&self, run_time: Duration) -> Duration {
        self.now().saturating_sub(run_time)
    }

    /// Returns at the given run time, at once when it has passed.
    pub(crate) async fn sleep_until(&self, run_time: Duration) {
        tokio::time::sleep_until(self.origin + run_time).await;
    }
}
