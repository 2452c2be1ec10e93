//! Reads the wall clock once, at the start, and from then on counts with the monotonic clock.
//!
//! So run time never jumps while the scaler runs, and yet means the same after a restart, which saved cooldowns need.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Run time: time since the Unix epoch, as it was known at the start.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    epoch_at_start: Duration,
    started: Instant,
}

impl Clock {
    /// A clock that starts now.
    #[expect(clippy::disallowed_methods, reason = "the one place of this process that reads the wall clock")]
    pub fn start() -> Self {
        let epoch_at_start = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { epoch_at_start, started: Instant::now() }
    }

    /// Run time at this moment.
    pub fn now(&self) -> Duration {
        self.epoch_at_start + self.started.elapsed()
    }

    /// Time since the start.
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }
}

/// Run time as RFC 3339 in UTC, with milliseconds.
pub(crate) fn rfc3339(at: Duration) -> String {
    humantime::format_rfc3339_millis(UNIX_EPOCH + at).to_string()
}

/// Run time from RFC 3339.
pub(crate) fn read_rfc3339(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_rfc3339(text).map_err(|error| format!("`{text}` is no time: {error}"))?;
    time.duration_since(UNIX_EPOCH).map_err(|_| format!("`{text}` lies before 1970"))
}
