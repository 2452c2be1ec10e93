//! Count and mean response time of the jobs that ended in the last 5 s.

use std::time::Duration;

/// Length of a slot; the oldest one leaves as a whole, so the window is exact to this much.
const SLOT_MILLIS: u128 = 100;

const SLOTS: usize = 50;

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// Which slot of run time this is; older numbers are leftovers of an earlier round.
    number: u64,
    count: u64,
    sum_seconds: f64,
}

/// A ring of slots over the last 5 s.
#[derive(Debug)]
pub(crate) struct RecentJobs {
    slots: [Slot; SLOTS],
}

impl Default for RecentJobs {
    fn default() -> Self {
        Self { slots: [Slot::default(); SLOTS] }
    }
}

/// The jobs of the last 5 s.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Summary {
    pub(crate) count: u64,
    /// 0 without jobs.
    pub(crate) mean_seconds: f64,
}

impl RecentJobs {
    pub(crate) fn record(&mut self, now: Duration, response_time: Duration) {
        let number = slot_number(now);
        let slot = &mut self.slots[index(number)];
        if slot.number != number {
            *slot = Slot { number, ..Slot::default() };
        }
        slot.count += 1;
        slot.sum_seconds += response_time.as_secs_f64();
    }

    pub(crate) fn summary(&self, now: Duration) -> Summary {
        let newest = slot_number(now);
        let within = self.slots.iter().filter(|slot| slot.number + SLOTS as u64 > newest);
        let (count, sum_seconds) =
            within.fold((0, 0.0), |(count, sum), slot| (count + slot.count, sum + slot.sum_seconds));
        Summary { count, mean_seconds: if count == 0 { 0.0 } else { sum_seconds / count as f64 } }
    }
}

fn slot_number(now: Duration) -> u64 {
    u64::try_from(now.as_millis() / SLOT_MILLIS).unwrap_or(u64::MAX)
}

fn index(number: u64) -> usize {
    usize::try_from(number % SLOTS as u64).expect("a remainder of 50 fits")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{RecentJobs, Summary};

    #[test]
    fn only_the_last_five_seconds_count() {
        let mut recent = RecentJobs::default();
        recent.record(Duration::from_millis(100), Duration::from_millis(300));
        recent.record(Duration::from_millis(4000), Duration::from_millis(100));
        let both = recent.summary(Duration::from_millis(4900));
        assert_eq!(both.count, 2);
        assert!((both.mean_seconds - 0.2).abs() < 1e-9, "{both:?}");
        assert_eq!(recent.summary(Duration::from_millis(5200)).count, 1);
        assert_eq!(recent.summary(Duration::from_secs(3600)), Summary::default());
        recent.record(Duration::from_secs(3600), Duration::from_millis(50));
        assert_eq!(
            recent.summary(Duration::from_secs(3600)).count,
            1,
            "a leftover of an earlier round counted"
        );
    }
}
