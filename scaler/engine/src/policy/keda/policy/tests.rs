//! Drives a `ScaledObject` through an engine, as the loop does.

use alloc::collections::BTreeMap;
use alloc::string::ToString as _;
use alloc::vec;

use super::*;
use crate::decision::Decision as Decided;
use crate::engine::Engine;
use crate::observation::{Answer, Reading};
use crate::policy::keda::{
    CRON_TARGET_MILLI, ExternalTargetType, Fallback, FallbackBehavior, PolledTrigger, Trigger, TriggerSource,
    TriggerTarget,
};
use crate::policy::{ConditionStatus, CronWindow};

/// Monday, 30 November 2026, 06:00 in Berlin.
const MORNING: u64 = 1_796_014_800;

fn at(second: u64) -> Duration {
    Duration::from_secs(MORNING + second)
}

fn external(name: &str, milli: i64, source: TriggerSource) -> PolledTrigger {
    let target = TriggerTarget::External { target_type: ExternalTargetType::AverageValue, milli };
    PolledTrigger { trigger: Trigger { name: name.into(), target }, source, uses_cached_metrics: false }
}

fn requests(activation: f64) -> PolledTrigger {
    let source = TriggerSource::External { metric: "orders_waiting".into(), activation };
    external("s0-prometheus", 60_000, source)
}

fn office_hours() -> PolledTrigger {
    let window = CronWindow::new("Europe/Berlin", "0 8 * * 1-5", "0 18 * * 1-5").unwrap();
    external("s1-cron", CRON_TARGET_MILLI, TriggerSource::Cron { window, desired_replicas: 3 })
}

fn spec(min: u32, triggers: Vec<PolledTrigger>) -> ScaledObjectSpec {
    ScaledObjectSpec {
        min_replicas: Some(min),
        max_replicas: Some(12),
        triggers,
        ..ScaledObjectSpec::default()
    }
}

fn engine(spec: ScaledObjectSpec) -> Engine<ScaledObjectPolicy> {
    Engine::new(ScaledObjectPolicy::new(spec, ControllerSettings::default()).unwrap())
}

/// A loop that carries everything out.
struct Stage {
    engine: Engine<ScaledObjectPolicy>,
    replicas: u32,
}

impl Stage {
    fn of(spec: ScaledObjectSpec, replicas: u32) -> Self {
        Self { engine: engine(spec), replicas }
    }

    fn check(&mut self, second: u64, value: Option<f64>) -> Decided {
        let mut seen = Observation::of_replicas(at(second), self.replicas);
        let external = self.engine.policy().needs();
        seen.further = external
            .into_iter()
            .map(|need| {
                let reading = Some(Reading { value, age: Duration::ZERO });
                Answer { need, reading, of_replicas: BTreeMap::new() }
            })
            .collect();
        let decision = self.engine.decide(&seen);
        if decision.action != Action::Hold {
            self.engine.record_scaled(decision.at, decision.from, decision.to, decision.reason.cause());
            self.replicas = decision.to;
        }
        decision
    }

    /// Checks every 15 s until the count changes; gives the second of that, and the decision.
    fn until_changed(&mut self, from: u64, to: u64, value: Option<f64>) -> Option<(u64, Decided)> {
        (from..=to).step_by(15).find_map(|second| {
            let decision = self.check(second, value);
            (decision.action != Action::Hold).then_some((second, decision))
        })
    }

    fn conditions(&self) -> Vec<(&'static str, ConditionStatus, String)> {
        let shown = self.engine.policy().conditions();
        shown.into_iter().map(|condition| (condition.name, condition.status, condition.reason)).collect()
    }
}

