//! The times of the story: rest, a spike that holds, the way back, and how long to wait for the replicas to go.

use std::time::Duration;

use scaler::policy_file::PolicyOverrides;
use scaler_engine::ThresholdPolicy;
use webapp::{SPIKE_FACTOR, SPIKE_HOLD, SPIKE_RAMP};

/// How much faster `--fast` is: the policy's and the spike's times shrink, the physics of a replica does not.
const FAST: f64 = 0.2;

/// Rest before the spike at least, so that it begins from a service that is well.
const REST: Duration = Duration::from_secs(10);

/// Time between two looks of the scaler, as its own default.
const SCRAPE_INTERVAL: Duration = Duration::from_secs(1);

// The spike begins a tenth of an interval after a check. With the default policy the mean of 30 s exceeds 0.6 s about 10 s
// after a spike begins: a check exactly then could go either way, and the story with it.

/// The time over which the story's own p95 is taken: short enough to show when it came back, long enough to hold
/// some hundred requests, even at a fifth.
const P95_WINDOW: Duration = Duration::from_secs(5);

/// The times of one story.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Story {
    /// Rest before the spike at least, until the scaler's next check.
    pub(crate) rest: Duration,
    /// Time between two looks of the scaler.
    pub(crate) scrape_interval: Duration,
    /// From that check to the spike.
    pub(crate) after_check: Duration,
    /// Load factor of the spike.
    pub(crate) factor: f64,
    /// How long it holds.
    pub(crate) hold: Duration,
    /// How long it takes to go back.
    pub(crate) ramp: Duration,
    /// How long after the end of the spike the replicas may take to go back to the minimum.
    pub(crate) patience: Duration,
    /// The time over which the story's p95 is taken.
    pub(crate) p95_window: Duration,
    /// The fewest replicas that the policy allows, to which they should return.
    pub(crate) minimum: u32,
    /// What is put in the policy's place.
    pub(crate) overrides: PolicyOverrides,
}

impl Story {
    /// The story for a policy, at its own times or, when `fast`, at a fifth of them.
    pub(crate) fn new(policy: &ThresholdPolicy, overrides: PolicyOverrides, fast: bool) -> Self {
        let scale = if fast { FAST } else { 1.0 };
        let settings = policy.settings();
        let times = |span: Duration| span.mul_f64(scale);
        let overrides = if fast {
            PolicyOverrides {
                window: Some(times(settings.window)),
                check_interval: Some(times(settings.check_interval)),
                scale_up_cooldown: Some(times(settings.scale_up_cooldown)),
                scale_down_cooldown: Some(times(settings.scale_down_cooldown)),
                ..overrides
            }
        } else {
            overrides
        };
        // The signal falls below the threshold within a window; then each replica to remove costs its checks or
        // the cooldown, whichever is longer.
        let step = settings.scale_down_cooldown.max(settings.check_interval * settings.scale_down_checks)
            + settings.check_interval;
        let steps = settings.max_replicas.saturating_sub(settings.min_replicas);
        let patience = settings.window + step * steps.min(6) + settings.check_interval;
        Self {
            rest: times(REST),
            scrape_interval: times(SCRAPE_INTERVAL),
            after_check: times(settings.check_interval) / 10,
            factor: SPIKE_FACTOR,
            hold: times(SPIKE_HOLD),
            ramp: times(SPIKE_RAMP),
            patience: times(patience),
            p95_window: times(P95_WINDOW),
            minimum: settings.min_replicas,
            overrides,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use scaler::policy_file::PolicyOverrides;
    use scaler_engine::ThresholdPolicy;

    use super::Story;

    #[test]
    fn fast_shrinks_all_times_alike() {
        let policy = ThresholdPolicy::default();
        let slow = Story::new(&policy, PolicyOverrides::default(), false);
        let fast = Story::new(&policy, PolicyOverrides::default(), true);
        assert_eq!(slow.overrides, PolicyOverrides::default(), "the policy's own times are not touched");
        assert_eq!(fast.hold, slow.hold / 5);
        assert_eq!(fast.patience, slow.patience / 5);
        assert_eq!(fast.overrides.check_interval, Some(Duration::from_secs(2)));
        assert_eq!(fast.overrides.scale_down_cooldown, Some(Duration::from_secs(12)));
        assert_eq!(fast.overrides.scale_up_threshold, None, "thresholds are no times");
    }
}
