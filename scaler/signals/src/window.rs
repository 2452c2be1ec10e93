//! Keeps one replica's totals over some windows, and what they grew by within each.
//!
//! A replica that is met for the first time has no growth until its second scrape, whatever it says of its start: that
//! would be a moment of its own clock, which may be wrong by any amount. Only two scrapes of the same replica are
//! compared.

use core::time::Duration;

use crate::figures::ReplicaFigures;
use crate::growth::Growth;
use crate::moments::Moments;
use crate::totals::Totals;

/// Some tell their start in whole seconds, so by so much it may seem to lie elsewhere.
const START_SLACK: Duration = Duration::from_secs(1);

/// One replica's past.
#[derive(Clone, Debug)]
pub struct ReplicaWindow {
    past: Moments<Totals>,
    newest: Totals,
    latest: ReplicaFigures,
    process: Process,
}

/// What is known, by this scaler's clock alone, of the age of the process that answers.
#[derive(Clone, Copy, Debug)]
struct Process {
    /// Its first scrape.
    met_at: Duration,
    /// Its age at that scrape at most; none if it was there before and may be of any age.
    age_when_met_at_most: Option<Duration>,
}

impl Process {
    /// Whether a start that lies `moved` seconds later than the one told at `before` is that of another process, which
    /// began between `before` and `at`. If it is not, somebody set the replica's clock.
    fn can_have_ended(&self, moved: f64, before: Duration, at: Duration) -> bool {
        let Some(age_when_met) = self.age_when_met_at_most else { return false };
        let known_for = before.saturating_sub(self.met_at).as_secs_f64();
        let latest = known_for + (age_when_met + at.saturating_sub(before)).as_secs_f64();
        let slack = START_SLACK.as_secs_f64();
        (known_for - slack..=latest + slack).contains(&moved)
    }
}

impl ReplicaWindow {
    /// Begins with a first scrape, from which on it is counted.
    pub fn begin(at: Duration, figures: &ReplicaFigures) -> Self {
        let first = Totals::begin(at, figures);
        Self {
            past: Moments::begin(at, first.clone()),
            newest: first,
            latest: figures.clone(),
            process: Process { met_at: at, age_when_met_at_most: None },
        }
    }

    /// Whether the process that shows `figures` is another one than that of the last scrape: what only grows has
    /// fallen, or its start has moved by as much as a restart in between explains.
    fn has_restarted(&self, at: Duration, figures: &ReplicaFigures) -> bool {
        let moved = match (self.latest.started_at, figures.started_at) {
            (Some(old), Some(new)) if old != new => new.as_secs_f64() - old.as_secs_f64(),
            _ => return figures.fell_below(&self.latest),
        };
        figures.fell_below(&self.latest) || self.process.can_have_ended(moved, self.newest.at, at)
    }

    /// Adds what was seen at `at` and forgets what lies before the longest of the windows that end with it. Returns
    /// whether the process is another one than that seen before.
    pub fn add(&mut self, at: Duration, figures: &ReplicaFigures, windows: &[Duration]) -> bool {
        self.past.follow(windows);
        self.past.add((self.newest.at, &self.newest), at);
        let has_restarted = self.has_restarted(at, figures);
        if has_restarted {
            let age_when_met_at_most = Some(at.saturating_sub(self.newest.at));
            self.process = Process { met_at: at, age_when_met_at_most };
        }
        self.newest.advance(at, Some(&self.latest).filter(|_| !has_restarted), figures);
        self.latest.clone_from(figures);
        has_restarted
    }

    /// When it was last seen.
    pub fn newest_at(&self) -> Duration {
        self.newest.at
    }

    /// What it last showed.
    pub fn latest(&self) -> &ReplicaFigures {
        &self.latest
    }

