//! Vectors of decisions in a row.

use scaler_engine::knative::{Averages, KpaSpec, KpaState, decide};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::instants::{at, seconds_at, span};

#[derive(Debug, Deserialize)]
pub(crate) struct SequenceInput {
    spec: SpecInput,
    start: StartInput,
    steps: Vec<StepInput>,
}

#[derive(Debug, Deserialize)]
struct SpecInput {
    target: f64,
    total: f64,
    target_burst_capacity: f64,
    panic_threshold: f64,
    max_scale_up_rate: f64,
    max_scale_down_rate: f64,
    stable_window_s: f64,
    reachable: bool,
    #[serde(default)]
    activation_scale: u32,
    #[serde(default)]
    scale_down_delay_s: f64,
}

impl SpecInput {
    fn to_spec(&self) -> KpaSpec {
        KpaSpec {
            target: self.target,
            total: self.total,
            target_burst_capacity: self.target_burst_capacity,
            panic_threshold: self.panic_threshold,
            max_scale_up_rate: self.max_scale_up_rate,
            max_scale_down_rate: self.max_scale_down_rate,
            stable_window: span(self.stable_window_s),
            reachable: self.reachable,
            activation_scale: self.activation_scale,
            scale_down_delay: span(self.scale_down_delay_s),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct StartInput {
    ready_pods: ReadyInput,
    #[serde(default)]
    t_s: f64,
    #[serde(default)]
    panic_since_s: Option<f64>,
    #[serde(default)]
    panic_maximum: Option<u32>,
}

/// A count of ready pods, or the word `error`.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum ReadyInput {
    Pods(u32),
    Error(String),
}

impl ReadyInput {
    fn pods(&self) -> Result<Option<u32>, String> {
        match self {
            Self::Pods(pods) => Ok(Some(*pods)),
            Self::Error(word) if word == "error" => Ok(None),
            Self::Error(word) => Err(format!("ready_pods is `{word}`, expected a count or error")),
        }
    }
}

#[derive(Debug, Deserialize)]
struct StepInput {
    t_s: f64,
    ready_pods: ReadyInput,
    #[serde(default)]
    stable: Option<f64>,
    #[serde(default)]
    panic: Option<f64>,
    #[serde(default)]
    spec: Option<SpecInput>,
}

fn started(input: &StartInput) -> Result<KpaState, String> {
    let mut state = KpaState::start(at(input.t_s), input.ready_pods.pods()?);
    if let Some(since) = input.panic_since_s {
        state.panic_since = Some(at(since));
    }
    if let Some(maximum) = input.panic_maximum {
        state.panic_maximum = maximum;
    }
    Ok(state)
}

pub(crate) fn sequence(input: &SequenceInput) -> Result<Value, String> {
    let mut spec = input.spec.to_spec();
    let mut state = started(&input.start)?;
    let mut steps = Vec::new();
    for step in &input.steps {
        if let Some(changed) = &step.spec {
            spec = changed.to_spec();
        }
        let averages = step.stable.zip(step.panic).map(|(stable, panic)| Averages { stable, panic });
        let decision = decide(&spec, &mut state, at(step.t_s), step.ready_pods.pods()?, averages);
        steps.push(json!({
            "valid": decision.is_some(),
            "desired": decision.map(|decision| decision.desired),
            "excess_burst_capacity": decision.map(|decision| decision.excess_burst_capacity),
            "panic_since_s": state.panic_since.map(seconds_at),
        }));
    }
    Ok(json!({ "steps": steps }))
}

pub(crate) fn start(input: &StartInput) -> Result<Value, String> {
    let state = started(input)?;
    Ok(json!({ "panicking": state.panic_since.is_some(), "panic_maximum": state.panic_maximum }))
}
