//! Holds a count back until the recommendations of a window agree.

use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::policy::age::Age;

/// What the metrics asked for at one pass, before windows and limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recommendation {
    /// The count.
    pub replicas: u32,
    /// When, counted from the origin of the run.
    pub at: Duration,
}

/// The highest recommendation of the window, which includes its end. Afterwards the new one is recorded in the
/// place of the last expired one.
///
/// The outcome may lie above the present count: an old high recommendation that a limit cut still scales up.
///
/// Source: `horizontal.go`, `stabilizeRecommendation`.
pub fn stabilize_without_behavior(
    now: Duration,
    desired: u32,
    window: Duration,
    history: &mut Vec<Recommendation>,
) -> u32 {
    let has_expired = |recommendation: &Recommendation| Age::between(now, recommendation.at).is_above(window);
    let highest = history
        .iter()
        .filter(|recommendation| !has_expired(recommendation))
        .fold(desired, |highest, recommendation| highest.max(recommendation.replicas));
    record(history, Recommendation { replicas: desired, at: now }, has_expired);
    highest
}

/// The present count, raised to the lowest recommendation of the scale-up window and then cut to the highest of
/// the scale-down window; neither window includes its end. Afterwards the new recommendation is recorded in the
/// place of the last one older than both windows.
///
/// Source: `horizontal.go`, `stabilizeRecommendationWithBehaviors`.
pub fn stabilize_with_behavior(
    now: Duration,
    current: u32,
    desired: u32,
    up_window: Duration,
    down_window: Duration,
    history: &mut Vec<Recommendation>,
) -> u32 {
    let (mut low, mut high) = (desired, desired);
    for recommendation in history.iter() {
        let age = Age::between(now, recommendation.at);
        if age.is_below(up_window) {
            low = low.min(recommendation.replicas);
        }
        if age.is_below(down_window) {
            high = high.max(recommendation.replicas);
        }
    }
    record(history, Recommendation { replicas: desired, at: now }, |old| {
        let age = Age::between(now, old.at);
        age.is_above(up_window) && age.is_above(down_window)
    });
    current.max(low).min(high)
}

fn record(
    history: &mut Vec<Recommendation>,
    new: Recommendation,
    has_expired: impl Fn(&Recommendation) -> bool,
) {
    match history.iter_mut().rev().find(|old| has_expired(old)) {
        Some(place) => *place = new,
        None => history.push(new),
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    const NOW: Duration = Duration::from_secs(1_000);

    fn aged(replicas: u32, age_seconds: u64) -> Recommendation {
        Recommendation { replicas, at: NOW.saturating_sub(Duration::from_secs(age_seconds)) }
    }

    #[test]
    fn without_behavior_the_window_includes_its_end() {
        let window = Duration::from_secs(300);
        let mut history = vec![aged(9, 300), aged(20, 301)];
        assert_eq!(stabilize_without_behavior(NOW, 1, window, &mut history), 9);
        assert_eq!(history, [aged(9, 300), aged(1, 0)]);
    }

    #[test]
    fn with_behavior_the_window_excludes_its_end() {
        let window = Duration::from_secs(300);
        let mut history = vec![aged(9, 300)];
        let stabilized = stabilize_with_behavior(NOW, 10, 1, Duration::ZERO, window, &mut history);
        assert_eq!(stabilized, 1);
        assert_eq!(history, [aged(9, 300), aged(1, 0)], "and the end is not old enough to be replaced");
    }

    #[test]
    fn with_behavior_old_recommendations_hold_but_never_raise() {
        let window = Duration::from_secs(300);
        let stabilized = stabilize_with_behavior(NOW, 5, 2, Duration::ZERO, window, &mut vec![aged(9, 10)]);
        assert_eq!(stabilized, 5);
        let stabilized = stabilize_with_behavior(NOW, 5, 8, window, Duration::ZERO, &mut vec![aged(2, 10)]);
        assert_eq!(stabilized, 5);
    }

    #[test]
    fn a_recommendation_from_the_future_counts_as_the_youngest() {
        let ahead = Recommendation { replicas: 9, at: NOW + Duration::from_secs(5) };
        let window = Duration::from_secs(300);
        assert_eq!(stabilize_without_behavior(NOW, 1, window, &mut vec![ahead]), 9);
        assert_eq!(stabilize_with_behavior(NOW, 9, 1, Duration::ZERO, window, &mut vec![ahead]), 9);
    }
}
