//! Passes of the controller: branches, zero replicas, several metrics, writes that fail.

use alloc::vec;

use super::*;
use crate::policy::hpa::testing::{pods_requesting, settings};
use crate::policy::hpa::{
    Behavior, Condition, Metric, MetricSource, MetricTarget, Release, ScaleEvent, ScalingRules,
};

const NOW: Duration = Duration::from_secs(10_000);

fn external(target_milli: i64) -> Metric {
    let target = Some(MetricTarget::AverageValue { milli: target_milli });
    Metric { source: MetricSource::External("queue".into()), target }
}

fn spec(min: u32, max: u32) -> HpaSpec {
    HpaSpec { min_replicas: min, max_replicas: max, behavior: None, metrics: vec![external(1_000)] }
}

fn at(replicas: u32) -> Scale {
    Scale { spec_replicas: replicas, status_replicas: replicas, selector: Selector::Ok }
}

fn answers(total_milli: i64) -> Vec<MetricAnswer> {
    vec![MetricAnswer::External(vec![total_milli])]
}

fn pass(
    spec: &HpaSpec,
    settings: &ControllerSettings,
    state: &mut HpaState,
    replicas: u32,
    answers: &[MetricAnswer],
) -> Reconciliation {
    reconcile(spec, settings, state, &Seen { now: NOW, scale: Some(at(replicas)), pods: &[], answers })
}

fn to(outcome: &Reconciliation) -> Option<u32> {
    outcome.rescale.map(|rescale| rescale.to)
}

fn went_to_zero() -> HpaState {
    let mut state = HpaState::default();
    state.conditions.scaled_to_zero = Some(holds(ConditionReason::ScaledToZero));
    state
}

#[test]
fn bounds_come_before_metrics_and_touch_only_whether_it_can_scale() {
    let (spec, settings) = (spec(2, 6), settings());
    for (replicas, expected) in [(9, 6), (1, 2)] {
        let mut state = HpaState::default();
        state.conditions.scaling_limited = Some(fails(ConditionReason::DesiredWithinRange));
        let outcome = pass(&spec, &settings, &mut state, replicas, &[]);
        assert_eq!((to(&outcome), outcome.error.clone()), (Some(expected), None));
        assert_eq!(state.conditions.scaling_active, None);
        assert_eq!(state.conditions.scaling_limited, Some(fails(ConditionReason::DesiredWithinRange)));
        outcome.rescaled(&spec, &settings, &mut state, NOW);
        assert_eq!(state.conditions.able_to_scale, Some(holds(ConditionReason::SucceededRescale)));
    }
}

#[test]
fn a_change_by_a_bound_is_an_event_where_there_is_a_behavior() {
    let mut spec = spec(2, 6);
    spec.behavior = Some(Behavior::default());
    let mut state = HpaState::default();
    pass(&spec, &settings(), &mut state, 9, &[]).rescaled(&spec, &settings(), &mut state, NOW);
    assert_eq!(state.scale_down_events, [ScaleEvent { change: 3, at: NOW, outdated: false }]);
}

#[test]
fn a_scale_that_cannot_be_read_seeds_nothing() {
    let mut state = HpaState::default();
    let seen = Seen { now: NOW, scale: None, pods: &[], answers: &[] };
    let outcome = reconcile(&spec(1, 5), &settings(), &mut state, &seen);
    assert_eq!(outcome.error, Some(ReconcileError::NoScale));
    assert_eq!(state.conditions.able_to_scale, Some(fails(ConditionReason::FailedGetScale)));
    assert_eq!(state.recommendations, None);
}

#[test]
fn only_the_first_sight_seeds_the_history() {
    let (spec, settings) = (spec(1, 50), settings());
    let mut state = HpaState::default();
    assert_eq!(to(&pass(&spec, &settings, &mut state, 10, &answers(1_000))), None, "held by the seeded 10");
    let mut state = HpaState { recommendations: Some(vec![]), ..HpaState::default() };
    assert_eq!(to(&pass(&spec, &settings, &mut state, 10, &answers(1_000))), Some(1));
}

