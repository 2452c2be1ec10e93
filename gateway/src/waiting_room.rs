//! Where requests wait, in the order in which they came, until an endpoint is in rotation.
//!
//! A service that was scaled to zero gets its first replica because of the requests that wait here: their number is what
//! a scaler reads as the service's concurrency. The room is bounded, because what waits is sent at once when the first
//! replica is ready, and that one has to take it.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Semaphore, SemaphorePermit};

/// The waiting requests. Each takes a [`Place`], and then waits to be the first.
#[derive(Debug)]
pub(crate) struct WaitingRoom {
    places_max: usize,
    taken: AtomicUsize,
    /// Has one permit, which goes to requests in the order in which they asked for it.
    head_of_line: Semaphore,
}

impl WaitingRoom {
    /// A room for at most `places_max` requests.
    pub(crate) fn new(places_max: usize) -> Self {
        Self { places_max, taken: AtomicUsize::new(0), head_of_line: Semaphore::new(1) }
    }

    /// How many may wait.
    pub(crate) fn places_max(&self) -> usize {
        self.places_max
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// Takes a place, if one is free.
    pub(crate) fn enter(&self) -> Option<Place<'_>> {
        let one_more = |taken: usize| (taken < self.places_max).then_some(taken + 1);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        Some(Place { room: self })
    }
}

/// A request's place in the room, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    room: &'a WaitingRoom,
}

impl Place<'_> {
    /// Waits until all requests that came before have left. The request is the first until the permit is dropped.
    pub(crate) async fn be_first(&self) -> SemaphorePermit<'_> {
        self.room.head_of_line.acquire().await.expect("the line is never closed")
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.room.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn there_are_so_many_places_and_one_that_is_left_is_free_again() {
        let room = WaitingRoom::new(2);
        let [first, second] = [room.enter(), room.enter()].map(|place| place.expect("two places"));
        assert!(room.enter().is_none() && room.waiting() == 2);
        drop(first);
        assert_eq!(room.waiting(), 1);
        assert!(room.enter().is_some());
        drop(second);
        assert_eq!(room.waiting(), 0);
        assert!(WaitingRoom::new(0).enter().is_none(), "without places none waits");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn requests_become_first_in_the_order_in_which_they_came_and_one_that_leaves_holds_up_none() {
        let room = Arc::new(WaitingRoom::new(100));
        let order = Arc::new(Mutex::new(Vec::new()));
        let place = room.enter().expect("the room is empty");
        let first = place.be_first().await;
        let mut waiting = Vec::new();
        for number in 0..50 {
            let (in_room, order) = (Arc::clone(&room), Arc::clone(&order));
            waiting.push(tokio::spawn(async move {
                let place = in_room.enter().expect("there is room");
                let _first = place.be_first().await;
                order.lock().expect("no test thread panicked").push(number);
            }));
            while room.waiting() < number + 2 {
                tokio::task::yield_now().await;
            }
            // Has a place, and asks for the permit right after: one more turn of the scheduler lets it.
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        waiting[0].abort();
        drop(first);
        for task in waiting.into_iter().skip(1) {
            task.await.expect("it became first");
        }
        let order = order.lock().expect("no test thread panicked").clone();
        assert_eq!(order, (1..50).collect::<Vec<usize>>());
    }
}
