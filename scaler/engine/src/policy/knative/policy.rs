//! Drives a revision's autoscaler from the loop. The gateway plays the activator: it is always in the path, and requests
//! that find no replica wait in it, where they count as in flight.

use alloc::format;
use alloc::string::ToString as _;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use crate::decision::{Action, Decision, Limit};
use crate::limits::Limits;
use crate::need::Need;
use crate::observation::Observation;
use crate::policy::knative::history::{Decided, KnativeHistory, Since};
use crate::policy::knative::reason::{KnativeLoad, KnativeReason};
use crate::policy::knative::{
    ActiveState, KnativeSpec, KpaState, Probe, Reachability, Readings, ScaleOutcome, ScaleSeen,
    ScaleSettings, ScalingMetric, TICK, Windows, active_condition, decide, rules, scale,
    serves_without_activator,
};
use crate::policy::rounding::{ceil_to_i64, to_replicas};
use crate::policy::{
    ConditionShown, ConditionStatus, Miscount, Policy, PolicyError, PolicyEvent, Proposal, Scaled, Setting,
    SettingValue, Situation,
};
use crate::reason::Cause;
use crate::signal::Signal;

/// Time between two checks: as often as Knative asks its pods.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// The span of a rate that is recorded as that of one second; shorter ones would rest on a single scrape.
const RATE_WINDOW: Duration = Duration::from_secs(2);

/// The span that charts show of other signals.
const CHART_WINDOW: Duration = Duration::from_secs(30);

/// An older reading is not recorded.
const READING_AGE_MAX: Duration = Duration::from_secs(3);

/// A Knative revision that drives the loop, with what it remembers.
#[derive(Clone, Debug, PartialEq)]
pub struct KnativePolicy {
    spec: KnativeSpec,
    limits: Limits,
    history: KnativeHistory,
}

impl KnativePolicy {
    /// The kind as documents name it.
    pub const KIND: &'static str = "KnativePolicy";

    /// Checks a revision's settings; it remembers nothing yet.
    ///
    /// # Errors
    /// Names the first setting that the loop cannot follow, with its value, what was expected, and a hint.
    pub fn new(mut spec: KnativeSpec) -> Result<Self, PolicyError> {
        let limits = rules::check(&spec)?;
        spec.scale.stable_window = spec.kpa.stable_window;
        spec.scale.target_burst_capacity = spec.kpa.target_burst_capacity;
        Ok(Self { spec, limits, history: KnativeHistory::default() })
    }

    /// What it is told to do.
    pub const fn spec(&self) -> &KnativeSpec {
        &self.spec
    }

    fn need(&self) -> Need {
        match self.spec.metric {
            // A gauge is as of the moment, whatever the window.
            ScalingMetric::Concurrency => Need::of_service(Signal::InFlight, CHART_WINDOW),
            ScalingMetric::Rps => Need::of_service(Signal::RequestsPerSecond, RATE_WINDOW),
        }
    }

    fn scale_settings(&self, limits: Limits) -> ScaleSettings {
        if limits == self.limits {
            return self.spec.scale;
        }
        ScaleSettings { min_scale: limits.min(), max_scale: limits.max(), ..self.spec.scale }
    }

    fn begin(&mut self, situation: &Situation<'_>) {
        let seen = situation.seen;
        let ready = seen.rotation_unknown_for.is_none().then_some(seen.ready);
        self.history.kpa.get_or_insert_with(|| KpaState::start(seen.at, ready));
        let state = match (situation.desired, seen.ready) {
            (0, _) => ActiveState::Inactive,
            (_, 0) => ActiveState::Activating,
            _ => ActiveState::Active,
        };
        self.history.active.get_or_insert(Since { state, at: seen.at });
        self.history.is_initialized |= seen.ready >= self.spec.scale.initial_scale;
    }

    /// Records what the service reports at this second.
    fn record(&mut self, seen: &Observation) {
        let reading = seen.service_reading(&self.need());
        let value =
            reading.filter(|reading| reading.age <= READING_AGE_MAX).and_then(|reading| reading.value);
        let Some(value) = value.filter(|value| value.is_finite()) else { return };
        let spec = &self.spec;
        if self.history.windows.is_none() {
            self.history.windows =
                Windows::new(spec.algorithm, spec.kpa.stable_window, spec.panic_window).ok();
        }
        if let Some(windows) = &mut self.history.windows {
            windows.record(seen.at, value.max(0.0));
        }
    }

