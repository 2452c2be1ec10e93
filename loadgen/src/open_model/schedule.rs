//! Says when each request of a level is due and which request it is: drawn from the seed alone, whatever the service
//! does.

use std::collections::VecDeque;
use std::time::Duration;

use rand::RngExt;
use workload::{Arrivals, Stream, Streams};

/// Slots that are drawn at a time, so that drawing stays out of the way of sending.
const CHUNK: usize = 256;

/// A request that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    /// When it should start, from the beginning of the level's warm-up.
    pub(crate) intended: Duration,
    /// Which of the target's requests it is.
    pub(crate) request: usize,
}

/// Which of a few weighted requests comes next.
#[derive(Debug)]
pub(crate) struct Choice {
    /// The weights added up, each with those before it.
    cumulative: Vec<u64>,
    stream: Stream,
}

impl Choice {
    /// Draws by `weights`, of which one at least is more than 0.
    pub(crate) fn new(weights: &[u32], streams: Streams) -> Self {
        let cumulative = weights
            .iter()
            .scan(0, |sum, &weight| {
                *sum += u64::from(weight);
                Some(*sum)
            })
            .collect();
        Self { cumulative, stream: streams.stream("open_model_requests") }
    }

    fn draw(&mut self) -> usize {
        match self.cumulative.as_slice() {
            // One request needs no luck.
            [] | [_] => 0,
            [.., total] => {
                let ticket = self.stream.random_range(0..*total);
                self.cumulative.partition_point(|&sum| sum <= ticket)
            }
        }
    }
}

/// The requests of one level, in the order in which they are due.
#[derive(Debug)]
pub(crate) enum Schedule {
    /// Due at instants that were drawn in advance.
    Paced(Box<Paced>),
    /// Due whenever a connection is free.
    Unpaced {
        /// Which request comes next.
        choice: Box<Choice>,
        /// Nothing is due from here on.
        end: Duration,
    },
}

/// The instant that was drawn last.
#[derive(Clone, Copy, Debug)]
enum Last {
    /// None yet.
    None,
    At(Duration),
    /// The end was reached.
    Over,
}

/// What is due at a rate.
#[derive(Debug)]
pub(crate) struct Paced {
    arrivals: Arrivals,
    rate_rps: f64,
    end: Duration,
    arrivals_stream: Stream,
    choice: Choice,
    /// Where the next instant is drawn from.
    last: Last,
    chunk: VecDeque<Slot>,
}

impl Schedule {
    /// Slots at `rate_rps`, before `end`.
    pub(crate) fn paced(
        arrivals: Arrivals,
        rate_rps: f64,
        end: Duration,
        weights: &[u32],
        streams: Streams,
    ) -> Self {
        let mut paced = Box::new(Paced {
            arrivals,
            rate_rps,
            end,
            arrivals_stream: streams.stream("open_model_arrivals"),
            choice: Choice::new(weights, streams),
            last: Last::None,
            chunk: VecDeque::with_capacity(CHUNK),
        });
        paced.draw_chunk();
        Self::Paced(paced)
    }

    /// The next slot, if it is due at `now`.
    pub(crate) fn take_due(&mut self, now: Duration) -> Option<Slot> {
        match self {
            Self::Paced(paced) => {
                paced.chunk.front().filter(|slot| slot.intended <= now)?;
                let slot = paced.chunk.pop_front();
                if paced.chunk.is_empty() {
                    paced.draw_chunk();
                }
                slot
            }
            Self::Unpaced { choice, end } => {
                (now < *end).then(|| Slot { intended: now, request: choice.draw() })
            }
        }
    }

    /// When the next slot is due; none when there is no other, or it is due at any time.
    pub(crate) fn next_intended(&self) -> Option<Duration> {
        match self {
            Self::Paced(paced) => paced.chunk.front().map(|slot| slot.intended),
            Self::Unpaced { .. } => None,
        }
    }

    /// Ends the schedule at `end`, if it would go on for longer.
    pub(crate) fn end_at(&mut self, at: Duration) {
        match self {
            Self::Paced(paced) => {
                paced.end = paced.end.min(at);
                while paced.chunk.back().is_some_and(|slot| slot.intended >= at) {
                    paced.chunk.pop_back();
                    paced.last = Last::Over;
                }
            }
            Self::Unpaced { end, .. } => *end = at.min(*end),
        }
    }
}

