//! Turns averages into a count, every two seconds.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::policy::age::Age;
use crate::policy::knative::{Averages, SlidingMax};
use crate::policy::rounding::{to_replicas, truncate_to_i32};

/// Time between two decisions, and the length of a bucket of the scale-down delay.
pub const TICK: Duration = Duration::from_secs(2);

/// What a revision's autoscaler is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct KpaSpec {
    /// What one pod should carry; see [`resolve_target`](super::resolve_target).
    pub target: f64,
    /// What one pod can carry, for burst capacity.
    pub total: f64,
    /// The burst that must fit beside the present load; 0 never needs the activator, −1 always. Default: 211.
    pub target_burst_capacity: f64,
    /// The panic average wants so many times the ready pods: panic. Default: 2.
    pub panic_threshold: f64,
    /// A decision at most multiplies the ready pods by this. Default: 1000.
    pub max_scale_up_rate: f64,
    /// A decision at most divides the ready pods by this. Default: 2.
    pub max_scale_down_rate: f64,
    /// The stable window; panic lasts as long after its last cause. Default: 60 s.
    pub stable_window: Duration,
    /// Whether traffic can reach the revision. An unreachable one scales down without rate or delay.
    pub reachable: bool,
    /// The fewest pods once there are any; 0 and 1 do nothing. Default: 0.
    pub activation_scale: u32,
    /// How long a lower count is awaited. Default: 0 s.
    pub scale_down_delay: Duration,
}

impl Default for KpaSpec {
    /// The defaults of Knative, with its default target for concurrency.
    ///
    /// Source: `pkg/autoscaler/config/config.go`.
    fn default() -> Self {
        Self {
            target: 70.0,
            total: 100.0,
            target_burst_capacity: 211.0,
            panic_threshold: 2.0,
            max_scale_up_rate: 1000.0,
            max_scale_down_rate: 2.0,
            stable_window: Duration::from_secs(60),
            reachable: true,
            activation_scale: 0,
            scale_down_delay: Duration::ZERO,
        }
    }
}

/// What an autoscaler remembers from decision to decision.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KpaState {
    /// When panic last had a cause, counted from the origin of the run; none outside panic.
    pub panic_since: Option<Duration>,
    /// The highest count of this panic.
    pub panic_maximum: u32,
    /// The counts of the scale-down delay; none before there was one.
    pub delayed: Option<SlidingMax>,
}

impl KpaState {
    /// A new autoscaler. One that finds more than one ready pod starts in panic, so that a restart does not scale
    /// down before there is data. `ready_pods` is none if they cannot be counted.
    ///
    /// Source: `pkg/autoscaler/scaling/autoscaler.go`, `newAutoscaler`.
    pub fn start(now: Duration, ready_pods: Option<u32>) -> Self {
        let panic_maximum = ready_pods.unwrap_or(0);
        Self { panic_since: (panic_maximum > 1).then_some(now), panic_maximum, delayed: None }
    }

    /// The maximum of the counts within the delay, the new one included.
    fn delay(&mut self, now: Duration, delay: Duration, desired: u32) -> u32 {
        let window = self.delayed.get_or_insert_with(|| SlidingMax::new(delay, TICK));
        window.resize(delay);
        to_replicas(window.record(now, i64::from(desired)))
    }
}

/// A valid decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The count, before bounds and the stages on the way to zero.
    pub desired: u32,
    /// What could be carried beyond the present load and the target burst; below 0 the activator is needed.
    pub excess_burst_capacity: i32,
}

/// Decides once. Without averages or a count of ready pods there is no decision, and the state stays as it is.
///
/// A revision whose pods were not found has 0 ready pods.
///
/// Source: `pkg/autoscaler/scaling/autoscaler.go`, `Scale`.
pub fn decide(
    spec: &KpaSpec,
    state: &mut KpaState,
    now: Duration,
    ready_pods: Option<u32>,
    averages: Option<Averages>,
) -> Option<Decision> {
    let (ready_pods, averages) = (ready_pods?, averages?);
    let at_least_one = f64::from(ready_pods.max(1));
    let up_limit = libm::ceil(spec.max_scale_up_rate * at_least_one);
    let down_limit = if spec.reachable { libm::floor(at_least_one / spec.max_scale_down_rate) } else { 0.0 };

    let wanted_stable = libm::ceil(averages.stable / spec.target);
    let wanted_panic = libm::ceil(averages.panic / spec.target);
    let count_for = |wanted: f64| {
        let limited = to_replicas(i64::from(truncate_to_i32(wanted.max(down_limit).min(up_limit))));
        // The activation scale may exceed the rate of scaling up.
        if spec.activation_scale > 1 && wanted > 0.0 { limited.max(spec.activation_scale) } else { limited }
    };
    let (stable, panic) = (count_for(wanted_stable), count_for(wanted_panic));

    // Compared before any limit, and already rounded up.
    if wanted_panic / at_least_one >= spec.panic_threshold {
        state.panic_since = Some(now);
    } else if state.panic_since.is_some_and(|since| Age::between(now, since).is_above(spec.stable_window)) {
        state.panic_since = None;
        state.panic_maximum = 0;
    }
    let mut desired = stable;
    if state.panic_since.is_some() {
        desired = stable.max(panic).max(state.panic_maximum);
        state.panic_maximum = desired;
    }
    if !spec.scale_down_delay.is_zero() && spec.reachable {
        desired = state.delay(now, spec.scale_down_delay, desired);
    }
    Some(Decision { desired, excess_burst_capacity: excess_burst_capacity(spec, ready_pods, averages.panic) })
}