#[test]
fn activation_leaves_zero_the_autoscaler_goes_on_and_the_cooldown_brings_it_back() {
    let mut stage = Stage::of(spec(0, vec![requests(5.0)]), 0);
    assert_eq!(stage.check(0, Some(5.0)).reason.code(), "keda_inactive", "strictly above activates");
    assert_eq!(stage.check(15, Some(500.0)).reason.code(), "keda_not_due", "polling is each 30 s");
    let decision = stage.check(30, Some(500.0));
    assert_eq!((decision.from, decision.to, decision.reason.code()), (0, 1, "keda_activated"));
    assert!(decision.reason.to_string().contains("s0-prometheus"));
    let decision = stage.check(45, Some(500.0));
    assert_eq!((decision.from, decision.to), (1, 4), "the autoscaler: 9 are wanted, a pass may reach 4");
    assert_eq!(decision.reason.code(), "hpa_above_target");
    assert_eq!(stage.check(60, Some(500.0)).to, 8);
    assert_eq!(stage.check(75, Some(500.0)).to, 9);
    // Nothing is asked any more. Activity was seen last at the polling of 60 s, and polling goes on each 30 s.
    let (second, decision) = stage.until_changed(90, 900, Some(0.0)).unwrap();
    assert_eq!(
        (second, decision.from, decision.to),
        (375, 9, 8),
        "the window of the autoscaler: {decision:?}"
    );
    let (second, decision) = stage.until_changed(390, 900, Some(0.0)).unwrap();
    assert_eq!((second, decision.from, decision.to), (390, 8, 0), "the cooldown passes it by: {decision:?}");
    assert_eq!(decision.reason.code(), "keda_deactivated");
    let active = ("Active", ConditionStatus::False, "ScalerNotActive".into());
    assert!(stage.conditions().contains(&active), "{:?}", stage.conditions());
    let told: Vec<String> = stage.engine.policy().events().into_iter().map(|event| event.reason).collect();
    assert!(
        told.contains(&"KEDAScaleTargetActivated".into())
            && told.contains(&"KEDAScaleTargetDeactivated".into())
    );
}

#[test]
fn a_minimum_above_zero_makes_the_cooldown_idle() {
    let mut stage = Stage::of(spec(2, vec![requests(5.0)]), 2);
    assert_eq!(stage.until_changed(0, 1_200, Some(0.0)), None);
}

#[test]
fn an_idle_count_is_left_for_the_minimum() {
    let mut idle = spec(2, vec![requests(5.0)]);
    idle.activation.idle_replicas = Some(0);
    let mut stage = Stage::of(idle, 0);
    assert_eq!(stage.check(0, Some(6.0)).to, 2);
    let (second, decision) = stage.until_changed(15, 900, Some(0.0)).unwrap();
    assert_eq!((second, decision.to), (330, 0), "300 s of cooldown have passed: {decision:?}");
}

#[test]
fn after_more_failures_than_its_threshold_the_fallback_stands_in() {
    let mut failing = spec(1, vec![requests(5.0)]);
    failing.polling_interval = Duration::from_secs(15);
    failing.fallback =
        Some(Fallback { failure_threshold: 3, replicas: 4, behavior: FallbackBehavior::Static });
    let mut stage = Stage::of(failing, 1);
    // Both loops query at each check, and each failed query counts.
    let decision = stage.check(0, None);
    assert_eq!((decision.action, decision.reason.code()), (Action::Hold, "hpa_failed"));
    let decision = stage.check(15, None);
    assert_eq!(
        (decision.to, decision.reason.code()),
        (4, "hpa_above_target"),
        "the fourth failure: {decision:?}"
    );
    stage.check(30, None);
    assert!(stage.conditions().contains(&("Fallback", ConditionStatus::True, "FallbackExists".into())));
    stage.check(45, Some(240.0));
    stage.check(60, Some(240.0));
    assert!(stage.conditions().contains(&("Fallback", ConditionStatus::False, "NoFallbackFound".into())));
}

