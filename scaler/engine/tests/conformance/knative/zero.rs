//! Vectors of bounds, the stages to zero, and activators.

use scaler_engine::knative::{
    ActiveState, Probe, Reachability, Readings, ScaleSeen, ScaleSettings, activators_needed,
    active_condition, scale,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::instants::span;

#[derive(Debug, Deserialize)]
pub(crate) struct ZeroInput {
    current_replicas: u32,
    desired: i64,
    min_scale: u32,
    max_scale: u32,
    initial_scale: u32,
    initialized: bool,
    reachability: ReachabilityInput,
    status: StatusInput,
    enable_scale_to_zero: bool,
    stable_window_s: f64,
    grace_period_s: f64,
    pod_retention_s: f64,
    progress_deadline_s: f64,
    target_burst_capacity: f64,
    activator: ActivatorInput,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ReachabilityInput {
    Unknown,
    Reachable,
    Unreachable,
}

#[derive(Debug, Deserialize)]
struct StatusInput {
    state: StateInput,
    for_s: f64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StateInput {
    Active,
    Activating,
    Inactive,
}

impl StateInput {
    const fn to_state(self) -> ActiveState {
        match self {
            Self::Active => ActiveState::Active,
            Self::Activating => ActiveState::Activating,
            Self::Inactive => ActiveState::Inactive,
        }
    }
}

#[derive(Debug, Deserialize)]
struct ActivatorInput {
    probe: ProbeInput,
    proxy_mode: bool,
    in_path_for_s: f64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ProbeInput {
    Ok,
    Error,
    WrongResponse,
    NotCalled,
}

/// A count, or −1 where it is not known.
fn known(count: i64) -> Option<u32> {
    u32::try_from(count).ok()
}

pub(crate) fn scale_to_zero(input: &ZeroInput) -> Value {
    let settings = ScaleSettings {
        min_scale: input.min_scale,
        max_scale: input.max_scale,
        initial_scale: input.initial_scale,
        enable_scale_to_zero: input.enable_scale_to_zero,
        stable_window: span(input.stable_window_s),
        grace_period: span(input.grace_period_s),
        pod_retention: span(input.pod_retention_s),
        progress_deadline: span(input.progress_deadline_s),
        target_burst_capacity: input.target_burst_capacity,
    };
    let seen = ScaleSeen {
        current_replicas: input.current_replicas,
        desired: known(input.desired),
        initialized: input.initialized,
        reachability: match input.reachability {
            ReachabilityInput::Unknown => Reachability::Unknown,
            ReachabilityInput::Reachable => Reachability::Reachable,
            ReachabilityInput::Unreachable => Reachability::Unreachable,
        },
        state: input.status.state.to_state(),
        state_for: span(input.status.for_s),
        probe: match input.activator.probe {
            ProbeInput::Ok => Probe::Ok,
            ProbeInput::Error | ProbeInput::WrongResponse => Probe::Failed,
            ProbeInput::NotCalled => Probe::NotCalled,
        },
        proxy_mode: input.activator.proxy_mode,
        in_path_for: span(input.activator.in_path_for_s),
    };
    let outcome = scale(&settings, &seen);
    json!({
        "scale": outcome.reported.map_or(-1, i64::from),
        "patched": outcome.patch.is_some(),
        "requeues": u32::from(outcome.look_again_after.is_some()),
        "async_probes": u32::from(outcome.probes_in_background),
    })
}

#[derive(Debug, Deserialize)]
pub(crate) struct ConditionInput {
    want: i64,
    ready_pods: u32,
    min_scale: u32,
    initial_scale: u32,
    initialized: bool,
    state: StateInput,
}

pub(crate) fn condition(input: &ConditionInput) -> Value {
    let readings = Readings {
        want: known(input.want),
        ready_pods: input.ready_pods,
        min_scale: input.min_scale,
        initial_scale: input.initial_scale,
        initialized: input.initialized,
    };
    let state = match active_condition(input.state.to_state(), &readings) {
        ActiveState::Active => "active",
        ActiveState::Activating => "activating",
        ActiveState::Inactive => "inactive",
    };
    json!({ "state": state })
}

#[derive(Debug, Deserialize)]
pub(crate) struct ActivatorsInput {
    ready_pods: u32,
    total: f64,
    target_burst_capacity: f64,
    activator_capacity: f64,
}

pub(crate) fn activators(input: &ActivatorsInput) -> Value {
    let activators = activators_needed(
        input.ready_pods,
        input.total,
        input.target_burst_capacity,
        input.activator_capacity,
    );
    json!({ "activators": activators })
}
