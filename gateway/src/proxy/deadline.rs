//! A timer that one client's connection uses for one request after the other.
//!
//! Setting it later than before only notes the new time, where a timer of each request's own would be put into and taken
//! out of the runtime's shared wheel each time. It wakes the connection's task at most once per timeout for nothing.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use tokio::time::{Instant, Sleep, sleep_until};

/// Keeps the timer between two requests.
#[derive(Debug, Default)]
pub(crate) struct DeadlineSlot(Mutex<Option<Pin<Box<Sleep>>>>);

impl DeadlineSlot {
    /// Takes the timer for a request.
    pub(crate) fn take(&self) -> Deadline {
        Deadline(self.0.lock().unwrap_or_else(PoisonError::into_inner).take())
    }

    /// Keeps it for the next request.
    pub(crate) fn put_back(&self, deadline: Deadline) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = deadline.0;
    }
}

/// A timer that is set anew as often as needed.
#[derive(Debug)]
pub(crate) struct Deadline(Option<Pin<Box<Sleep>>>);

impl Deadline {
    /// Awaits `future` until that time; nothing, if it was not ready then.
    pub(crate) async fn limit<F: Future>(&mut self, until: Instant, future: F) -> Option<F::Output> {
        let timer = match &mut self.0 {
            Some(timer) => {
                timer.as_mut().reset(until);
                timer
            }
            none => none.insert(Box::pin(sleep_until(until))),
        };
        tokio::select! {
            biased;
            output = future => Some(output),
            () = timer => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_ends_what_takes_too_long_and_nothing_else_however_often_it_is_set() {
        let slot = DeadlineSlot::default();
        for _ in 0..3 {
            let mut deadline = slot.take();
            let start = Instant::now();
            let until = |seconds| start + Duration::from_secs(seconds);
            assert_eq!(deadline.limit(until(5), ready(1)).await, Some(1));
            let in_time = async {
                tokio::time::sleep(Duration::from_secs(2)).await;
                2
            };
            assert_eq!(deadline.limit(until(5), in_time).await, Some(2));
            assert_eq!(deadline.limit(until(3), pending::<()>()).await, None);
            assert_eq!(start.elapsed(), Duration::from_secs(3));
            slot.put_back(deadline);
        }
    }
}
