//! Says how far apart a replica's samples are, and what part of the window `increase()` speaks for.

use super::queries::NEAR;

/// The samples of one replica; times are Prometheus', in seconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Samples {
    /// When the window ends: the moment of evaluation.
    pub(super) now: f64,
    /// The window's length; seconds.
    pub(super) window: f64,
    /// The window's first sample, or the last one before it, if there is one.
    pub(super) first: f64,
    /// The newest sample.
    pub(super) last: f64,
    /// Samples in the window.
    pub(super) count: f64,
}

impl Samples {
    /// When the window begins.
    pub(super) fn start(&self) -> f64 {
        self.now - self.window
    }

    /// Time between two samples; none if there are not two.
    pub(super) fn spacing(&self) -> Option<f64> {
        let steps = if self.first < self.start() { self.count } else { self.count - 1.0 };
        (steps > 0.0 && self.last > self.first).then(|| (self.last - self.first) / steps)
    }

    /// Until when `increase()` speaks for it.
    pub(super) fn end(&self) -> f64 {
        match self.spacing() {
            Some(spacing) if self.now - self.last < NEAR * spacing => self.now,
            Some(spacing) => self.last + spacing / 2.0,
            None => self.last,
        }
    }

    /// From when to when `increase()` speaks for: beyond the first and the last sample it extrapolates, to the window's
    /// edge if that is nearer than [`NEAR`] times the samples' mean distance, else by half of it. None with fewer than two samples in the window, because then it yields nothing.
    pub(super) fn covered(&self) -> Option<(f64, f64)> {
        if self.count < 2.0 {
            return None;
        }
        let spacing = self.spacing()?;
        let first =
            if self.first < self.start() { self.last - (self.count - 1.0) * spacing } else { self.first };
        let is_near = first - self.start() < NEAR * spacing;
        let from = if is_near { self.start() } else { first - spacing / 2.0 };
        Some((from, self.end()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(first: f64, last: f64, count: f64) -> Samples {
        Samples { now: 1030.0, window: 30.0, first, last, count }
    }

    #[test]
    fn a_replica_that_was_always_there_fills_the_window() {
        // At 998, 1003, … 1028: six in the window and one before it.
        let always = samples(998.0, 1028.0, 6.0);
        assert_eq!(always.spacing(), Some(5.0));
        assert_eq!(always.covered(), Some((1000.0, 1030.0)));
    }

    #[test]
    fn a_replica_that_came_late_or_left_early_does_not() {
        let came = samples(1018.0, 1028.0, 3.0);
        assert_eq!((came.spacing(), came.covered()), (Some(5.0), Some((1015.5, 1030.0))));
        let left = samples(998.0, 1008.0, 2.0);
        assert_eq!((left.spacing(), left.covered()), (Some(5.0), Some((1000.0, 1010.5))));
    }

    #[test]
    fn a_single_sample_tells_a_distance_only_from_the_one_before() {
        let seldom = samples(970.0, 1030.0, 1.0);
        assert_eq!((seldom.spacing(), seldom.covered()), (Some(60.0), None));
        assert_eq!(samples(1029.0, 1029.0, 1.0).spacing(), None, "the first sample of all");
        assert_eq!(samples(990.0, 990.0, 0.0).spacing(), None, "none in the window");
    }
}
