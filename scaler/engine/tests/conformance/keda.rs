//! Vectors of KEDA.

use scaler_engine::Age;
use scaler_engine::hpa::{self, ControllerSettings, Evaluation, Tolerances};
use scaler_engine::keda::{
    ActivationSettings, Fallback, FallbackBehavior, FallbackError, FallbackTarget, KafkaOptions,
    LatestOffset, OffsetResetPolicy, PartitionOffsets, PrometheusAnswer, PrometheusError, PrometheusValue,
    Query, Readiness, TargetSeen, activate, answer_query, divisors, even_factor, kafka_metric, partition_lag,
    prometheus_metric, prometheus_value,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::instants::span;
use crate::vector::Vector;

/// Plays a vector of this family.
pub(crate) fn play(vector: &Vector) -> Result<Value, String> {
    match vector.kind.as_str() {
        "keda_divisors" => Ok(play_divisors(&vector.input()?)),
        "keda_even_factor" => Ok(play_even_factor(&vector.input()?)),
        "keda_partition_lag" => play_partition_lag(&vector.input()?),
        "keda_kafka_metric" => play_kafka_metric(&vector.input()?),
        "keda_prometheus" => Ok(play_prometheus(&vector.input()?)),
        "keda_executor" => Ok(play_executor(&vector.input()?)),
        "keda_fallback" => Ok(play_fallback(&vector.input()?)),
        _ => Err(vector.unknown_kind()),
    }
}

#[derive(Debug, Deserialize)]
struct DivisorsInput {
    partitions: u32,
}

fn play_divisors(input: &DivisorsInput) -> Value {
    json!({ "divisors": divisors(input.partitions) })
}

#[derive(Debug, Deserialize)]
struct EvenFactorInput {
    lag: i64,
    partitions: u32,
    lag_threshold: i64,
}

fn play_even_factor(input: &EvenFactorInput) -> Value {
    json!({ "factor": even_factor(input.lag, input.partitions, input.lag_threshold) })
}

#[derive(Debug, Deserialize)]
struct PartitionInput {
    #[serde(rename = "committed_offset")]
    committed: i64,
    #[serde(default, rename = "latest_offset")]
    latest: Option<i64>,
    #[serde(default, rename = "previous_committed_offset")]
    previous_committed: Option<i64>,
}

impl PartitionInput {
    fn to_offsets(&self) -> PartitionOffsets {
        PartitionOffsets {
            committed: self.committed,
            latest: self.latest.map_or(LatestOffset::Absent, LatestOffset::At),
            previous_committed: self.previous_committed,
        }
    }
}

#[expect(clippy::struct_excessive_bools, reason = "the layout of the vectors")]
#[derive(Debug, Deserialize)]
struct OptionsInput {
    #[serde(default)]
    lag_threshold: Option<i64>,
    #[serde(default)]
    activation_lag_threshold: i64,
    #[serde(default)]
    offset_reset_policy: OffsetResetPolicy,
    #[serde(default)]
    allow_idle_consumers: bool,
    #[serde(default)]
    exclude_persistent_lag: bool,
    #[serde(default)]
    scale_to_zero_on_invalid_offset: bool,
    #[serde(default)]
    limit_to_partitions_with_lag: bool,
    #[serde(default)]
    ensure_even_distribution: bool,
}

impl OptionsInput {
    fn to_options(&self) -> KafkaOptions {
        KafkaOptions {
            lag_threshold: self.lag_threshold.unwrap_or(KafkaOptions::default().lag_threshold),
            activation_lag_threshold: self.activation_lag_threshold,
            offset_reset_policy: self.offset_reset_policy,
            allow_idle_consumers: self.allow_idle_consumers,
            exclude_persistent_lag: self.exclude_persistent_lag,
            scale_to_zero_on_invalid_offset: self.scale_to_zero_on_invalid_offset,
            limit_to_partitions_with_lag: self.limit_to_partitions_with_lag,
            ensure_even_distribution: self.ensure_even_distribution,
        }
    }
}

#[derive(Debug, Deserialize)]
struct PartitionLagInput {
    partition: PartitionInput,
    options: OptionsInput,
}

fn play_partition_lag(input: &PartitionLagInput) -> Result<Value, String> {
    let lag = partition_lag(&input.partition.to_offsets(), &input.options.to_options())
        .map_err(|error| error.to_string())?;
    Ok(json!({ "lag": lag.scaling, "activation_lag": lag.activation }))
}

#[derive(Debug, Deserialize)]
struct KafkaInput {
    partitions: Vec<PartitionInput>,
    options: OptionsInput,
    #[serde(default)]
    hpa: Option<HpaInput>,
}

#[derive(Debug, Deserialize)]
struct HpaInput {
    status_replicas: u32,
    tolerance: f64,
}

fn play_kafka_metric(input: &KafkaInput) -> Result<Value, String> {
    let options = input.options.to_options();
    let offsets: Vec<PartitionOffsets> = input.partitions.iter().map(PartitionInput::to_offsets).collect();
    let metric = kafka_metric(&offsets, &options).map_err(|error| error.to_string())?;
    let settings = ControllerSettings::default();
    let proposal = input.hpa.as_ref().map(|hpa| {
        let status = hpa.status_replicas;
        let evaluation = Evaluation::new(&[], status, status, &settings, Tolerances::both(hpa.tolerance));
        let (total, target) = (metric.lag.saturating_mul(1_000), options.lag_threshold.saturating_mul(1_000));
        hpa::proposal_for_average_value(total, target, &evaluation).replicas
    });
    Ok(json!({ "metric": metric.lag, "active": metric.active, "hpa_proposal": proposal }))
}

#[derive(Debug, Deserialize)]
struct PrometheusInput {
    response: ResponseInput,
    ignore_null_values: bool,
    #[serde(default)]
    activation_threshold: f64,
}

#[derive(Debug, Deserialize)]
struct ResponseInput {
    status: u16,
    #[serde(default)]
    result: Option<Vec<Vec<Value>>>,
}

impl ResponseInput {
    fn to_answer(&self) -> PrometheusAnswer {
        let value = |pair: &Vec<Value>| match pair.as_slice() {
            [] => PrometheusValue::Empty,
            [_] => PrometheusValue::Short,
            [_, Value::Null, ..] => PrometheusValue::Null,
            [_, Value::String(text), ..] => PrometheusValue::Text(text.clone()),
            [_, other, ..] => PrometheusValue::Text(other.to_string()),
        };
        let results = self.result.iter().flatten().map(value).collect();
        PrometheusAnswer { http_status: self.status, results }
    }
}

fn play_prometheus(input: &PrometheusInput) -> Value {
    match prometheus_value(&input.response.to_answer(), input.ignore_null_values) {
        Ok(value) => {
            let metric = prometheus_metric(value, input.activation_threshold);
            json!({ "value": value, "metric_milli": metric.value_milli, "active": metric.active })
        }
        Err(error) => json!({ "error": prometheus_error_name(&error), "message": error.to_string() }),
    }
}

const fn prometheus_error_name(error: &PrometheusError) -> &'static str {
    match error {
        PrometheusError::HttpStatus(_) => "http_status",
        PrometheusError::EmptyResult => "empty_result",
        PrometheusError::SeveralResults(_) => "several_results",
        PrometheusError::ShortValue => "short_value",
        PrometheusError::NotANumber => "not_a_number",
        PrometheusError::NotFinite => "not_finite",
    }
}

