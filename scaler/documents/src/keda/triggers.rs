//! Reads one trigger of a `ScaledObject`.

use scaler_engine::CronWindow;
use scaler_engine::hpa::Resource;
use scaler_engine::keda::{
    CRON_TARGET_MILLI, ExternalTargetType, KafkaOptions, OffsetResetPolicy, ResourceTarget, Trigger,
    TriggerTarget, exported_milli,
};

use super::metadata::Metadata;
use super::schedule::read_window;
use crate::fields::Fields;
use crate::problem::Problems;
use crate::quantity::{QUANTITY_HINT, parse_milli};
use crate::tree::Node;

/// A trigger.
#[derive(Clone, Debug, PartialEq)]
pub struct TriggerDocument {
    /// Its position in the list, from 0.
    pub position: usize,
    /// `name`.
    pub name: Option<String>,
    /// The name of its metric in the generated autoscaler.
    pub metric_name: String,
    /// `metricType`, where it is not `Utilization`.
    pub target_type: ExternalTargetType,
    /// `useCachedMetrics`.
    pub uses_cached_metrics: bool,
    /// What it measures.
    pub kind: TriggerKind,
}

/// What a trigger measures.
#[expect(clippy::large_enum_variant, reason = "an object has a handful of triggers")]
#[derive(Clone, Debug, PartialEq)]
pub enum TriggerKind {
    /// `prometheus`.
    Prometheus(PrometheusTrigger),
    /// `kafka`.
    Kafka(KafkaTrigger),
    /// `cron`.
    Cron(CronTrigger),
    /// `cpu` or `memory`.
    Resource(ResourceTrigger),
    /// `metrics-api`.
    MetricsApi(MetricsApiTrigger),
    /// A type that the lab does not follow, by its name.
    Unsupported(String),
}

/// A `prometheus` trigger.
#[derive(Clone, Debug, PartialEq)]
pub struct PrometheusTrigger {
    /// `serverAddress`.
    pub server: String,
    /// `query`.
    pub query: String,
    /// `threshold`.
    pub threshold: f64,
    /// `activationThreshold`.
    pub activation_threshold: f64,
    /// `ignoreNullValues`.
    pub ignore_null_values: bool,
}

/// A `kafka` trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KafkaTrigger {
    /// `topic`; none counts all topics of the group.
    pub topic: Option<String>,
    /// `consumerGroup`.
    pub group: String,
    /// Thresholds and options.
    pub options: KafkaOptions,
}

/// A `cron` trigger.
#[derive(Clone, Debug, PartialEq)]
pub struct CronTrigger {
    /// When it holds.
    pub window: CronWindow,
    /// `desiredReplicas`.
    pub desired: u32,
}

/// A `cpu` or `memory` trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceTrigger {
    /// Which of the two.
    pub resource: Resource,
    /// `containerName`.
    pub container: Option<String>,
    /// Its target.
    pub target: ResourceTarget,
}

/// A `metrics-api` trigger.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricsApiTrigger {
    /// `url`.
    pub url: String,
    /// `valueLocation`.
    pub location: String,
    /// `targetValue`.
    pub target: f64,
    /// `activationTargetValue`.
    pub activation_target: f64,
}

impl TriggerDocument {
    /// The trigger as the autoscaler sees it; none if it is not supported.
    pub(crate) fn as_metric(&self) -> Option<Trigger> {
        let external = |milli| TriggerTarget::External { target_type: self.target_type, milli };
        let target = match &self.kind {
            TriggerKind::Prometheus(trigger) => external(exported_milli(trigger.threshold)),
            TriggerKind::Kafka(trigger) => external(trigger.options.lag_threshold.saturating_mul(1_000)),
            TriggerKind::Cron(_) => external(CRON_TARGET_MILLI),
            TriggerKind::MetricsApi(trigger) => external(exported_milli(trigger.target)),
            TriggerKind::Resource(trigger) => TriggerTarget::Resource {
                resource: trigger.resource.clone(),
                container: trigger.container.clone(),
                target: trigger.target,
            },
            TriggerKind::Unsupported(_) => return None,
        };
        Some(Trigger { name: self.metric_name.clone(), target })
    }
}

/// What `metricType` says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WrittenType {
    External(ExternalTargetType),
    Utilization,
}