fn excess_burst_capacity(spec: &KpaSpec, ready_pods: u32, panic_average: f64) -> i32 {
    if spec.target_burst_capacity > 0.0 {
        let total = f64::from(ready_pods) * spec.total;
        truncate_to_i32(libm::floor(total - spec.target_burst_capacity - panic_average))
    } else if spec.target_burst_capacity < 0.0 {
        -1
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn desired(spec: &KpaSpec, state: &mut KpaState, now: u64, ready: u32, stable: f64, panic: f64) -> u32 {
        decide(spec, state, at(now), Some(ready), Some(Averages { stable, panic })).unwrap().desired
    }

    #[test]
    fn panic_never_decreases_and_ends_strictly_after_the_window() {
        let spec = KpaSpec::default();
        let mut state = KpaState::default();
        assert_eq!(desired(&spec, &mut state, 0, 1, 70.0, 700.0), 10);
        assert_eq!(desired(&spec, &mut state, 2, 10, 70.0, 70.0), 10);
        assert_eq!(desired(&spec, &mut state, 60, 10, 70.0, 70.0), 10);
        assert_eq!(desired(&spec, &mut state, 61, 10, 70.0, 70.0), 5, "half of ten");
        assert_eq!(state, KpaState::default());
    }

    #[test]
    fn without_data_or_pods_the_state_is_untouched() {
        let mut state = KpaState::start(at(0), Some(7));
        let before = state.clone();
        let averages = Some(Averages { stable: 1e6, panic: 1e6 });
        assert_eq!(decide(&KpaSpec::default(), &mut state, at(500), None, averages), None);
        assert_eq!(decide(&KpaSpec::default(), &mut state, at(500), Some(7), None), None);
        assert_eq!(state, before);
    }

    #[test]
    fn panic_raised_counts_enter_the_delay() {
        let spec = KpaSpec { scale_down_delay: at(100), max_scale_down_rate: 1e3, ..KpaSpec::default() };
        let mut state = KpaState::default();
        assert_eq!(desired(&spec, &mut state, 0, 1, 0.0, 700.0), 10);
        assert_eq!(desired(&spec, &mut state, 98, 10, 70.0, 70.0), 10, "panic is over, the delay is not");
        assert_eq!(desired(&spec, &mut state, 160, 10, 70.0, 70.0), 1);
    }

    #[test]
    fn an_unreachable_revision_has_neither_rate_nor_delay() {
        let spec = KpaSpec { scale_down_delay: at(100), reachable: false, ..KpaSpec::default() };
        assert_eq!(desired(&spec, &mut KpaState::default(), 0, 9, 0.0, 0.0), 0);
    }

    #[test]
    fn a_delay_of_one_bucket_differs_from_none() {
        let spec = KpaSpec { max_scale_down_rate: 1e3, ..KpaSpec::default() };
        let mut state = KpaState::default();
        assert_eq!(desired(&spec, &mut state, 0, 4, 280.0, 0.0), 4);
        assert_eq!(desired(&spec, &mut state, 1, 4, 70.0, 0.0), 1);
        let delayed = KpaSpec { scale_down_delay: at(1), ..spec };
        let mut state = KpaState::default();
        assert_eq!(desired(&delayed, &mut state, 0, 4, 280.0, 0.0), 4);
        assert_eq!(desired(&delayed, &mut state, 1, 4, 70.0, 0.0), 4);
    }

    #[test]
    fn burst_capacity_counts_real_pods_and_none_or_all_of_the_activator() {
        let excess = |target_burst_capacity, ready| {
            let spec = KpaSpec { target_burst_capacity, ..KpaSpec::default() };
            let averages = Some(Averages { stable: 0.0, panic: 10.5 });
            decide(&spec, &mut KpaState::default(), at(0), Some(ready), averages)
                .unwrap()
                .excess_burst_capacity
        };
        assert_eq!(excess(0.0, 5), 0);
        assert_eq!(excess(-1.0, 5), -1);
        assert_eq!(excess(200.0, 0), -211);
        assert_eq!(excess(200.0, 5), 289);
    }

    #[test]
    fn a_start_with_more_than_one_pod_is_a_panic() {
        assert_eq!(KpaState::start(at(5), Some(2)).panic_since, Some(at(5)));
        assert_eq!(KpaState::start(at(5), Some(1)).panic_since, None);
        assert_eq!(KpaState::start(at(5), None), KpaState::default());
    }

    #[test]
    fn an_average_that_is_not_a_number_holds_instead_of_scaling_to_zero() {
        let spec = KpaSpec::default();
        assert_eq!(
            desired(&spec, &mut KpaState::default(), 0, 10, f64::NAN, f64::NAN),
            5,
            "the rate's limit"
        );
        assert_eq!(desired(&spec, &mut KpaState::default(), 0, 10, f64::INFINITY, 0.0), 10_000);
    }

    #[test]
    fn the_state_survives_being_saved() {
        let spec = KpaSpec { scale_down_delay: at(30), ..KpaSpec::default() };
        let mut state = KpaState::start(at(0), Some(3));
        desired(&spec, &mut state, 2, 3, 500.0, 900.0);
        let saved = serde_json::to_string(&state).unwrap();
        assert_eq!(serde_json::from_str::<KpaState>(&saved).unwrap(), state);
    }
}