impl Paced {
    fn draw_chunk(&mut self) {
        while self.chunk.len() < CHUNK {
            let (arrivals, rate_rps, stream) = (self.arrivals, self.rate_rps, &mut self.arrivals_stream);
            let intended = match self.last {
                Last::None => arrivals.first_gap(rate_rps, stream),
                Last::At(last) => arrivals.next_gap(rate_rps, stream).and_then(|gap| last.checked_add(gap)),
                Last::Over => None,
            };
            let Some(intended) = intended.filter(|&intended| intended < self.end) else {
                self.last = Last::Over;
                return;
            };
            self.last = Last::At(intended);
            self.chunk.push_back(Slot { intended, request: self.choice.draw() });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(mut schedule: Schedule) -> Vec<Slot> {
        std::iter::from_fn(|| schedule.take_due(Duration::MAX)).collect()
    }

    fn paced(arrivals: Arrivals, rate_rps: f64, end: Duration, seed: u64) -> Schedule {
        Schedule::paced(arrivals, rate_rps, end, &[1], Streams::from_seed(seed))
    }

    #[test]
    fn evenly_spaced_slots_come_at_the_rate_and_end_before_the_end() {
        let slots = all(paced(Arrivals::Constant, 1_000.0, Duration::from_secs(2), 1));
        assert_eq!(slots.len(), 2_000);
        assert_eq!(slots[0].intended, Duration::from_micros(500));
        assert_eq!(slots[1_999].intended, Duration::from_micros(1_999_500));
        for (rate_rps, seconds) in [(1.0, 3), (3.0, 100), (20.0, 4), (33.3, 10), (0.2, 15)] {
            let count =
                all(paced(Arrivals::Constant, rate_rps, Duration::from_secs(seconds), 1)).len() as f64;
            assert!(
                (count - rate_rps * seconds as f64).abs() < 0.01,
                "{count} at {rate_rps}/s for {seconds} s"
            );
        }
    }

    #[test]
    fn random_slots_are_as_many_as_a_poisson_process_has() {
        let count = all(paced(Arrivals::Poisson, 5_000.0, Duration::from_secs(20), 7)).len() as f64;
        // Six standard deviations of a Poisson count of mean 100,000.
        assert!((count - 100_000.0).abs() < 6.0 * 100_000_f64.sqrt(), "{count} slots");
    }

    #[test]
    fn nothing_is_due_before_its_time() {
        let mut schedule = paced(Arrivals::Constant, 10.0, Duration::from_secs(1), 1);
        assert_eq!(schedule.take_due(Duration::from_millis(49)), None);
        assert_eq!(schedule.next_intended(), Some(Duration::from_millis(50)));
        assert!(schedule.take_due(Duration::from_millis(50)).is_some());
        assert_eq!(schedule.take_due(Duration::from_millis(149)), None);
    }

    #[test]
    fn a_schedule_that_is_cut_short_has_nothing_from_there_on() {
        let mut schedule = paced(Arrivals::Constant, 10_000.0, Duration::from_secs(10), 1);
        let taken = (0..5_000).filter(|_| schedule.take_due(Duration::MAX).is_some()).count();
        assert_eq!(taken, 5_000);
        schedule.end_at(Duration::from_millis(501));
        let rest = all(schedule);
        assert_eq!(rest.len(), 10, "5,000 slots end before 500 ms, 10 more lie before 501 ms");
    }

    #[test]
    fn requests_are_chosen_by_their_weights() {
        let end = Duration::from_secs(10);
        let schedule = Schedule::paced(Arrivals::Constant, 10_000.0, end, &[3, 0, 1], Streams::from_seed(5));
        let mut counts = [0_u32; 3];
        for slot in all(schedule) {
            counts[slot.request] += 1;
        }
        assert_eq!(counts[1], 0);
        let share = f64::from(counts[0]) / f64::from(counts.iter().sum::<u32>());
        // Six standard errors over 100,000 draws.
        assert!((share - 0.75).abs() < 0.0083, "{share}");
    }

    #[test]
    fn without_pacing_something_is_due_until_the_end() {
        let choice = Box::new(Choice::new(&[1], Streams::from_seed(1)));
        let mut schedule = Schedule::Unpaced { choice, end: Duration::from_secs(1) };
        let now = Duration::from_millis(999);
        assert_eq!(schedule.take_due(now), Some(Slot { intended: now, request: 0 }));
        assert_eq!(schedule.take_due(Duration::from_secs(1)), None);
    }

    proptest! {
        #[test]
        fn the_same_seed_gives_the_same_slots_in_order(seed: u64, rate_rps in 1.0..50_000.0) {
            let end = Duration::from_millis(200);
            let draw = || {
                all(Schedule::paced(Arrivals::Poisson, rate_rps, end, &[2, 5], Streams::from_seed(seed)))
            };
            let slots = draw();
            prop_assert_eq!(&slots, &draw());
            prop_assert!(slots.is_sorted_by_key(|slot| slot.intended));
            prop_assert!(slots.iter().all(|slot| slot.intended < end));
        }
    }
}
