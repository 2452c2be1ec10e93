//! Drives an autoscaler through an engine, as the loop does.

use alloc::collections::BTreeMap;
use alloc::string::ToString as _;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use super::*;
use crate::engine::Engine;
use crate::observation::{Answer, ResourceRequests};
use crate::policy::ConditionStatus;
use crate::policy::hpa::{
    Behavior, MetricSource, MetricTarget, RESOURCE_WINDOW, Release, Resource, ScalingRules,
};
use crate::{Decision as Decided, Reading, Signal};

const CPU: Signal = Signal::CpuUtilization;

fn cpu_policy(min: u32, max: u32, behavior: Option<Behavior>) -> HpaPolicy {
    let target = Some(MetricTarget::Utilization { percent: 65 });
    let metrics = vec![Metric { source: MetricSource::Resource(Resource::Cpu), target }];
    let spec = HpaSpec { min_replicas: min, max_replicas: max, behavior, metrics };
    HpaPolicy::new(spec, ControllerSettings::default()).unwrap()
}

fn queue_policy(min: u32) -> HpaPolicy {
    let target = Some(MetricTarget::AverageValue { milli: 10_000 });
    let metrics = vec![Metric { source: MetricSource::External("orders_waiting".into()), target }];
    let spec = HpaSpec { min_replicas: min, max_replicas: 10, behavior: None, metrics };
    HpaPolicy::new(spec, ControllerSettings::default()).unwrap()
}

/// Replicas that have been ready for long, each with `cores` of one requested core.
fn busy(second: u64, count: u32, cores: f64) -> Observation {
    let mut seen = Observation { window: RESOURCE_WINDOW, ..Observation::of_replicas(at(second), count) };
    seen.report_from_all(CPU, cores);
    for replica in &mut seen.replicas {
        replica.requests = ResourceRequests { cpu_cores: Some(1.0), memory_bytes: None };
        replica.started_at = Some(at(0));
        replica.readiness_changed_at = Some(at(1));
    }
    seen
}

fn waiting(second: u64, count: u32, orders: Option<f64>) -> Observation {
    let mut seen = Observation::of_replicas(at(second), count);
    let need = queue_policy(1).needs().remove(0);
    let reading = Some(Reading { value: orders, age: Duration::ZERO });
    seen.further = vec![Answer { need, reading, of_replicas: BTreeMap::new() }];
    seen
}

fn at(second: u64) -> Duration {
    Duration::from_secs(1_000 + second)
}

/// Carries out what was decided, as a loop that works.
fn carry_out(engine: &mut Engine<HpaPolicy>, decision: &Decided) {
    engine.record_scaled(decision.at, decision.from, decision.to, decision.reason.cause());
}

fn conditions(engine: &Engine<HpaPolicy>) -> Vec<(&'static str, ConditionStatus, String)> {
    let shown = engine.policy().conditions();
    shown.into_iter().map(|condition| (condition.name, condition.status, condition.reason)).collect()
}

#[test]
fn seventy_two_percent_of_a_target_of_sixty_five_asks_for_a_second_replica_and_seventy_one_does_not() {
    let mut engine = Engine::new(cpu_policy(1, 6, None));
    let decision = engine.decide(&busy(400, 1, 0.71));
    assert_eq!((decision.action, decision.reason.code()), (Action::Hold, "hpa_on_target"));
    let decision = engine.decide(&busy(415, 1, 0.72));
    assert_eq!((decision.from, decision.to), (1, 2));
    assert_eq!(
        decision.reason.to_string(),
        "cpu resource utilization (percentage of request) is 72 %, the target is 65 %, which asks for 2"
    );
    carry_out(&mut engine, &decision);
    let events = engine.policy().events();
    assert_eq!(events.len(), 1);
    assert_eq!(
        (events[0].reason.as_str(), events[0].message.as_str()),
        (
            "SuccessfulRescale",
            "New size: 2; reason: cpu resource utilization (percentage of request) above target"
        )
    );
}

#[test]
fn steps_are_of_any_size_and_no_cooldown_is_added() {
    let mut engine = Engine::new(cpu_policy(1, 50, None));
    let decision = engine.decide(&busy(400, 1, 4.0));
    assert_eq!(
        (decision.to, decision.limited_by),
        (4, Some(Limit::Rate)),
        "7 are asked for, 4 a pass may reach"
    );
    carry_out(&mut engine, &decision);
    let decision = engine.decide(&busy(415, 4, 4.0));
    assert_eq!((decision.from, decision.to), (4, 8), "15 s later");
}

