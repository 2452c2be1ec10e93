//! Vectors of targets and windows.

use scaler_engine::knative::{
    Algorithm, ScalingMetric, SlidingMax, TargetAnnotations, TargetConfig, WindowBuckets, panic_window,
    resolve_target,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::instants::{at, span};

#[derive(Debug, Deserialize)]
pub(crate) struct TargetInput {
    metric: MetricInput,
    container_concurrency: u32,
    #[serde(default)]
    target_annotation: Option<f64>,
    #[serde(default)]
    utilization_annotation_percent: Option<f64>,
    config: ConfigInput,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum MetricInput {
    Concurrency,
    Rps,
}

#[derive(Debug, Deserialize)]
struct ConfigInput {
    concurrency_target_utilization: f64,
    concurrency_target_default: f64,
    rps_target_default: f64,
    rps_target_utilization: f64,
}

pub(crate) fn target(input: &TargetInput) -> Value {
    let metric = match input.metric {
        MetricInput::Concurrency => ScalingMetric::Concurrency,
        MetricInput::Rps => ScalingMetric::Rps,
    };
    let annotations = TargetAnnotations {
        target: input.target_annotation,
        utilization_percent: input.utilization_annotation_percent,
    };
    let config = TargetConfig {
        concurrency_target_utilization: input.config.concurrency_target_utilization,
        concurrency_target_default: input.config.concurrency_target_default,
        rps_target_default: input.config.rps_target_default,
        rps_target_utilization: input.config.rps_target_utilization,
    };
    let resolved = resolve_target(metric, input.container_concurrency, &annotations, &config);
    json!({ "target": resolved.target, "total": resolved.total })
}

#[derive(Debug, Deserialize)]
pub(crate) struct PanicWindowInput {
    stable_window_s: f64,
    panic_window_percentage: f64,
}

pub(crate) fn panic_window_length(input: &PanicWindowInput) -> Value {
    let window = panic_window(span(input.stable_window_s), input.panic_window_percentage);
    json!({ "panic_window_s": window.as_secs_f64() })
}

#[derive(Debug, Deserialize)]
pub(crate) struct AverageInput {
    algorithm: Algorithm,
    window_s: f64,
    bucket_s: f64,
    ops: Vec<Operation>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
enum Operation {
    Record {
        t_s: f64,
        value: f64,
    },
    Average {
        t_s: f64,
        #[serde(default)]
        round_digits: Option<i32>,
    },
    Resize {
        window_s: f64,
    },
}

pub(crate) fn window_average(input: &AverageInput) -> Result<Value, String> {
    let mut window = WindowBuckets::new(input.algorithm, span(input.window_s), span(input.bucket_s))
        .map_err(|error| error.to_string())?;
    let mut averages = Vec::new();
    for operation in &input.ops {
        match operation {
            Operation::Record { t_s, value } => window.record(at(*t_s), *value),
            Operation::Resize { window_s } => {
                window.resize(span(*window_s)).map_err(|error| error.to_string())?;
            }
            Operation::Average { t_s, round_digits } => {
                let average = window.average(at(*t_s));
                averages.push(round_digits.map_or(average, |digits| {
                    let factor = 10_f64.powi(digits);
                    (average * factor).round() / factor
                }));
            }
        }
    }
    Ok(json!({ "averages": averages }))
}

#[derive(Debug, Deserialize)]
pub(crate) struct SlidingMaxInput {
    window_s: f64,
    bucket_s: f64,
    values: Vec<TimedValue>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct TimedValue {
    t_s: f64,
    value: i64,
}

pub(crate) fn sliding_max(input: &SlidingMaxInput) -> Value {
    let mut window = SlidingMax::new(span(input.window_s), span(input.bucket_s));
    let maxima: Vec<i64> =
        input.values.iter().map(|timed| window.record(at(timed.t_s), timed.value)).collect();
    json!({ "maxima": maxima })
}
