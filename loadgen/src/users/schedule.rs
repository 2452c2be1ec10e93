//! When requests are intended to start, and which kind of user is to send each: drawn one after the other from a seed.

use std::collections::VecDeque;
use std::time::Duration;

use rand::RngExt;
use workload::{Arrivals, Stream, Streams};

use crate::levels::Levels;

/// The intended starts of a run, counted from its beginning.
#[derive(Debug)]
pub(crate) struct Schedule {
    levels: Levels,
    arrivals: Arrivals,
    /// Intended starts beyond it are none.
    end: Duration,
    times: Stream,
    kinds: Stream,
    /// The share of each kind of user, as a weight.
    weights: Vec<u32>,
    /// The last start that was drawn.
    last: Option<Duration>,
    over: bool,
    /// Drawn for a kind of user while another one was asked for.
    waiting: Vec<VecDeque<Duration>>,
}

impl Schedule {
    pub(crate) fn new(
        levels: Levels,
        arrivals: Arrivals,
        end: Duration,
        weights: Vec<u32>,
        streams: Streams,
    ) -> Self {
        let waiting = vec![VecDeque::new(); weights.len()];
        let (times, kinds) = (streams.stream("arrivals"), streams.stream("kinds"));
        Self { levels, arrivals, end, times, kinds, weights, last: None, over: false, waiting }
    }

    /// The next intended start of a request by users of this kind; none when there is no more.
    pub(crate) fn next(&mut self, kind: usize) -> Option<Duration> {
        if let Some(start) = self.waiting.get_mut(kind)?.pop_front() {
            return Some(start);
        }
        loop {
            let (start, drawn) = self.draw()?;
            if drawn == kind {
                return Some(start);
            }
            self.waiting[drawn].push_back(start);
        }
    }

    /// The starts that no user has taken and that lie before `until`, taken away; each with its kind of user.
    pub(crate) fn take_overdue(&mut self, until: Duration) -> Vec<(Duration, usize)> {
        let mut overdue = Vec::new();
        for (kind, waiting) in self.waiting.iter_mut().enumerate() {
            let count = waiting.partition_point(|start| *start < until);
            overdue.extend(waiting.drain(..count).map(|start| (start, kind)));
        }
        overdue
    }

    /// All starts before `until` that no user has taken, drawn to the last, each with its kind of user; the schedule is
    /// over.
    pub(crate) fn finish(&mut self, until: Duration) -> Vec<(Duration, usize)> {
        let mut rest = self.take_overdue(until);
        while let Some(drawn) = self.draw().filter(|(start, _)| *start < until) {
            rest.push(drawn);
        }
        self.over = true;
        self.waiting.iter_mut().for_each(VecDeque::clear);
        rest
    }

    fn draw(&mut self) -> Option<(Duration, usize)> {
        if self.over {
            return None;
        }
        let next = self.levels.next_arrival(self.last, self.arrivals, &mut self.times);
        let Some(start) = next.filter(|start| *start < self.end) else {
            self.over = true;
            return None;
        };
        self.last = Some(start);
        let total: u32 = self.weights.iter().sum();
        let mut left = self.kinds.random_range(0..total.max(1));
        let kind = self.weights.iter().position(|weight| {
            let chosen = left < *weight;
            left = left.saturating_sub(*weight);
            chosen
        });
        Some((start, kind.unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use workload::{Arrivals, Streams};

    use super::Schedule;

    const END: Duration = Duration::from_secs(100);

    fn schedule(seed: u64, arrivals: Arrivals, weights: &[u32]) -> Schedule {
        let streams = Streams::from_seed(seed);
        Schedule::new("100".parse().unwrap(), arrivals, END, weights.to_vec(), streams)
    }

    fn all_of(schedule: &mut Schedule, kind: usize) -> Vec<Duration> {
        std::iter::from_fn(|| schedule.next(kind)).collect()
    }

    #[test]
    fn kinds_get_their_share_in_the_order_of_time() {
        let mut schedule = schedule(1, Arrivals::Constant, &[3, 1]);
        let (first, second) = (all_of(&mut schedule, 0), all_of(&mut schedule, 1));
        assert_eq!(first.len() + second.len(), 10_000, "one each 10 ms, the first at 5 ms");
        // 7,500 expected, with a standard deviation of 43.
        assert!((7_280..=7_720).contains(&first.len()), "{}", first.len());
        for starts in [first, second] {
            assert!(starts.is_sorted() && starts.iter().all(|start| *start < END));
        }
    }

    #[test]
    fn the_seed_repeats_the_schedule() {
        let starts = |seed| all_of(&mut schedule(seed, Arrivals::Poisson, &[1]), 0);
        assert_eq!(starts(1), starts(1));
        assert_ne!(starts(1), starts(2));
        // 10,000 expected, with a standard deviation of 100.
        assert!((9_500..=10_500).contains(&starts(1).len()));
    }

    #[test]
    fn what_nobody_took_is_left_at_the_end() {
        let mut schedule = schedule(1, Arrivals::Constant, &[1, 1]);
        for _ in 0..100 {
            schedule.next(0);
        }
        let until = Duration::from_secs(1);
        let overdue = schedule.take_overdue(until);
        assert!(overdue.len() > 20 && overdue.iter().all(|(start, _)| *start < until), "{overdue:?}");
        let rest = schedule.finish(Duration::from_secs(50));
        assert_eq!(100 + overdue.len() + rest.len(), 5_000, "every slot before 50 s is somewhere");
        assert_eq!((schedule.next(0), schedule.next(1)), (None, None));
    }
}