pub(super) fn read_trigger(node: &Node, position: usize, problems: &mut Problems) -> Option<TriggerDocument> {
    let path = format!("spec.triggers[{position}]");
    let mut fields = Fields::of(node, &path, problems)?;
    let hint = "prometheus, kafka, cron, cpu, memory or metrics-api; others are named as unsupported";
    let kind = fields.required_text("type", "the type of the trigger", hint, problems);
    let name = fields.text("name", problems).map(str::to_owned);
    let uses_cached_metrics = fields.flag("useCachedMetrics", problems).unwrap_or(false);
    let words = [
        ("AverageValue", WrittenType::External(ExternalTargetType::AverageValue)),
        ("Value", WrittenType::External(ExternalTargetType::Value)),
        ("Utilization", WrittenType::Utilization),
    ];
    let written = fields.one_of("metricType", &words, problems);
    if fields.take("metadata").is_none() {
        problems.missing(&fields.at("metadata"), "the settings of the trigger", "add metadata: below type:");
    }
    let node = fields.take("metadata");
    let mut metadata = Metadata::of(node, fields.at("metadata"), problems);
    fields.pass_over(&["authenticationRef"]);
    fields.finish(problems);
    let kind = kind?;
    let (kind, metric) = match kind {
        "prometheus" => read_prometheus(&mut metadata, problems)?,
        "kafka" => read_kafka(&mut metadata, problems)?,
        "cron" => read_cron(&mut metadata, problems)?,
        "cpu" | "memory" => read_resource(kind, written, &mut metadata, problems)?,
        "metrics-api" => read_metrics_api(&mut metadata, problems)?,
        other => {
            let field = format!("{path}.type");
            let message = format!(
                "`{field}` is `{}`, which the lab does not follow: the trigger is left out",
                excerpt::excerpt(other)
            );
            problems.notice(&field, message);
            let kind = TriggerKind::Unsupported(other.to_owned());
            let metric_name = format!("s{position}-{}", normalized(other));
            let target_type = ExternalTargetType::default();
            return Some(TriggerDocument {
                position,
                name,
                metric_name,
                target_type,
                uses_cached_metrics,
                kind,
            });
        }
    };
    metadata.finish(problems);
    let is_resource = matches!(kind, TriggerKind::Resource(_));
    if written == Some(WrittenType::Utilization) && !is_resource {
        let field = format!("{path}.metricType");
        problems.wrong(
            &field,
            "Utilization",
            "AverageValue or Value",
            "only cpu and memory have percentages",
        );
    }
    let target_type = match written {
        Some(WrittenType::External(target_type)) => target_type,
        _ => ExternalTargetType::default(),
    };
    let metric_name = if is_resource { metric } else { format!("s{position}-{}", normalized(&metric)) };
    Some(TriggerDocument { position, name, metric_name, target_type, uses_cached_metrics, kind })
}

fn read_prometheus(metadata: &mut Metadata, problems: &mut Problems) -> Option<(TriggerKind, String)> {
    let server = metadata.required("serverAddress", "http://prometheus:9090", problems);
    let query = metadata.required("query", "sum(rate(http_requests_total[1m]))", problems);
    let given = metadata.required("threshold", "100", problems);
    let threshold = metadata.number("threshold", 0.0, problems);
    let activation = metadata.number("activationThreshold", f64::NEG_INFINITY, problems).unwrap_or(0.0);
    let ignore_null_values = metadata.flag("ignoreNullValues", problems).unwrap_or(true);
    metadata.pass_over(&[
        "metricName",
        "namespace",
        "customHeaders",
        "unsafeSsl",
        "authModes",
        "queryParameters",
        "timeout",
        "awsRegion",
    ]);
    let trigger = PrometheusTrigger {
        server: server?,
        query: query?,
        threshold: threshold.filter(|_| given.is_some())?,
        activation_threshold: activation,
        ignore_null_values,
    };
    Some((TriggerKind::Prometheus(trigger), "prometheus".into()))
}

fn read_kafka(metadata: &mut Metadata, problems: &mut Problems) -> Option<(TriggerKind, String)> {
    let before = problems.found.len();
    metadata.required("bootstrapServers", "kafka:9092", problems);
    let group = metadata.required("consumerGroup", "my-group", problems);
    let topic = metadata.text("topic").map(str::to_owned);
    let defaults = KafkaOptions::default();
    let lag_threshold = metadata.whole("lagThreshold", 1, problems).unwrap_or(defaults.lag_threshold);
    let activation = metadata.whole("activationLagThreshold", 0, problems).unwrap_or(0);
    let policy = match metadata.text("offsetResetPolicy") {
        None | Some("latest") => OffsetResetPolicy::Latest,
        Some("earliest") => OffsetResetPolicy::Earliest,
        Some(other) => {
            let value = format!("`{}`", excerpt::excerpt(other));
            problems.wrong(
                &metadata.at("offsetResetPolicy"),
                value,
                "latest or earliest",
                "the default is latest",
            );
            OffsetResetPolicy::Latest
        }
    };
    let options = KafkaOptions {
        lag_threshold,
        activation_lag_threshold: activation,
        offset_reset_policy: policy,
        allow_idle_consumers: metadata.flag("allowIdleConsumers", problems).unwrap_or(false),
        exclude_persistent_lag: metadata.flag("excludePersistentLag", problems).unwrap_or(false),
        scale_to_zero_on_invalid_offset: metadata
            .flag("scaleToZeroOnInvalidOffset", problems)
            .unwrap_or(false),
        limit_to_partitions_with_lag: metadata.flag("limitToPartitionsWithLag", problems).unwrap_or(false),
        ensure_even_distribution: metadata
            .flag("ensureEvenDistributionOfPartitions", problems)
            .unwrap_or(false),
    };
    if options.allow_idle_consumers && options.limit_to_partitions_with_lag {
        let field = metadata.at("allowIdleConsumers");
        let message = format!("`{field}` and limitToPartitionsWithLag are both true, expected one of them");
        problems.say(
            &field,
            message,
            "KEDA refuses both together: the one lifts the bound, the other narrows it",
        );
    }
    metadata.pass_over(&[
        "version",
        "partitionLimitation",
        "sasl",
        "tls",
        "saslTokenProvider",
        "unsafeSsl",
        "awsRegion",
    ]);
    if problems.found.len() > before {
        return None;
    }
    let metric = format!("kafka-{}", topic.as_deref().or(group.as_deref()).unwrap_or_default());
    Some((TriggerKind::Kafka(KafkaTrigger { topic, group: group?, options }), metric))
}