#[test]
fn an_unusable_selector_stops_the_pass() {
    let settings = settings();
    for (selector, reason) in [
        (Selector::Missing, ConditionReason::InvalidSelector),
        (Selector::Invalid, ConditionReason::InvalidSelector),
        (Selector::Ambiguous, ConditionReason::AmbiguousSelector),
    ] {
        let mut state = HpaState::default();
        let scale = Some(Scale { spec_replicas: 2, status_replicas: 2, selector });
        let seen = Seen { now: NOW, scale, pods: &[], answers: &answers(9_000) };
        let outcome = reconcile(&spec(1, 9), &settings, &mut state, &seen);
        assert_eq!(outcome.error, Some(ReconcileError::Selector(selector)));
        assert_eq!(state.conditions.scaling_active, Some(fails(reason)));
        assert_eq!(state.conditions.able_to_scale, Some(holds(ConditionReason::SucceededGetScale)));
    }
}

#[test]
fn a_failed_metric_prevents_scaling_down_but_neither_up_nor_staying() {
    let settings = settings();
    let spec = HpaSpec { metrics: vec![external(1_000), external(1_000)], ..spec(1, 50) };
    for (total, expected) in [(2_000, None), (5_000, None), (8_000, Some(8))] {
        let mut state = HpaState { recommendations: Some(vec![]), ..HpaState::default() };
        let both = [MetricAnswer::Failed("down".into()), MetricAnswer::External(vec![total])];
        let outcome = pass(&spec, &settings, &mut state, 5, &both);
        assert_eq!(to(&outcome), expected);
        assert!(matches!(outcome.error, Some(ReconcileError::Metric { position: 0, .. })));
        let active = if total < 5_000 {
            Some(fails(ConditionReason::FailedGetExternalMetric))
        } else {
            Some(holds(ConditionReason::ValidMetricFound))
        };
        assert_eq!(state.conditions.scaling_active, active);
    }
}

#[test]
fn a_metric_error_keeps_the_desired_count_and_the_limit_of_before() {
    let settings = settings();
    let mut state = HpaState { desired_replicas: Some(4), ..HpaState::default() };
    state.conditions.scaling_limited = Some(holds(ConditionReason::TooManyReplicas));
    let outcome = pass(&spec(1, 9), &settings, &mut state, 5, &[]);
    assert!(outcome.error.is_some() && outcome.rescale.is_none());
    assert_eq!(state.desired_replicas, Some(4));
    assert_eq!(state.conditions.scaling_limited, Some(holds(ConditionReason::TooManyReplicas)));
}

#[test]
fn an_autoscaler_without_metrics_is_an_error() {
    let spec = HpaSpec { metrics: vec![], ..spec(1, 9) };
    let outcome = pass(&spec, &settings(), &mut HpaState::default(), 5, &[]);
    assert_eq!(outcome.error, Some(ReconcileError::NoMetrics));
    assert_eq!(outcome.rescale, None);
}

#[test]
fn a_write_that_fails_stores_no_event_and_no_time() {
    let settings = settings();
    let mut state = HpaState::default();
    let spec = HpaSpec { behavior: Some(Behavior::default()), ..spec(1, 9) };
    let outcome = pass(&spec, &settings, &mut state, 2, &answers(5_000));
    assert_eq!(to(&outcome), Some(5));
    outcome.rescale_failed(&mut state);
    assert_eq!(state.conditions.able_to_scale, Some(fails(ConditionReason::FailedUpdateScale)));
    assert_eq!((state.scale_up_events.len(), state.last_scale_at), (0, None));
}

#[test]
fn before_1_36_zero_is_left_exactly_if_the_minimum_is_zero() {
    let settings = ControllerSettings::of(Release::V1_35);
    let mut state = HpaState::default();
    assert_eq!(to(&pass(&spec(0, 9), &settings, &mut state, 0, &answers(2_000))), Some(2));
    assert_eq!(to(&pass(&spec(1, 9), &settings, &mut went_to_zero(), 0, &answers(2_000))), None);
}

#[test]
fn with_the_feature_off_zero_is_never_left_and_the_condition_goes() {
    let settings = ControllerSettings::of(Release::V1_36);
    let mut state = went_to_zero();
    assert_eq!(to(&pass(&spec(0, 9), &settings, &mut state, 0, &answers(2_000))), None);
    assert_eq!(state.conditions.scaled_to_zero, None);
    assert_eq!(state.conditions.scaling_active, Some(fails(ConditionReason::ScalingDisabled)));
}

