//! What a policy means, whatever its document: bounds, metrics with targets, rates and windows.

use std::time::Duration;

use scaler_engine::hpa::{
    Behavior, MetricSource, MetricTarget, Resource, ScalingChange, ScalingPolicy, ScalingRules,
};
use scaler_engine::{ThresholdSettings, Unit};

use crate::hpa::HpaDocument;
use crate::keda::{ScaledObjectDocument, TriggerKind};
use crate::manifest::{Document, Manifest};
use crate::subject::Subject;
use crate::target::ObjectReference;

/// A policy without its form.
#[derive(Clone, Debug, PartialEq)]
pub struct Intent {
    /// Its name.
    pub name: String,
    /// What it scales.
    pub target: ObjectReference,
    /// The fewest replicas.
    pub min_replicas: u32,
    /// The most replicas.
    pub max_replicas: u32,
    /// What is measured.
    pub metrics: Vec<IntentMetric>,
    /// Rates and windows.
    pub behavior: Option<Behavior>,
    /// Between zero and the minimum: how long nothing must be active.
    pub cooldown: Option<Duration>,
    /// What is lost whatever the format.
    pub lost: Vec<String>,
}

/// A metric with its target.
#[derive(Clone, Debug, PartialEq)]
pub struct IntentMetric {
    /// What is measured.
    pub measure: Measure,
    /// What it should be.
    pub target: MetricTarget,
}

/// What is measured.
#[derive(Clone, Debug, PartialEq)]
pub enum Measure {
    /// A resource of the pods, or of one of their containers.
    Resource(Resource, Option<String>),
    /// A metric that each pod has.
    Pods(String),
    /// A metric of one object.
    Object(String, ObjectReference),
    /// A metric from outside.
    External(String),
    /// A query of a Prometheus: its address, the query, and above what it is active.
    Query {
        /// The Prometheus' address.
        server: String,
        /// The query.
        query: String,
        /// The value above which the trigger is active.
        activation: f64,
    },
    /// A window of a calendar, in which so many replicas are wanted.
    Schedule {
        /// Time zone, start and end.
        window: [String; 3],
        /// The replicas.
        desired: u32,
    },
}

impl Intent {
    /// The intent of the first document that scales; none for Knative's, whose rules have no counterpart.
    pub fn of(manifest: &Manifest) -> Option<Self> {
        manifest.documents.iter().find_map(|document| match document {
            Document::Hpa(hpa) => Some(Self::of_hpa(hpa)),
            Document::ScaledObject(object) => {
                Some(Self::of_scaled_object(object, &Subject::of(document, &[manifest])?))
            }
            _ => None,
        })
    }

    fn of_hpa(hpa: &HpaDocument) -> Self {
        let mut lost = Vec::new();
        let metrics = hpa.spec.metrics.iter().zip(&hpa.details).filter_map(|(metric, details)| {
            let measure = match &metric.source {
                MetricSource::Resource(resource) => Measure::Resource(resource.clone(), None),
                MetricSource::ContainerResource { resource, container } => {
                    Measure::Resource(resource.clone(), Some(container.clone()))
                }
                MetricSource::Pods(metric) => Measure::Pods(metric.name.clone()),
                MetricSource::Object(metric) => {
                    Measure::Object(metric.name.clone(), details.described.clone()?)
                }
                MetricSource::External(metric) => Measure::External(metric.name.clone()),
                _ => return None,
            };
            if let MetricSource::Pods(named) | MetricSource::Object(named) | MetricSource::External(named) =
                &metric.source
                && !named.labels.is_empty()
            {
                lost.push(format!("the selector of {}", named.name));
            }
            Some(IntentMetric { measure, target: metric.target? })
        });
        let metrics = metrics.collect();
        Self {
            name: hpa.header.name.clone(),
            target: hpa.target.clone(),
            min_replicas: hpa.spec.min_replicas,
            max_replicas: hpa.spec.max_replicas,
            metrics,
            behavior: hpa.spec.behavior.clone(),
            cooldown: None,
            lost,
        }
    }