#[test]
fn without_a_fallback_a_failed_trigger_changes_nothing_and_is_told() {
    let mut stage = Stage::of(spec(0, vec![requests(5.0)]), 3);
    assert_eq!(stage.until_changed(0, 1_200, None), None);
    assert!(stage.conditions().contains(&("Ready", ConditionStatus::False, "TriggerError".into())));
    let events = stage.engine.policy().events();
    let failed = events.iter().find(|event| event.reason == "KEDAScalerFailed").unwrap();
    assert!(failed.message.contains("orders_waiting") && failed.count > 1, "{failed:?}");
}

#[test]
fn a_cron_trigger_asks_for_its_count_inside_its_window() {
    let mut stage = Stage::of(spec(1, vec![requests(5.0), office_hours()]), 1);
    let (second, decision) = stage.until_changed(0, 9_000, Some(0.0)).unwrap();
    assert_eq!((second, decision.to), (2 * 3_600, 3), "eight o'clock in Berlin");
    let (second, decision) = stage.until_changed(7_215, 50_000, Some(0.0)).unwrap();
    assert_eq!((second, decision.to), (12 * 3_600 + 300, 1), "six o'clock, and the window of the scale-down");
}

#[test]
fn annotations_pause_it_or_hold_a_count() {
    let mut paused = spec(1, vec![requests(5.0)]);
    paused.activation.paused = true;
    let mut stage = Stage::of(paused.clone(), 3);
    assert_eq!(stage.check(0, Some(600.0)).reason.code(), "keda_paused");
    assert_eq!(stage.until_changed(15, 600, Some(600.0)), None);
    paused.paused_replicas = Some(0);
    let mut stage = Stage::of(paused, 3);
    let decision = stage.check(0, Some(600.0));
    assert_eq!((decision.to, decision.reason.code()), (0, "keda_paused"));
    let mut no_scale_out = spec(0, vec![requests(5.0)]);
    no_scale_out.activation.paused_scale_out = true;
    assert_eq!(Stage::of(no_scale_out.clone(), 0).until_changed(0, 300, Some(600.0)), None);
    assert_eq!(Stage::of(no_scale_out, 1).until_changed(0, 300, Some(600.0)), None, "the autoscaler too");
}

#[test]
fn a_cached_metric_is_that_of_the_last_polling() {
    let mut cached = requests(5.0);
    cached.uses_cached_metrics = true;
    let mut stage = Stage::of(spec(1, vec![cached]), 1);
    stage.check(0, Some(60.0));
    assert_eq!(stage.check(15, Some(600.0)).action, Action::Hold, "polled 60 before");
    assert_eq!(stage.check(30, Some(600.0)).to, 4);
}

#[test]
fn what_contradicts_itself_is_refused_by_name() {
    let refused = |spec| ScaledObjectPolicy::new(spec, ControllerSettings::default()).unwrap_err().field;
    assert_eq!(refused(spec(13, vec![requests(5.0)])), "minReplicaCount");
    assert_eq!(refused(spec(1, vec![])), "triggers");
    let still = ScaledObjectSpec { polling_interval: Duration::ZERO, ..spec(1, vec![requests(5.0)]) };
    assert_eq!(refused(still), "pollingInterval");
    let many = ScaledObjectSpec { max_replicas: Some(5_000), ..spec(1, vec![requests(5.0)]) };
    assert_eq!(refused(many), "maxReplicaCount");
    let mut idle = spec(2, vec![requests(5.0)]);
    idle.activation.idle_replicas = Some(2);
    assert_eq!(refused(idle), "idleReplicaCount");
}

#[test]
fn a_restored_state_goes_on_as_the_saved_one_would() {
    let spec = spec(0, vec![requests(5.0), office_hours()]);
    let mut stage = Stage::of(spec.clone(), 0);
    for second in (0..300).step_by(15) {
        stage.check(second, Some(if second < 120 { 500.0 } else { 0.0 }));
        let saved = serde_json::to_string(&stage.engine.state()).unwrap();
        let mut restored = engine(spec.clone());
        restored.restore(serde_json::from_str(&saved).unwrap()).unwrap();
        assert_eq!(restored, stage.engine, "{saved}");
    }
}
