//! Remembers a growing total at the moments that some windows begin at, by a bounded number of entries for each.

use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

/// Entries kept per window, however long the window is: a window of an hour is then cut to within a minute.
const ENTRIES_PER_WINDOW: u32 = 60;

/// The past of a total, for each of some windows.
#[derive(Clone, Debug)]
pub(crate) struct Moments<T> {
    /// Rising in their windows; at least one.
    tracks: Vec<Track<T>>,
}

#[derive(Clone, Debug)]
struct Track<T> {
    window: Duration,
    /// Rising in time; the first lies at or before the window's beginning as soon as there is one.
    entries: VecDeque<(Duration, T)>,
}

impl<T: Clone> Moments<T> {
    /// Begins with a first moment, for windows that [`Moments::follow`] names.
    pub(crate) fn begin(at: Duration, first: T) -> Self {
        let track = Track { window: Duration::ZERO, entries: VecDeque::from([(at, first)]) };
        Self { tracks: vec![track] }
    }

    /// Is asked about these windows from now on; a new one begins with what is known of a longer one. Without any,
    /// nothing changes.
    pub(crate) fn follow(&mut self, windows: &[Duration]) {
        let mut wanted = windows.to_vec();
        wanted.sort_unstable();
        wanted.dedup();
        if wanted.is_empty() || self.tracks.iter().map(|track| track.window).eq(wanted.iter().copied()) {
            return;
        }
        let tracks = wanted.into_iter().map(|window| {
            let known = self.tracks.iter().find(|track| track.window >= window).or(self.tracks.last());
            Track { window, entries: known.map(|track| track.entries.clone()).unwrap_or_default() }
        });
        self.tracks = tracks.collect();
    }

    /// Adds the moment `newest`, unless its neighbour is near, and forgets what lies before each window that ends at `now`.
    pub(crate) fn add(&mut self, newest: (Duration, &T), now: Duration) {
        let (at, total) = newest;
        for Track { window, entries } in &mut self.tracks {
            let spacing = *window / ENTRIES_PER_WINDOW;
            if entries.back().is_none_or(|(last, _)| at.saturating_sub(*last) >= spacing) {
                entries.push_back((at, total.clone()));
            }
            let start = now.saturating_sub(*window);
            while entries.get(1).is_some_and(|(second, _)| *second <= start) {
                entries.pop_front();
            }
        }
    }

    /// The last moment at or before `start`, or the first one after it, for a window from `start` to `newest_at`.
    pub(crate) fn at_or_before(&self, start: Duration, newest_at: Duration) -> Option<&(Duration, T)> {
        let reach = newest_at.saturating_sub(start);
        let track = self.tracks.iter().find(|track| track.window >= reach).or(self.tracks.last())?;
        let after = track.entries.partition_point(|(at, _)| *at <= start);
        track.entries.get(after.saturating_sub(1))
    }

    /// The most entries of any window.
    #[cfg(test)]
    pub(crate) fn entries_max(&self) -> usize {
        self.tracks.iter().map(|track| track.entries.len()).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(value: u64) -> Duration {
        Duration::from_secs(value)
    }

    #[test]
    fn a_short_window_beside_a_long_one_is_cut_exactly() {
        let mut moments = Moments::begin(seconds(0), 0);
        moments.follow(&[seconds(3600), seconds(15), seconds(15)]);
        for second in 1..=4000 {
            moments.add((seconds(second - 1), &(second - 1)), seconds(second));
        }
        assert_eq!(moments.at_or_before(seconds(3985), seconds(4000)), Some(&(seconds(3985), 3985)));
        let of_an_hour = moments.at_or_before(seconds(400), seconds(4000)).unwrap().1;
        assert!((340..=400).contains(&of_an_hour), "{of_an_hour}");
        assert!(moments.entries_max() <= 62, "{}", moments.entries_max());
    }

    #[test]
    fn a_new_window_begins_with_what_is_known() {
        let mut moments = Moments::begin(seconds(0), 0);
        moments.follow(&[seconds(30)]);
        for second in 1..=60 {
            moments.add((seconds(second - 1), &(second - 1)), seconds(second));
        }
        moments.follow(&[seconds(10), seconds(60)]);
        assert_eq!(moments.at_or_before(seconds(50), seconds(60)), Some(&(seconds(50), 50)));
        assert_eq!(
            moments.at_or_before(seconds(0), seconds(60)),
            Some(&(seconds(30), 30)),
            "the oldest known"
        );
        moments.follow(&[]);
        assert_eq!(moments.at_or_before(seconds(50), seconds(60)), Some(&(seconds(50), 50)));
    }
}
