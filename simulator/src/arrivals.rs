//! When requests arrive, from the shape and the stream of arrivals.

use workload::{ArrivalCursor, Arrivals};

use crate::model::Workload;
use crate::random::FastStream;
use crate::time::Nanoseconds;

/// The arrivals of one run.
#[derive(Clone, Debug)]
pub(crate) struct ArrivalTimes {
    cursor: ArrivalCursor,
    process: Arrivals,
    stream: FastStream,
    /// When requests stop.
    end: Nanoseconds,
    is_first: bool,
}

impl ArrivalTimes {
    pub(crate) fn new(workload: &Workload, stream: FastStream, end: Nanoseconds) -> Self {
        let cursor = ArrivalCursor::new(workload.shape.clone(), workload.base_rate_per_second);
        Self { cursor, process: workload.arrivals, stream, end, is_first: true }
    }

    /// The next arrival; after the last one the end of all time.
    #[inline]
    pub(crate) fn next(&mut self) -> Nanoseconds {
        let increment = match self.process {
            Arrivals::Poisson => self.stream.exponential(),
            // As the live generator: the first of evenly spaced arrivals comes after half a gap.
            Arrivals::Constant if std::mem::take(&mut self.is_first) => 0.5,
            Arrivals::Constant => 1.0,
        };
        self.cursor.next_nanoseconds(increment).filter(|at| *at < self.end).unwrap_or(Nanoseconds::MAX)
    }
}
