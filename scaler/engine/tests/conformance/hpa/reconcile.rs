//! Vectors of whole passes.

use std::collections::BTreeMap;

use scaler_engine::hpa::{
    self, Behavior, Condition, ConditionReason, Conditions, ControllerSettings, HpaSpec, HpaState,
    MetricAnswer, Release, Scale, ScaleToZero, Seen, Selector,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::input::{
    EventInput, HistoryInput, MetricInput, PodInput, RulesInput, to_events, to_history, to_pods,
};
use crate::instants::{NOW, span};

#[derive(Debug, Deserialize)]
pub(crate) struct ReconcileInput {
    #[serde(default)]
    config: ConfigInput,
    spec: SpecInput,
    scale: ScaleInput,
    #[serde(default)]
    pods: Vec<PodInput>,
    #[serde(default)]
    state: StateInput,
    #[serde(default)]
    faults: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
struct ConfigInput {
    #[serde(default)]
    downscale_stabilization_s: Option<f64>,
    #[serde(default)]
    tolerance: Option<f64>,
    #[serde(default)]
    cpu_initialization_period_s: Option<f64>,
    #[serde(default)]
    initial_readiness_delay_s: Option<f64>,
    #[serde(default)]
    configurable_tolerance: Option<bool>,
    #[serde(default)]
    scale_to_zero: Option<ScaleToZero>,
}

impl ConfigInput {
    /// The settings: those of the release that the tags name, or the newest, with what the vector sets itself.
    fn to_settings(&self, tags: &[String]) -> ControllerSettings {
        let before_1_36 = tags.iter().any(|tag| tag == "before-v1.36");
        let of_release =
            ControllerSettings::of(if before_1_36 { Release::V1_35 } else { Release::default() });
        ControllerSettings {
            tolerance: self.tolerance.unwrap_or(of_release.tolerance),
            downscale_stabilization: self
                .downscale_stabilization_s
                .map_or(of_release.downscale_stabilization, span),
            cpu_initialization_period: self
                .cpu_initialization_period_s
                .map_or(of_release.cpu_initialization_period, span),
            initial_readiness_delay: self
                .initial_readiness_delay_s
                .map_or(of_release.initial_readiness_delay, span),
            configurable_tolerance: self.configurable_tolerance.unwrap_or(of_release.configurable_tolerance),
            scale_to_zero: self.scale_to_zero.unwrap_or(of_release.scale_to_zero),
            ..of_release
        }
    }
}

#[derive(Debug, Deserialize)]
struct SpecInput {
    #[serde(default)]
    min: Option<u32>,
    max: u32,
    #[serde(default)]
    behavior: Option<BothRulesInput>,
    metrics: Vec<MetricInput>,
}

#[derive(Debug, Deserialize)]
struct BothRulesInput {
    #[serde(default)]
    scale_up: Option<RulesInput>,
    #[serde(default)]
    scale_down: Option<RulesInput>,
}

impl SpecInput {
    fn to_spec(&self) -> HpaSpec {
        let behavior = self.behavior.as_ref().map(|behavior| Behavior {
            scale_up: behavior.scale_up.as_ref().map(RulesInput::to_rules),
            scale_down: behavior.scale_down.as_ref().map(RulesInput::to_rules),
        });
        HpaSpec {
            min_replicas: self.min.unwrap_or(1),
            max_replicas: self.max,
            behavior,
            metrics: self.metrics.iter().map(MetricInput::to_metric).collect(),
        }
    }
}

#[derive(Debug, Deserialize)]
struct ScaleInput {
    spec_replicas: u32,
    #[serde(default)]
    status_replicas: Option<u32>,
    #[serde(default)]
    selector: SelectorInput,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SelectorInput {
    #[default]
    Ok,
    Missing,
    Invalid,
    Ambiguous,
}

#[derive(Debug, Default, Deserialize)]
struct StateInput {
    #[serde(default)]
    recommendations: Option<Vec<HistoryInput>>,
    #[serde(default)]
    scale_up_events: Vec<EventInput>,
    #[serde(default)]
    scale_down_events: Vec<EventInput>,
    #[serde(default)]
    conditions: BTreeMap<String, ConditionInput>,
}

#[derive(Debug, Deserialize)]
struct ConditionInput {
    status: String,
    reason: ConditionReason,
}

impl StateInput {
    fn to_state(&self) -> Result<HpaState, String> {
        let mut conditions = Conditions::default();
        for (name, input) in &self.conditions {
            let slot = match name.as_str() {
                "AbleToScale" => &mut conditions.able_to_scale,
                "ScalingActive" => &mut conditions.scaling_active,
                "ScalingLimited" => &mut conditions.scaling_limited,
                "ScaledToZero" => &mut conditions.scaled_to_zero,
                other => return Err(format!("unknown condition `{other}`")),
            };
            *slot = Some(Condition { holds: input.status == "True", reason: input.reason });
        }
        Ok(HpaState {
            recommendations: self.recommendations.as_deref().map(to_history),
            scale_up_events: to_events(&self.scale_up_events),
            scale_down_events: to_events(&self.scale_down_events),
            conditions,
            ..HpaState::default()
        })
    }
}

pub(crate) fn reconcile(input: &ReconcileInput, tags: &[String]) -> Result<Value, String> {
    let settings = input.config.to_settings(tags);
    let spec = input.spec.to_spec();
    let mut state = input.state.to_state()?;
    let mut resources: Vec<_> = input.spec.metrics.iter().map(MetricInput::resource).collect();
    resources.dedup();
    let pods = to_pods(&input.pods, &resources)?;
    let answers: Vec<MetricAnswer> = input.spec.metrics.iter().map(MetricInput::to_answer).collect();
    let has_fault = |name: &str| input.faults.iter().any(|fault| fault == name);
    let scale = Scale {
        spec_replicas: input.scale.spec_replicas,
        status_replicas: input.scale.status_replicas.unwrap_or(input.scale.spec_replicas),
        selector: match input.scale.selector {
            SelectorInput::Ok => Selector::Ok,
            SelectorInput::Missing => Selector::Missing,
            SelectorInput::Invalid => Selector::Invalid,
            SelectorInput::Ambiguous => Selector::Ambiguous,
        },
    };
    let scale = (!has_fault("get_scale")).then_some(scale);
    let outcome = hpa::reconcile(
        &spec,
        &settings,
        &mut state,
        &Seen { now: NOW, scale, pods: &pods, answers: &answers },
    );

    let write_fails = has_fault("update_scale") && outcome.rescale.is_some();
    if write_fails {
        outcome.rescale_failed(&mut state);
    } else {
        outcome.rescaled(&spec, &settings, &mut state, NOW);
    }
    let written = outcome.rescale.filter(|_| !write_fails);
    let cpu_utilization = spec.metrics.iter().zip(&outcome.metrics).find_map(|(metric, proposal)| {
        let reported = proposal.as_ref().ok()?.reported;
        metric.source.is_pod_cpu().then_some(reported.utilization_percent?)
    });
    Ok(json!({
        "replicas": written.map_or(input.scale.spec_replicas, |rescale| rescale.to),
        "rescale": written.is_some(),
        "error": outcome.error.is_some() || write_fails,
        "conditions": conditions(state.conditions),
        "cpu_utilization_percent": cpu_utilization,
    }))
}

fn conditions(conditions: Conditions) -> Map<String, Value> {
    conditions
        .iter()
        .map(|(name, condition)| {
            let status = if condition.holds { "True" } else { "False" };
            (name.to_owned(), json!({ "status": status, "reason": condition.reason.to_string() }))
        })
        .collect()
}