#[test]
fn the_window_holds_a_scale_down_back_for_five_minutes_and_conditions_say_so() {
    let mut engine = Engine::new(cpu_policy(1, 6, None));
    engine.decide(&busy(400, 4, 0.65));
    let decision = engine.decide(&busy(415, 4, 0.1));
    assert_eq!((decision.action, decision.reason.code()), (Action::Hold, "hpa_stabilized"));
    assert_eq!(decision.limited_by, Some(Limit::Stabilization));
    assert!(conditions(&engine).contains(&(
        "AbleToScale",
        ConditionStatus::True,
        "ScaleDownStabilized".into()
    )));
    let decision = engine.decide(&busy(700, 4, 0.1));
    assert_eq!(decision.action, Action::Hold, "300 s are still within the window");
    let decision = engine.decide(&busy(701, 4, 0.1));
    assert_eq!((decision.to, decision.reason.code()), (1, "hpa_below_target"));
}

#[test]
fn a_rescale_that_fails_is_told_and_asked_for_again() {
    let mut engine = Engine::new(cpu_policy(1, 6, Some(Behavior::default())));
    assert_eq!(engine.decide(&busy(400, 1, 1.3)).to, 2);
    let decision = engine.decide(&busy(415, 1, 1.3));
    assert_eq!(decision.to, 2);
    let events = engine.policy().events();
    assert_eq!((events[0].reason.as_str(), events[0].is_warning), ("FailedRescale", true));
    assert!(engine.state().history.state.scale_up_events.is_empty(), "nothing has happened");
    carry_out(&mut engine, &decision);
    assert_eq!(engine.state().history.state.scale_up_events.len(), 1);
}

#[test]
fn missing_values_hold_and_name_what_was_looked_for() {
    let mut engine = Engine::new(cpu_policy(1, 6, None));
    let seen = Observation { window: RESOURCE_WINDOW, ..Observation::of_replicas(at(400), 3) };
    let decision = engine.decide(&seen);
    assert_eq!((decision.action, decision.reason.code()), (Action::Hold, "hpa_failed"));
    let text = decision.reason.to_string();
    assert!(
        text.contains("FailedGetResourceMetric") && text.contains("none of 3 replicas reports"),
        "{text}"
    );
    let active = ("ScalingActive", ConditionStatus::False, "FailedGetResourceMetric".into());
    assert!(conditions(&engine).contains(&active));
}

#[test]
fn a_replica_without_a_request_fails_a_target_in_percent() {
    let mut engine = Engine::new(cpu_policy(1, 6, None));
    let mut seen = busy(400, 2, 1.0);
    seen.replicas[1].requests = ResourceRequests::default();
    let text = engine.decide(&seen).reason.to_string();
    assert!(text.contains("missing request for") && text.contains("replica-2"), "{text}");
}

#[test]
fn zero_is_reached_and_left_by_an_external_metric_and_a_zero_of_others_is_left_alone() {
    let mut engine = Engine::new(queue_policy(0));
    assert_eq!(
        engine.decide(&waiting(400, 0, Some(50.0))).reason.code(),
        "hpa_disabled",
        "it did not go there"
    );
    let mut engine = Engine::new(queue_policy(0));
    engine.decide(&waiting(400, 1, Some(0.0)));
    let decision = engine.decide(&waiting(701, 1, Some(0.0)));
    assert_eq!((decision.from, decision.to), (1, 0));
    carry_out(&mut engine, &decision);
    assert!(conditions(&engine).contains(&("ScaledToZero", ConditionStatus::True, "ScaledToZero".into())));
    let decision = engine.decide(&waiting(716, 0, Some(25.0)));
    assert_eq!((decision.from, decision.to), (0, 3));
    let missing = engine.decide(&waiting(731, 0, None));
    assert_eq!(missing.reason.code(), "hpa_failed", "{missing:?}");
}

#[test]
fn a_minimum_of_zero_needs_a_release_that_has_it_and_a_metric_that_needs_no_pods() {
    let spec = queue_policy(0).spec().clone();
    let refused = HpaPolicy::new(spec.clone(), ControllerSettings::of(Release::V1_36)).unwrap_err();
    assert_eq!(refused.field, "minReplicas");
    assert!(HpaPolicy::new(spec, ControllerSettings::of(Release::V1_35)).is_ok());
    let cpu = HpaSpec { min_replicas: 0, ..cpu_policy(1, 6, None).spec().clone() };
    assert_eq!(HpaPolicy::new(cpu, ControllerSettings::default()).unwrap_err().field, "minReplicas");
}

