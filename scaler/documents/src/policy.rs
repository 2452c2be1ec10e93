//! Makes of a manifest the policy that drives the loop.

use scaler_engine::hpa::{ControllerSettings, HpaPolicy};
use scaler_engine::keda::{PolledTrigger, ScaledObjectPolicy, ScaledObjectSpec, TriggerSource};
use scaler_engine::knative::{Algorithm, KnativePolicy, KnativeSpec};
use scaler_engine::{AnyPolicy, NamedMetric, PolicyError};

use crate::keda::{ScaledObjectDocument, TriggerDocument, TriggerKind};
use crate::knative::KnativeDocument;
use crate::manifest::{Document, Manifest};
use crate::problem::Problem;
use crate::tree::Lines;

/// What is laid over a document before it is followed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PolicySettings {
    /// The settings of the controller manager.
    pub controller: ControllerSettings,
    /// In place of the document's minimum.
    pub min_replicas: Option<u32>,
    /// In place of the document's maximum.
    pub max_replicas: Option<u32>,
}

/// The name and the policy of the one document that scales.
///
/// # Errors
/// The first of the manifest's problems; a second document that scales; or what the loop cannot follow, such as more
/// replicas than there can be.
pub fn policy_of(manifest: &Manifest, settings: &PolicySettings) -> Result<(String, AnyPolicy), Problem> {
    if let Some(problem) = manifest.problems.first() {
        return Err(problem.clone());
    }
    let mut policies = manifest.policies();
    let nothing = || {
        Problem::of_text(
            None,
            "no document of the file scales anything, expected one that does",
            "add a HorizontalPodAutoscaler",
        )
    };
    let first = policies.next().ok_or_else(nothing)?;
    if let Some(second) = policies.next() {
        let message = "a second document that scales begins here, expected one in a file";
        return Err(Problem::of_text(line_of(second), message, "keep each in a file of its own"));
    }
    match first {
        Document::Hpa(hpa) => {
            let mut spec = hpa.spec.clone();
            spec.min_replicas = settings.min_replicas.unwrap_or(spec.min_replicas);
            spec.max_replicas = settings.max_replicas.unwrap_or(spec.max_replicas);
            let policy = HpaPolicy::new(spec, settings.controller);
            let policy =
                policy.map_err(|error| refusal(&error, &hpa.lines, |field| format!("spec.{field}")))?;
            Ok((hpa.header.name.clone(), policy.into()))
        }
        Document::ScaledObject(object) => {
            let policy = ScaledObjectPolicy::new(scaled_object_spec(object, settings)?, settings.controller);
            let policy =
                policy.map_err(|error| refusal(&error, &object.lines, |field| format!("spec.{field}")))?;
            Ok((object.header.name.clone(), policy.into()))
        }
        Document::Knative(service) => {
            let policy = KnativePolicy::new(knative_spec(service, settings));
            let policy = policy.map_err(|error| {
                refusal(&error, &service.lines, |field| {
                    format!(
                        "spec.template.metadata.annotations[autoscaling.knative.dev/{}]",
                        kebab_case(field)
                    )
                })
            })?;
            Ok((service.header.name.clone(), policy.into()))
        }
        _ => Err(nothing()),
    }
}

fn line_of(document: &Document) -> Option<u64> {
    match document {
        Document::Hpa(hpa) => Some(hpa.lines.of_field("")),
        Document::ScaledObject(object) => Some(object.lines.of_field("")),
        Document::Knative(service) => Some(service.lines.of_field("")),
        _ => None,
    }
}

fn refusal(error: &PolicyError, lines: &Lines, path: impl Fn(&str) -> String) -> Problem {
    let field = path(error.field);
    Problem {
        line: Some(lines.of_field(&field)),
        message: format!("`{field}` is {}, expected {}", error.value, error.expected),
        field,
        hint: error.hint.to_owned(),
    }
}

fn scaled_object_spec(
    object: &ScaledObjectDocument,
    settings: &PolicySettings,
) -> Result<ScaledObjectSpec, Problem> {
    if object.modifiers.is_some() {
        let field = "spec.advanced.scalingModifiers".to_owned();
        return Err(Problem {
            line: Some(object.lines.of_field(&field)),
            message: format!(
                "`{field}` is a formula, which the loop does not evaluate, expected triggers without one"
            ),
            field,
            hint: "remove it: the trigger that asks for most decides then".to_owned(),
        });
    }
    let min_replicas = settings.min_replicas.or(object.object.min_replicas);
    let mut activation = object.activation;
    activation.min_replicas = min_replicas;
    Ok(ScaledObjectSpec {
        min_replicas,
        max_replicas: settings.max_replicas.or(object.object.max_replicas),
        triggers: object.triggers.iter().filter_map(polled).collect(),
        behavior: object.object.behavior.clone(),
        activation,
        fallback: object.fallback,
        polling_interval: object.polling_interval,
        paused_replicas: object.paused_replicas,
    })
}