    fn of_scaled_object(object: &ScaledObjectDocument, subject: &Subject<'_>) -> Self {
        let mut lost = Vec::new();
        let metrics = subject.metrics.iter().filter_map(|metric| {
            let Some(trigger) = metric.trigger else {
                lost.push("the formula of scalingModifiers".to_owned());
                return None;
            };
            let measure = match &trigger.kind {
                TriggerKind::Resource(resource) => {
                    Measure::Resource(resource.resource.clone(), resource.container.clone())
                }
                TriggerKind::Prometheus(prometheus) => Measure::Query {
                    server: prometheus.server.clone(),
                    query: prometheus.query.clone(),
                    activation: prometheus.activation_threshold,
                },
                TriggerKind::Cron(cron) => Measure::Schedule {
                    window: cron.window.written().map(str::to_owned),
                    desired: cron.desired,
                },
                TriggerKind::Kafka(_) | TriggerKind::MetricsApi(_) | TriggerKind::Unsupported(_) => {
                    Measure::External(trigger.metric_name.clone())
                }
            };
            Some(IntentMetric { measure, target: metric.metric.target? })
        });
        let metrics = metrics.collect();
        for trigger in &object.triggers {
            if let TriggerKind::Unsupported(name) = &trigger.kind {
                lost.push(format!("the trigger of type {name}"));
            }
        }
        if object.fallback.is_some() {
            lost.push("the fallback".to_owned());
        }
        Self {
            name: object.header.name.clone(),
            target: object.target.clone(),
            min_replicas: object.object.min_replicas.unwrap_or(0),
            max_replicas: subject.spec.max_replicas,
            metrics,
            behavior: object.object.behavior.clone(),
            cooldown: Some(object.activation.cooldown),
            lost,
        }
    }

    /// The intent of a threshold policy: its upper threshold becomes the target.
    pub fn of_threshold(name: &str, settings: &ThresholdSettings) -> Self {
        let signal = settings.signal;
        let mut lost = vec![format!(
            "two thresholds: the target is {}, above which replicas are added; they are removed below it as well, not only \
             below {}",
            signal.amount(settings.scale_up_threshold),
            signal.amount(settings.scale_down_threshold)
        )];
        if settings.scale_up_checks > 1 || settings.scale_down_checks > 1 {
            lost.push(format!(
                "{} checks in a row before an action up, {} before one down: windows stand in",
                settings.scale_up_checks, settings.scale_down_checks
            ));
        }
        if signal.unit() == Unit::Seconds {
            lost.push(format!("{} is a time: the formula takes it for work that pods share", signal.name()));
        }
        let milli = |value: f64| scaler_engine::keda::exported_milli(value).max(1);
        let target = if settings.per_replica || signal.unit() != Unit::PerSecond {
            MetricTarget::AverageValue { milli: milli(settings.scale_up_threshold) }
        } else {
            lost.push(
                "a threshold for the whole service: it became one per pod at the fewest replicas".to_owned(),
            );
            let each = settings.scale_up_threshold / f64::from(settings.min_replicas.max(1));
            MetricTarget::AverageValue { milli: milli(each) }
        };
        let one_per = |period: Duration, window: Duration| ScalingRules {
            policies: Some(vec![ScalingPolicy {
                change: ScalingChange::Pods(1),
                period: whole_period(period),
            }]),
            stabilization_window: Some(window),
            ..ScalingRules::default()
        };
        let span = |checks: u32| settings.check_interval * checks.saturating_sub(1);
        let behavior = Behavior {
            scale_up: Some(one_per(settings.scale_up_cooldown, span(settings.scale_up_checks))),
            scale_down: Some(one_per(settings.scale_down_cooldown, span(settings.scale_down_checks))),
        };
        Self {
            name: name.to_owned(),
            target: ObjectReference {
                api_version: Some("apps/v1".into()),
                kind: "Deployment".into(),
                name: "webapp".into(),
            },
            min_replicas: settings.min_replicas,
            max_replicas: settings.max_replicas,
            metrics: vec![IntentMetric { measure: Measure::Pods(signal.name().to_owned()), target }],
            behavior: Some(behavior),
            cooldown: None,
            lost,
        }
    }
}

/// A period that Kubernetes takes: whole seconds from 1 to 1800.
fn whole_period(span: Duration) -> Duration {
    Duration::from_secs(span.as_secs().clamp(1, 1_800))
}
