//! The metrics of an autoscaler, and what the metrics APIs answered for them.

use alloc::string::String;
use alloc::vec::Vec;

use crate::need::NamedMetric;
use crate::policy::hpa::{PodUsage, PodValue, Resource};

/// Where a metric comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricSource {
    /// A resource, summed over the containers of each pod.
    Resource(Resource),
    /// A resource of one container of each pod.
    ContainerResource {
        /// The resource.
        resource: Resource,
        /// The container's name.
        container: String,
    },
    /// A custom metric of each pod, by its name and selector.
    Pods(NamedMetric),
    /// A metric of one object, by its name and selector. The lab has one object that metrics describe, its service.
    Object(NamedMetric),
    /// A metric from outside the cluster, by its name and selector.
    External(NamedMetric),
    /// A type of source that does not exist.
    Unknown(String),
}

impl MetricSource {
    /// Whether the metric needs no pods, and so can bring a target back from zero replicas.
    pub const fn is_independent_of_pods(&self) -> bool {
        matches!(self, Self::Object(_) | Self::External(_))
    }

    /// Whether this is the `cpu` resource of whole pods.
    pub fn is_pod_cpu(&self) -> bool {
        *self == Self::Resource(Resource::Cpu)
    }
}

/// What a metric should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricTarget {
    /// Mean usage in percent of the requests.
    Utilization {
        /// Percent.
        percent: i32,
    },
    /// Mean per pod.
    AverageValue {
        /// Thousandths.
        milli: i64,
    },
    /// The metric itself.
    Value {
        /// Thousandths.
        milli: i64,
    },
}

/// One metric of an autoscaler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Where it comes from.
    pub source: MetricSource,
    /// What it should be; none is an invalid metric.
    pub target: Option<MetricTarget>,
}

impl Metric {
    /// The metric of an autoscaler that names none: mean CPU utilisation of 80 %.
    ///
    /// Source: `pkg/apis/autoscaling/v2/defaults.go`, `SetDefaults_HorizontalPodAutoscaler`.
    pub const DEFAULT: Self = Self {
        source: MetricSource::Resource(Resource::Cpu),
        target: Some(MetricTarget::Utilization { percent: 80 }),
    };
}

/// What a metrics API answered. An empty list is an error of the metric, as upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetricAnswer {
    /// Usage of a resource, for Resource and `ContainerResource` metrics.
    Resource(Vec<PodUsage>),
    /// Values per pod, for Pods metrics.
    Pods(Vec<PodValue>),
    /// The value of an Object metric in thousandths.
    Object(i64),
    /// The series of an External metric in thousandths, to be summed.
    External(Vec<i64>),
    /// The API could not be asked, and why.
    Failed(String),
}