    /// Decides each two seconds. Without data the last valid decision stands.
    fn tick(&mut self, seen: &Observation) -> bool {
        let next = self.history.next_tick_at;
        if next.is_some_and(|next| seen.at < next && next <= seen.at.saturating_add(TICK)) {
            return true;
        }
        self.history.next_tick_at = Some(seen.at.saturating_add(TICK));
        // With the activator always in the path there is nothing to scrape, and no data is an ordinary 0.
        let has_scrape_target = self.spec.kpa.target_burst_capacity >= 0.0;
        let windows = self.history.windows.as_ref();
        let averages = windows.and_then(|windows| windows.averages(seen.at, has_scrape_target).ok());
        let ready = seen.rotation_unknown_for.is_none().then_some(seen.ready);
        let state = self.history.kpa.get_or_insert_default();
        let decision = decide(&self.spec.kpa, state, seen.at, ready, averages);
        if let (Some(decision), Some(averages)) = (decision, averages) {
            self.history.decided = Some(Decided {
                desired: decision.desired,
                excess_burst_capacity: decision.excess_burst_capacity,
                stable: averages.stable,
                panic: averages.panic,
                ready: seen.ready,
            });
        }
        decision.is_some()
    }

    /// Applies bounds and the stages on the way to zero.
    fn apply(&mut self, situation: &Situation<'_>) -> (ScaleOutcome, Duration) {
        let (seen, settings) = (situation.seen, self.scale_settings(situation.limits));
        let decided = self.history.decided;
        let since = self.history.active.unwrap_or(Since { state: ActiveState::Activating, at: seen.at });
        let state_for = seen.at.saturating_sub(since.at);
        let in_path_since = self.history.in_path_since;
        let outcome = scale(
            &settings,
            &ScaleSeen {
                current_replicas: situation.desired,
                desired: decided.map(|decided| decided.desired),
                initialized: self.history.is_initialized,
                reachability: Reachability::Reachable,
                state: since.state,
                state_for,
                probe: Probe::Ok,
                proxy_mode: in_path_since.is_some(),
                in_path_for: in_path_since.map_or(Duration::ZERO, |since| seen.at.saturating_sub(since)),
            },
        );
        let readings = Readings {
            want: outcome.reported,
            ready_pods: seen.ready,
            min_scale: settings.min_scale,
            initial_scale: settings.initial_scale,
            initialized: self.history.is_initialized,
        };
        let next = active_condition(since.state, &readings);
        let at = if next == since.state { since.at } else { seen.at };
        self.history.active = Some(Since { state: next, at });
        let burst = decided.map_or(0, |decided| decided.excess_burst_capacity);
        self.history.in_path_since = if serves_without_activator(outcome.reported, burst) {
            None
        } else {
            Some(in_path_since.unwrap_or(seen.at))
        };
        (outcome, state_for)
    }

    fn reason(&self, outcome: &ScaleOutcome, to: u32, current: u32, state_for: Duration) -> KnativeReason {
        let Some(decided) = self.history.decided else { return KnativeReason::KnativeNoData };
        if to == 0 && current > 0 {
            return KnativeReason::KnativeToZero { idle_for: state_for };
        }
        if decided.desired == 0 && decided.stable <= 0.0 {
            let kept_for = outcome.look_again_after.filter(|_| current > 0);
            return KnativeReason::KnativeIdle { kept_for };
        }
        let panics = self.history.kpa.as_ref().is_some_and(|kpa| kpa.panic_since.is_some());
        let average = if panics { decided.panic } else { decided.stable };
        let target = self.spec.kpa.target;
        let load = KnativeLoad {
            metric: self.spec.metric,
            average,
            target,
            ready: decided.ready,
            wanted: to_replicas(ceil_to_i64(average / target)),
        };
        if panics { KnativeReason::KnativePanic(load) } else { KnativeReason::KnativeStable(load) }
    }

    /// What kept the count from the one that the average asks for.
    fn limited_by(&self, reason: &KnativeReason, to: u32, limits: Limits) -> Option<Limit> {
        let (KnativeReason::KnativeStable(KnativeLoad { wanted, .. })
        | KnativeReason::KnativePanic(KnativeLoad { wanted, .. })) = *reason
        else {
            return None;
        };
        if to == wanted {
            None
        } else if wanted > to && to == limits.max() {
            Some(Limit::Maximum)
        } else if wanted < to && to == limits.min().max(1) {
            Some(Limit::Minimum)
        } else if wanted < to && !self.spec.kpa.scale_down_delay.is_zero() {
            Some(Limit::Stabilization)
        } else {
            Some(Limit::Rate)
        }
    }
}

impl Policy for KnativePolicy {
    type History = KnativeHistory;

    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn check_interval(&self) -> Duration {
        CHECK_INTERVAL
    }

    fn needs(&self) -> Vec<Need> {
        vec![self.need()]
    }

    fn window(&self) -> Duration {
        CHART_WINDOW
    }