#[expect(clippy::struct_excessive_bools, reason = "the layout of the vectors")]
#[derive(Debug, Deserialize)]
struct ExecutorInput {
    current_replicas: u32,
    #[serde(default)]
    min_replicas: Option<u32>,
    #[serde(default)]
    idle_replicas: Option<u32>,
    active: bool,
    error: bool,
    #[serde(default)]
    fallback_replicas: Option<i64>,
    #[serde(default)]
    last_active_age_s: Option<f64>,
    creation_age_s: f64,
    cooldown_s: f64,
    initial_cooldown_s: f64,
    #[serde(default)]
    force_activation: bool,
    #[serde(default)]
    paused: bool,
    #[serde(default)]
    paused_scale_in: bool,
    #[serde(default)]
    paused_scale_out: bool,
}

fn play_executor(input: &ExecutorInput) -> Value {
    let settings = ActivationSettings {
        min_replicas: input.min_replicas,
        idle_replicas: input.idle_replicas,
        fallback_replicas: input.fallback_replicas,
        cooldown: span(input.cooldown_s),
        initial_cooldown: span(input.initial_cooldown_s),
        force_activation: input.force_activation,
        paused: input.paused,
        paused_scale_in: input.paused_scale_in,
        paused_scale_out: input.paused_scale_out,
    };
    let seen = TargetSeen {
        current_replicas: input.current_replicas,
        active: input.active,
        error: input.error,
        last_active_age: input.last_active_age_s.map(Age::from_seconds),
        creation_age: Age::from_seconds(input.creation_age_s),
    };
    let activation = activate(&settings, &seen);
    let ready = match activation.ready {
        Readiness::Ready => "True",
        Readiness::TriggerError => "False",
        Readiness::PartialTriggerError => "Unknown",
    };
    json!({
        "replicas": activation.set_replicas.unwrap_or(input.current_replicas),
        "updated": activation.set_replicas.is_some(),
        "active": activation.active,
        "refresh_last_active": activation.refresh_last_active,
        "ready": ready,
    })
}

#[derive(Debug, Deserialize)]
struct FallbackQueryInput {
    query: String,
    #[serde(default)]
    value_milli: Option<i64>,
    failures_before: u32,
    #[serde(default)]
    fallback: Option<FallbackInput>,
    target_type: String,
    target_milli: i64,
    #[serde(default)]
    current_replicas: Option<u32>,
    #[serde(default)]
    ready_pods: Option<u32>,
}

#[derive(Debug, Deserialize)]
struct FallbackInput {
    failure_threshold: i64,
    replicas: i64,
    #[serde(default)]
    behavior: Option<FallbackBehavior>,
}

fn play_fallback(input: &FallbackQueryInput) -> Value {
    let fallback = input.fallback.as_ref().map(|fallback| Fallback {
        failure_threshold: fallback.failure_threshold,
        replicas: fallback.replicas,
        behavior: fallback.behavior.unwrap_or_default(),
    });
    let milli = input.target_milli;
    let target = if input.target_type == "Value" {
        FallbackTarget::Value { milli }
    } else {
        FallbackTarget::AverageValue { milli }
    };
    let query = Query {
        value_milli: input.value_milli.filter(|_| input.query == "ok"),
        target,
        current_replicas: input.current_replicas,
        ready_pods: input.ready_pods,
    };
    let mut failures = input.failures_before;
    match answer_query(fallback.as_ref(), &mut failures, &query) {
        Ok(answered) => json!({
            "metric_milli": answered.metric_milli,
            "fallback_active": answered.fallback_active,
            "failures_after": failures,
        }),
        Err(error) => {
            let name = match error {
                FallbackError::QueryFailed => "query_failed",
                FallbackError::FallbackFailed => "fallback_failed",
            };
            json!({ "error": name, "fallback_active": false, "failures_after": failures })
        }
    }
}