fn read_cron(metadata: &mut Metadata, problems: &mut Problems) -> Option<(TriggerKind, String)> {
    let window = read_window(metadata, problems);
    let given = metadata.required("desiredReplicas", "3", problems);
    let desired = metadata.whole("desiredReplicas", 0, problems).and_then(|count| u32::try_from(count).ok());
    let (window, desired) = (window?, desired.filter(|_| given.is_some())?);
    let [timezone, start, end] = window.written();
    let named = |expression: &str| {
        expression.replace(' ', "").replace('*', "x").replace('/', "Sl").replace('?', "Qm")
    };
    let metric = format!("cron-{timezone}-{}-{}", named(start), named(end));
    Some((TriggerKind::Cron(CronTrigger { window, desired }), metric))
}

fn read_resource(
    name: &str,
    written: Option<WrittenType>,
    metadata: &mut Metadata,
    problems: &mut Problems,
) -> Option<(TriggerKind, String)> {
    let value = metadata.required("value", "60", problems);
    let container = metadata.text("containerName").map(str::to_owned);
    let old_type = match metadata.text("type") {
        None => None,
        Some("Utilization") => Some(WrittenType::Utilization),
        Some("AverageValue") => Some(WrittenType::External(ExternalTargetType::AverageValue)),
        Some(other) => {
            let value = format!("`{}`", excerpt::excerpt(other));
            problems.wrong(
                &metadata.at("type"),
                value,
                "Utilization or AverageValue",
                "better: metricType beside type",
            );
            None
        }
    };
    if written.is_none() && old_type.is_some() {
        let field = metadata.at("type");
        problems.notice(
            &field,
            format!("`{field}` is deprecated; KEDA wants metricType beside the trigger's type"),
        );
    }
    let field = metadata.at("value");
    let value = value?;
    let shown = format!("`{}`", excerpt::excerpt(&value));
    let target = match written.or(old_type).unwrap_or(WrittenType::Utilization) {
        WrittenType::Utilization => match value.parse::<i32>() {
            Ok(percent) if percent > 0 => ResourceTarget::Utilization { percent },
            _ => {
                problems.wrong(
                    &field,
                    shown,
                    "percent of the requests, a whole number above 0",
                    "\"60\", for example",
                );
                return None;
            }
        },
        WrittenType::External(_) => match parse_milli(&value) {
            Some(milli) if milli > 0 => ResourceTarget::AverageValue { milli },
            _ => {
                problems.wrong(&field, shown, "a quantity above 0", QUANTITY_HINT);
                return None;
            }
        },
    };
    let trigger = ResourceTrigger { resource: Resource::named(name), container, target };
    Some((TriggerKind::Resource(trigger), name.to_owned()))
}

fn read_metrics_api(metadata: &mut Metadata, problems: &mut Problems) -> Option<(TriggerKind, String)> {
    let url = metadata.required("url", "http://api:8080/metrics", problems);
    let location = metadata.required("valueLocation", "queue.length", problems);
    let given = metadata.required("targetValue", "10", problems);
    let target = metadata.number("targetValue", 0.0, problems);
    let activation_target =
        metadata.number("activationTargetValue", f64::NEG_INFINITY, problems).unwrap_or(0.0);
    metadata.pass_over(&[
        "format",
        "authMode",
        "method",
        "keyParamName",
        "unsafeSsl",
        "aggregateFromKubeServiceEndpoints",
        "aggregationType",
    ]);
    let location = location?;
    let metric = format!("metric-api-{location}");
    let target = target.filter(|_| given.is_some())?;
    Some((
        TriggerKind::MetricsApi(MetricsApiTrigger { url: url?, location, target, activation_target }),
        metric,
    ))
}

/// A name as KEDA makes it fit for the metrics API.
///
/// Source: `pkg/util/normalize_string.go`, `NormalizeString`.
fn normalized(name: &str) -> String {
    name.replace(['/', '.', ':', '%', '(', ')'], "-")
}
