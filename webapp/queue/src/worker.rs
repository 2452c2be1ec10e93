//! One worker: free since some time, or busy since some time.

use core::fmt;
use core::time::Duration;

/// Which worker of a station; handed out with each start, handed back with its completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkerId(pub(crate) u32);

impl WorkerId {
    /// The worker's number, from 0 to the number of workers − 1.
    pub const fn index(self) -> u32 {
        self.0
    }
}

impl fmt::Display for WorkerId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// What a worker is doing, by intended times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Worker {
    /// Free since its last job was meant to end.
    Free { since: Duration },
    /// At work since its job started.
    Busy { since: Duration },
}