    fn propose(&mut self, situation: &Situation<'_>) -> Proposal {
        let current = situation.desired;
        self.begin(situation);
        self.record(situation.seen);
        let is_valid = self.tick(situation.seen);
        let (outcome, state_for) = self.apply(situation);
        let wanted = outcome.patch.unwrap_or(current);
        // Knative goes on with its last valid count; here nothing is removed on data of the past.
        let to = if is_valid { wanted } else { wanted.max(current) };
        let reason = if is_valid {
            self.reason(&outcome, to, current, state_for)
        } else {
            KnativeReason::KnativeNoData
        };
        let limited_by = self.limited_by(&reason, to, situation.limits);
        Proposal { to, reason: reason.into(), limited_by }
    }

    fn miscount(&self) -> Miscount {
        Miscount::Follow
    }

    fn can_leave_zero(&self) -> bool {
        self.spec.scale.enable_scale_to_zero
    }

    fn on_scaled(&mut self, action: &Scaled) {
        if action.cause == Cause::Policy {
            let message = format!("scaled from {} to {}", action.from, action.to);
            self.history.events.tell(action.at, "ScaledRevision", message);
        }
    }

    /// Without data no replica is removed.
    fn broken_rule(
        &self,
        decision: &Decision,
        _seen: &Observation,
        _last_action_at: Option<Duration>,
    ) -> Option<&'static str> {
        let is_blind = decision.reason.code() == "knative_no_data" && decision.action == Action::Down;
        is_blind.then_some("a revision without data loses no replica")
    }

    fn history(&self) -> KnativeHistory {
        self.history.clone()
    }

    /// Windows of another length keep their newest buckets.
    fn restore(&mut self, mut history: KnativeHistory) -> Result<(), KnativeHistory> {
        if let Some(windows) = &mut history.windows
            && windows.resize(self.spec.kpa.stable_window, self.spec.panic_window).is_err()
        {
            history.windows = None;
        }
        self.history = history;
        Ok(())
    }

    /// What was recorded stays while it is the same that is recorded.
    fn take_over(&mut self, before: &Self) -> bool {
        let stays = self.spec.metric == before.spec.metric && self.spec.algorithm == before.spec.algorithm;
        stays && self.restore(before.history.clone()).is_ok()
    }

    fn settings_shown(&self) -> Vec<Setting> {
        let KnativeSpec { metric, kpa, scale, panic_window, .. } = &self.spec;
        let metric = match metric {
            ScalingMetric::Concurrency => "concurrency",
            ScalingMetric::Rps => "rps",
        };
        vec![
            Setting::new("metric", SettingValue::Text(metric.into())),
            Setting::new("target", SettingValue::Number(kpa.target)),
            Setting::new("window", SettingValue::Span(kpa.stable_window)),
            Setting::new("panicWindow", SettingValue::Span(*panic_window)),
            Setting::new("panicThreshold", SettingValue::Number(kpa.panic_threshold)),
            Setting::new("maxScaleUpRate", SettingValue::Number(kpa.max_scale_up_rate)),
            Setting::new("maxScaleDownRate", SettingValue::Number(kpa.max_scale_down_rate)),
            Setting::new("targetBurstCapacity", SettingValue::Number(kpa.target_burst_capacity)),
            Setting::new("activationScale", SettingValue::Count(kpa.activation_scale)),
            Setting::new("scaleDownDelay", SettingValue::Span(kpa.scale_down_delay)),
            Setting::new("initialScale", SettingValue::Count(scale.initial_scale)),
            Setting::new("scaleToZeroGracePeriod", SettingValue::Span(scale.grace_period)),
            Setting::new("scaleToZeroPodRetentionPeriod", SettingValue::Span(scale.pod_retention)),
        ]
    }

    fn conditions(&self) -> Vec<ConditionShown> {
        let Some(Since { state, .. }) = self.history.active else { return Vec::new() };
        let (status, reason, message) = match state {
            ActiveState::Active => (ConditionStatus::True, "Active", "the revision serves"),
            ActiveState::Activating => {
                (ConditionStatus::Unknown, "Queued", "requests wait while the first replicas start")
            }
            ActiveState::Inactive => {
                (ConditionStatus::False, "NoTraffic", "the revision receives no traffic")
            }
        };
        let panics = self.history.kpa.as_ref().is_some_and(|kpa| kpa.panic_since.is_some());
        let (panic, why) = if panics {
            ("PanicThresholdExceeded", "the panic window asked for far more than was ready")
        } else {
            ("Stable", "the stable window decides")
        };
        let shown = |name, status, reason: &str, message: &str| ConditionShown {
            name,
            status,
            reason: reason.to_string(),
            message: message.to_string(),
        };
        vec![shown("Active", status, reason, message), shown("PanicMode", panics.into(), panic, why)]
    }

    fn events(&self) -> Vec<PolicyEvent> {
        self.history.events.events().to_vec()
    }
}

#[cfg(test)]
mod tests;