/// A trigger with where its value comes from; none if it is not supported.
fn polled(document: &TriggerDocument) -> Option<PolledTrigger> {
    let labelled = |name: &str, labels: &[(&str, &str)]| NamedMetric {
        name: name.to_owned(),
        labels: labels.iter().map(|(label, value)| ((*label).to_owned(), (*value).to_owned())).collect(),
    };
    let source = match &document.kind {
        TriggerKind::Resource(_) => TriggerSource::Resource,
        TriggerKind::Cron(cron) => {
            TriggerSource::Cron { window: cron.window.clone(), desired_replicas: cron.desired }
        }
        TriggerKind::Prometheus(prometheus) => TriggerSource::External {
            metric: labelled(&prometheus.query, &[]),
            activation: prometheus.activation_threshold,
        },
        TriggerKind::MetricsApi(api) => TriggerSource::External {
            metric: labelled(&api.url, &[("valueLocation", &api.location)]),
            activation: api.activation_target,
        },
        TriggerKind::Kafka(kafka) => TriggerSource::External {
            metric: labelled(
                "kafka_lag",
                &[("group", &kafka.group), ("topic", kafka.topic.as_deref().unwrap_or_default())],
            ),
            activation: kafka.options.activation_lag_threshold as f64,
        },
        TriggerKind::Unsupported(_) => return None,
    };
    let uses_cached_metrics = document.uses_cached_metrics;
    Some(PolledTrigger { trigger: document.as_metric()?, source, uses_cached_metrics })
}

fn knative_spec(service: &KnativeDocument, settings: &PolicySettings) -> KnativeSpec {
    let mut scale = service.settings;
    scale.min_scale = settings.min_replicas.unwrap_or(scale.min_scale);
    scale.max_scale = settings.max_replicas.unwrap_or(scale.max_scale);
    KnativeSpec {
        metric: service.metric,
        kpa: service.spec,
        scale,
        panic_window: service.panic_window,
        algorithm: Algorithm::default(),
    }
}

/// `minScale` as annotations write it.
fn kebab_case(name: &str) -> String {
    name.chars().fold(String::new(), |mut written, letter| {
        if letter.is_ascii_uppercase() {
            written.push('-');
        }
        written.push(letter.to_ascii_lowercase());
        written
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: &str = "metadata: {name: shop}\nspec:\n  scaleTargetRef: {kind: Deployment, name: shop}\n";

    fn hpa(rest: &str) -> String {
        format!("apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\n{TARGET}{rest}")
    }

    fn refused(text: &str) -> Problem {
        policy_of(&Manifest::read(text), &PolicySettings::default()).unwrap_err()
    }

    #[test]
    fn each_kind_becomes_its_policy_with_its_limits() {
        let keda = format!(
            "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\n{TARGET}  maxReplicaCount: 7\n  triggers:\n    - {{type: prometheus, metadata: {{serverAddress: 'http://p', query: up, threshold: '1'}}}}\n    \
             - {{type: cpu, metadata: {{value: '60'}}}}\n    - {{type: rabbitmq, metadata: {{}}}}\n"
        );
        let knative = "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: shop}\nspec: {template: {metadata: {annotations: {autoscaling.knative.dev/max-scale: '7'}}, spec: {containers: [{image: x}]}}}\n";
        for (text, kind) in [
            (hpa("  maxReplicas: 7\n"), "HorizontalPodAutoscaler"),
            (keda, "ScaledObject"),
            (knative.to_owned(), "KnativePolicy"),
        ] {
            use scaler_engine::Policy as _;
            let settings = PolicySettings { min_replicas: Some(2), ..PolicySettings::default() };
            let (name, policy) = policy_of(&Manifest::read(&text), &settings).unwrap();
            assert_eq!((name.as_str(), policy.kind()), ("shop", kind));
            assert_eq!((policy.limits().min(), policy.limits().max()), (2, 7), "{kind}");
        }
    }

    #[test]
    fn what_the_loop_cannot_follow_is_named_at_its_line() {
        let many = refused(&hpa("  maxReplicas: 2000000\n"));
        assert_eq!((many.line, many.field.as_str()), (Some(6), "spec.maxReplicas"), "{}", many.message);
        let two = refused(&format!("{0}---\n{0}", hpa("  maxReplicas: 7\n")));
        assert_eq!(two.line, Some(8), "{}", two.message);
        assert!(refused(&hpa("  maxReplicas: 0\n")).message.contains("at least 1"));
        let formula = format!(
            "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\n{TARGET}  advanced: {{scalingModifiers: {{formula: a, target: '1'}}}}\n  triggers: [{{type: cpu, name: a, metadata: {{value: '60'}}}}]\n"
        );
        assert!(refused(&formula).message.contains("formula"));
        assert_eq!(kebab_case("minScale"), "min-scale");
    }
}
