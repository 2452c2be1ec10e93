//! Decides as KEDA 2.20 would: activation between zero and the minimum, and the metrics its HPA is fed with.
//!
//! KEDA itself only moves a target between zero (or its idle count) and its minimum; from there on a
//! `HorizontalPodAutoscaler` that it generates scales by External metrics. [`generate_hpa`] gives that autoscaler
//! as data for [`crate::hpa`], and the functions per trigger give the values it sees.

mod activity;
mod cron;
mod executor;
mod exported;
mod fallback;
mod history;
mod kafka;
mod metrics_api;
mod policy;
mod prometheus;
mod quantity;
mod queries;
mod reason;
mod rules;
mod scaled_object;
mod shown;
mod spec;

pub use activity::{Activity, TriggerOutcome};
pub use cron::{CRON_TARGET_MILLI, cron_metric};
pub use executor::{Activation, ActivationSettings, POLLING_INTERVAL, Readiness, TargetSeen, activate};
pub use exported::{TriggerMetric, exported_milli};
pub use fallback::{
    Answered, Fallback, FallbackBehavior, FallbackError, FallbackTarget, Query, answer_query,
};
pub use history::{Activating, ScaledObjectHistory};
pub use kafka::{
    BrokerError, KafkaMetric, KafkaOptions, KafkaPartition, LatestOffset, NO_COMMIT, OffsetMemory,
    OffsetResetPolicy, PartitionLag, PartitionOffsets, divisors, even_factor, kafka_metric, partition_lag,
};
pub use metrics_api::{MetricsApiError, MetricsApiValue, metrics_api_metric, metrics_api_value};
pub use policy::ScaledObjectPolicy;
pub use prometheus::{
    PrometheusAnswer, PrometheusError, PrometheusValue, prometheus_metric, prometheus_value,
};
pub use quantity::{QuantityError, parse_quantity};
pub use reason::ScaledObjectReason;
pub use scaled_object::{
    ExternalTargetType, ResourceTarget, ScaledObject, ScaledObjectError, Trigger, TriggerTarget, generate_hpa,
};
pub use spec::{PolledTrigger, ScaledObjectSpec, TriggerSource};
