//! Reads the documents of Kubernetes, KEDA and Knative that scale: text in, typed specs and everything that is wrong out.
//!
//! Nothing here opens a file, asks a server or reads a clock. [`Manifest::read`] finds the documents of a text and checks
//! each as its own system would.
//!
//! ```
//! use scaler_documents::Manifest;
//! let text = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: shop}\n\
//!             spec:\n  scaleTargetRef: {kind: Deployment, name: shop}\n  minReplicas: 5\n  maxReplicas: 3\n";
//! let manifest = Manifest::read(text);
//! assert_eq!(manifest.problems.len(), 1);
//! assert_eq!((manifest.problems[0].line, &*manifest.problems[0].field), (Some(7), "spec.maxReplicas"));
//! ```

mod adapter_rules;
mod diff;
mod explain;
mod export;
mod fields;
mod header;
mod hpa;
mod keda;
mod knative;
mod lint;
mod manifest;
mod policy;
mod problem;
mod quantity;
mod subject;
mod target;
mod tree;
mod vpa;
mod workload;

pub use adapter_rules::AdapterRule;
pub use diff::{Decisive, Difference, decisive, decisive_own, diff};
pub use explain::{
    Assumptions, Chain, ExplainedMetric, Explanation, ServiceState, Step, explain, explain_own,
};
pub use export::{Export, Format, Intent, IntentMetric, Measure, export};
pub use header::Header;
pub use hpa::{HpaDocument, MetricDetails, TargetType};
pub use keda::{
    COMPOSITE_METRIC, CronTrigger, KafkaTrigger, MetricsApiTrigger, PrometheusTrigger, ResourceTrigger,
    ScaledObjectDocument, ScalingModifiers, TriggerDocument, TriggerKind,
};
pub use knative::KnativeDocument;
pub use lint::{Finding, LintSettings, RULES, Severity, lint};
pub use manifest::{Document, Manifest};
pub use policy::{PolicySettings, policy_of};
pub use problem::{Notice, Problem};
pub use quantity::{bytes_of_milli, parse_milli as parse_quantity_milli, quantity_of_milli, trimmed};
pub use target::ObjectReference;
pub use tree::Lines;
pub use vpa::VpaDocument;
pub use workload::{ContainerFacts, PodFacts, Probe, Workload};