    /// What it grew by in the window from `start`; none if nothing was seen in it, or only one moment.
    pub fn growth_since(&self, start: Duration) -> Option<Growth> {
        if self.newest.at <= start {
            return None;
        }
        let (_, from) = self.past.at_or_before(start, self.newest.at)?;
        (self.newest.at > from.at).then(|| Growth::between(from, &self.newest, &self.latest.bounds))
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    const WINDOW: Duration = Duration::from_secs(30);

    fn seconds(value: u64) -> Duration {
        Duration::from_secs(value)
    }

    fn scraped(count: f64, sum: f64) -> ReplicaFigures {
        ReplicaFigures {
            duration_count: count,
            duration_sum: sum,
            bounds: vec![1.0, f64::INFINITY],
            buckets: vec![count, count],
            started_at: Some(seconds(5)),
            ..ReplicaFigures::default()
        }
    }

    #[test]
    fn a_replica_counts_from_its_first_scrape() {
        let mut window = ReplicaWindow::begin(seconds(100), &scraped(50.0, 20.0));
        assert!(window.growth_since(seconds(70)).is_none(), "one moment is no window");
        window.add(seconds(101), &scraped(60.0, 24.0), &[WINDOW]);
        let growth = window.growth_since(seconds(71)).unwrap();
        assert_eq!((growth.by.duration_count, growth.by.duration_sum), (10.0, 4.0));
        assert_eq!((growth.from, growth.to), (seconds(100), seconds(101)));
        assert_eq!(growth.by.buckets, [10.0, 10.0]);
    }

    /// What is counted of two scrapes a second apart, 50,000 and 20 more jobs, where the second tells its start
    /// `moved` seconds later than the first, and both say it was long ago, or yet to come.
    fn counted_with_a_start_that_moved(first_start: u64, moved: i64) -> Option<f64> {
        let told = |count, start| ReplicaFigures {
            started_at: Some(seconds(start)),
            ..scraped(count, count / 10.0)
        };
        let later = first_start.checked_add_signed(moved).unwrap();
        let mut window = ReplicaWindow::begin(seconds(100_000), &told(50_000.0, first_start));
        assert!(window.growth_since(seconds(99_970)).is_none(), "its life before counts for nothing");
        window.add(seconds(100_001), &told(50_020.0, later), &[WINDOW]);
        Some(window.growth_since(seconds(99_971))?.by.duration_count)
    }

    #[test]
    fn no_clock_of_a_replica_is_believed() {
        for first_start in [1, 96_400, 99_999, 100_005, 103_600] {
            for moved in [0, 1, 5, 3600, -1, 86_400] {
                let counted = counted_with_a_start_that_moved(first_start, moved);
                assert_eq!(counted, Some(20.0), "a start at {first_start} that moved by {moved} s");
            }
        }
        assert_eq!(counted_with_a_start_that_moved(99_000, -3600), Some(20.0));
    }

    #[test]
    fn a_clock_that_is_set_back_and_forth_restarts_nothing() {
        let at_start =
            |count, start| ReplicaFigures { started_at: Some(seconds(start)), ..scraped(count, 0.0) };
        let mut window = ReplicaWindow::begin(seconds(10_000), &at_start(900.0, 9_000));
        // It restarts once, so that its age is known; then its clock is set, again and again.
        window.add(seconds(10_001), &at_start(7.0, 10_001), &[WINDOW]);
        for (second, start) in (10_002..10_020).zip([13_601, 6_401, 10_001, 13_601].into_iter().cycle()) {
            window.add(seconds(second), &at_start(7.0 + (second - 10_001) as f64, start), &[WINDOW]);
        }
        let counted = window.growth_since(seconds(10_000)).map(|growth| growth.by.duration_count);
        assert_eq!(counted, Some(7.0 + 18.0));
    }

    #[test]
    fn a_counter_that_fell_restarts_all_of_them() {
        let shown = |count, refused| ReplicaFigures { refused, started_at: None, ..scraped(count, 0.0) };
        let mut window = ReplicaWindow::begin(seconds(0), &shown(100.0, 2.0));
        window.add(seconds(1), &shown(3.0, 5.0), &[WINDOW]);
        let by = window.growth_since(seconds(0)).unwrap().by;
        assert_eq!(
            (by.duration_count, by.refused),
            (3.0, 5.0),
            "not 3, the difference to the process before"
        );
    }

    #[test]
    fn only_the_window_counts() {
        let mut window = ReplicaWindow::begin(seconds(0), &scraped(0.0, 0.0));
        for second in 1..=100_u32 {
            let count = f64::from(second) * 10.0;
            window.add(seconds(second.into()), &scraped(count, count), &[WINDOW]);
        }
        let growth = window.growth_since(seconds(70)).unwrap();
        assert_eq!((growth.by.duration_count, growth.by.seconds), (300.0, 30.0));
        assert!(window.past.entries_max() <= 31, "{} entries are kept", window.past.entries_max());
        assert!(
            window.growth_since(seconds(100)).is_none(),
            "it has left a window that begins with its last scrape"
        );
    }

    #[test]
    fn a_long_window_keeps_few_entries() {
        let hour = Duration::from_hours(1);
        let mut window = ReplicaWindow::begin(seconds(0), &scraped(0.0, 0.0));
        for second in 1..=8000_u32 {
            window.add(seconds(second.into()), &scraped(f64::from(second), 0.0), &[hour]);
        }
        assert!(window.past.entries_max() <= 62, "{} entries are kept", window.past.entries_max());
        let growth = window.growth_since(seconds(8000 - 3600)).unwrap();
        assert!((3600.0..=3660.0).contains(&growth.by.duration_count), "{}", growth.by.duration_count);
    }

    #[test]
    fn a_counter_reset_loses_and_invents_nothing_that_could_be_seen() {
        let mut window = ReplicaWindow::begin(seconds(0), &scraped(100.0, 40.0));
        window.add(seconds(1), &scraped(110.0, 44.0), &[WINDOW]);
        // The process restarted: 3 jobs since then; and once more, with more jobs than before, which only its start
        // time betrays.
        window.add(
            seconds(2),
            &ReplicaFigures { started_at: Some(seconds(1)), ..scraped(3.0, 1.0) },
            &[WINDOW],
        );
        window.add(
            seconds(3),
            &ReplicaFigures { started_at: Some(seconds(2)), ..scraped(5.0, 2.0) },
            &[WINDOW],
        );
        let growth = window.growth_since(seconds(0)).unwrap();
        assert_eq!((growth.by.duration_count, growth.by.duration_sum), (18.0, 7.0));
        assert_eq!(growth.by.buckets, [18.0, 18.0]);
    }

    #[test]
    fn gauges_are_averaged_over_time() {
        let with_depth = |depth| ReplicaFigures { queue_depth: depth, workers: 4.0, ..scraped(0.0, 0.0) };
        let mut window = ReplicaWindow::begin(seconds(0), &with_depth(0.0));
        window.add(seconds(2), &with_depth(10.0), &[WINDOW]);
        window.add(seconds(3), &with_depth(10.0), &[WINDOW]);
        let by = window.growth_since(seconds(0)).unwrap().by;
        // Trapezoids: (0 + 10) / 2 × 2 s + 10 × 1 s.
        assert_eq!((by.queue_depth_seconds, by.seconds, by.worker_seconds), (20.0, 3.0, 12.0));
        assert_eq!(Some(by.queue_depth), Some(10.0), "how many more wait at the end than at its beginning");
    }

    #[test]
    fn replicas_with_other_buckets_are_joined_without_them() {
        let mut one = ReplicaWindow::begin(seconds(0), &scraped(0.0, 0.0));
        one.add(seconds(2), &scraped(4.0, 1.0), &[WINDOW]);
        let mut sum = one.growth_since(seconds(0)).unwrap();
        sum.join(&one.growth_since(seconds(0)).unwrap());
        assert_eq!((sum.by.duration_count, sum.by.buckets.clone()), (8.0, vec![8.0, 8.0]));
        let other = ReplicaFigures { bounds: vec![2.0, f64::INFINITY], ..scraped(0.0, 0.0) };
        let mut two = ReplicaWindow::begin(seconds(0), &other);
        two.add(seconds(3), &ReplicaFigures { bounds: other.bounds.clone(), ..scraped(1.0, 1.0) }, &[WINDOW]);
        sum.join(&two.growth_since(seconds(0)).unwrap());
        assert_eq!((sum.by.duration_count, sum.bounds, sum.to), (9.0, None, seconds(3)));
    }
}