#[test]
fn with_the_feature_on_zero_is_left_only_by_what_went_there_itself() {
    let settings = settings();
    assert_eq!(to(&pass(&spec(0, 9), &settings, &mut HpaState::default(), 0, &answers(2_000))), None);
    assert_eq!(to(&pass(&spec(0, 9), &settings, &mut went_to_zero(), 0, &answers(2_000))), Some(2));
    let cpu = HpaSpec { metrics: vec![Metric::DEFAULT], ..spec(0, 9) };
    let outcome = pass(&cpu, &settings, &mut went_to_zero(), 0, &[]);
    assert_eq!((to(&outcome), outcome.error), (None, None), "cpu cannot be measured at zero");
}

#[test]
fn from_zero_the_minimum_holds_even_against_a_rate() {
    let settings = settings();
    let disabled = ScalingRules {
        select_policy: Some(crate::policy::hpa::SelectPolicy::Disabled),
        ..ScalingRules::default()
    };
    let behavior = Some(Behavior { scale_up: Some(disabled), scale_down: None });
    let spec = HpaSpec { behavior, ..spec(2, 9) };
    let mut state = went_to_zero();
    let outcome = pass(&spec, &settings, &mut state, 0, &answers(5_000));
    assert_eq!(to(&outcome), Some(2));
    outcome.rescaled(&spec, &settings, &mut state, NOW);
    assert_eq!(state.conditions.scaled_to_zero, Some(fails(ConditionReason::NotScaledToZero)));
}

#[test]
fn going_to_zero_is_remembered_only_with_a_metric_that_can_come_back() {
    let settings = settings();
    let mut state = HpaState { recommendations: Some(vec![]), ..HpaState::default() };
    let outcome = pass(&spec(0, 9), &settings, &mut state, 3, &answers(0));
    assert_eq!(to(&outcome), Some(0));
    outcome.rescaled(&spec(0, 9), &settings, &mut state, NOW);
    assert_eq!(
        state.conditions.scaled_to_zero,
        Some(Condition { holds: true, reason: ConditionReason::ScaledToZero })
    );
}

#[test]
fn cpu_may_go_to_zero_but_does_not_come_back() {
    let (settings, pods) = (settings(), pods_requesting(1, 100));
    let spec = HpaSpec { metrics: vec![Metric::DEFAULT], ..spec(0, 9) };
    let idle = crate::policy::hpa::PodUsage {
        pod: "p0".into(),
        age: crate::policy::age::Age::ZERO,
        window: Duration::from_secs(30),
        containers: vec![crate::policy::hpa::ContainerUsage { name: "app".into(), usage_milli: Some(0) }],
    };
    let mut state = HpaState { recommendations: Some(vec![]), ..HpaState::default() };
    let answers = [MetricAnswer::Resource(vec![idle])];
    let seen = Seen { now: NOW, scale: Some(at(1)), pods: &pods, answers: &answers };
    let outcome = reconcile(&spec, &settings, &mut state, &seen);
    assert_eq!(to(&outcome), Some(0));
    outcome.rescaled(&spec, &settings, &mut state, NOW);
    assert_eq!(state.conditions.scaled_to_zero, Some(fails(ConditionReason::NotScaledToZero)));
}

#[test]
fn a_tolerance_alone_switches_to_the_rules_of_a_behavior() {
    let settings = settings();
    let tolerant = Some(Behavior {
        scale_up: Some(ScalingRules { tolerance: Some(0.5), ..ScalingRules::default() }),
        scale_down: None,
    });
    let old_high = Recommendation { replicas: 9, at: NOW };
    for (behavior, expected) in [(None, Some(6)), (tolerant, None)] {
        let spec = HpaSpec { behavior, ..spec(1, 50) };
        let mut state = HpaState { recommendations: Some(vec![old_high]), ..HpaState::default() };
        assert_eq!(to(&pass(&spec, &settings, &mut state, 3, &answers(3_000))), expected);
    }
}

#[test]
fn the_state_survives_being_saved() {
    let settings = settings();
    let spec = HpaSpec { behavior: Some(Behavior::default()), ..spec(1, 50) };
    let mut state = HpaState::default();
    pass(&spec, &settings, &mut state, 2, &answers(9_000)).rescaled(&spec, &settings, &mut state, NOW);
    let saved = serde_json::to_string(&state).unwrap();
    assert_eq!(serde_json::from_str::<HpaState>(&saved).unwrap(), state);
}