#[test]
fn bounds_and_settings_that_the_loop_cannot_follow_are_refused_by_name() {
    let spec = cpu_policy(1, 6, None).spec().clone();
    let refused = |spec: HpaSpec, settings| HpaPolicy::new(spec, settings).unwrap_err().field;
    let defaults = ControllerSettings::default();
    for (min, max) in [(7, 6), (1, 0), (1, 1_001)] {
        let spec = HpaSpec { min_replicas: min, max_replicas: max, ..spec.clone() };
        assert_eq!(refused(spec, defaults), "maxReplicas");
    }
    let still = ControllerSettings { sync_period: Duration::ZERO, ..defaults };
    assert_eq!(refused(spec.clone(), still), "syncPeriod");
    let no_number = ControllerSettings { tolerance: f64::NAN, ..defaults };
    assert_eq!(refused(spec.clone(), no_number), "tolerance");
    let empty = HpaPolicy::new(HpaSpec { metrics: Vec::new(), ..spec }, defaults).unwrap();
    assert_eq!(empty.spec().metrics, [Metric::DEFAULT]);
}

#[test]
fn a_platform_with_a_count_of_its_own_is_followed_outside_the_bounds_too() {
    let on_platform = |second, current, desired| Observation {
        desired,
        platform_restores: true,
        ..busy(second, current, 0.65)
    };
    let mut engine = Engine::new(cpu_policy(2, 6, None));
    let decision = engine.decide(&on_platform(400, 0, 0));
    assert_eq!((decision.action, decision.to, decision.reason.code()), (Action::Hold, 0, "hpa_disabled"));
    let decision = engine.decide(&on_platform(415, 2, 9));
    assert_eq!((decision.from, decision.to, decision.reason.code()), (9, 6, "hpa_outside_bounds"));
    assert_eq!(decision.limited_by, Some(Limit::Maximum));
    let decision = engine.decide(&on_platform(430, 2, 4));
    assert_eq!(
        (decision.action, decision.from),
        (Action::Hold, 4),
        "two pods are on their way: {decision:?}"
    );
}

#[test]
fn limits_set_at_run_time_take_the_place_of_the_bounds() {
    let mut engine = Engine::new(cpu_policy(1, 6, None));
    engine.decide(&busy(400, 3, 0.65));
    engine.set_limits(Limits::new(1, 2).unwrap()).unwrap();
    let decision = engine.decide(&busy(415, 3, 0.65));
    assert_eq!((decision.to, decision.limited_by), (2, Some(Limit::Maximum)));
    assert!(engine.set_limits(Limits::new(0, 2).unwrap()).is_err(), "cpu cannot leave zero");
}

#[test]
fn a_pod_that_starts_up_does_not_count_as_busy() {
    let mut engine = Engine::new(cpu_policy(1, 6, None));
    let mut seen = busy(400, 2, 0.65);
    let starting = &mut seen.replicas[1];
    starting.signals.insert(CPU, Some(4.0));
    starting.started_at = Some(at(390));
    starting.readiness_changed_at = Some(at(395));
    assert_eq!(engine.decide(&seen).action, Action::Hold, "its sample began before it was ready");
}

#[test]
fn a_state_restored_after_a_pass_completes_its_rescale() {
    let rules = ScalingRules { stabilization_window: Some(Duration::ZERO), ..ScalingRules::default() };
    let behavior = Behavior { scale_up: None, scale_down: Some(rules) };
    let mut engine = Engine::new(cpu_policy(1, 6, Some(behavior.clone())));
    let decision = engine.decide(&busy(400, 1, 1.3));
    let saved = serde_json::to_string(&engine.state()).unwrap();
    let mut restored = Engine::new(cpu_policy(1, 6, Some(behavior)));
    restored.restore(serde_json::from_str(&saved).unwrap()).unwrap();
    assert_eq!(restored, engine);
    carry_out(&mut engine, &decision);
    carry_out(&mut restored, &decision);
    assert_eq!(restored.state(), engine.state());
    assert_eq!(restored.policy().events().len(), 1);
}
