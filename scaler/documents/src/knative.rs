//! Reads the scaling annotations of a Knative `Service`, and refuses what Knative's webhook would.

mod annotations;

use std::time::Duration;

use scaler_engine::knative::{
    KpaSpec, PANIC_WINDOW_PERCENTAGE, ResolvedTarget, ScaleSettings, ScalingMetric, TargetAnnotations,
    TargetConfig, panic_window, resolve_target,
};

use crate::fields::Fields;
use crate::header::{Header, read_header, texts};
use crate::problem::Problems;
use crate::tree::Lines;
use crate::workload::{PodFacts, read_pod_spec};

use annotations::Annotations;

/// The class that the lab follows.
const KPA: &str = "kpa.autoscaling.knative.dev";

/// The hard limit of concurrency that Knative takes at most.
const CONCURRENCY_MAX: i32 = 1_000;

/// A Knative `Service` whose scaling settings are checked.
#[derive(Clone, Debug, PartialEq)]
pub struct KnativeDocument {
    /// Name, namespace, annotations of the Service itself.
    pub header: Header,
    /// What is scaled by.
    pub metric: ScalingMetric,
    /// `containerConcurrency`; 0 is without limit.
    pub container_concurrency: u32,
    /// What one pod should carry.
    pub target: ResolvedTarget,
    /// What decides.
    pub spec: KpaSpec,
    /// Bounds, and the way to zero.
    pub settings: ScaleSettings,
    /// The panic window.
    pub panic_window: Duration,
    /// The pods' template.
    pub pod: PodFacts,
    /// Where its fields stand.
    pub lines: Lines,
}

/// Reads a document of `serving.knative.dev/v1`.
pub(crate) fn read(document: &mut Fields<'_>, problems: &mut Problems) -> KnativeDocument {
    let header = read_header(document, problems);
    for name in header.annotations.keys().filter(|name| annotations::is_scaling(name)) {
        let field = format!("metadata.annotations[{name}]");
        let message =
            format!("`{field}` has no effect there, expected it in spec.template.metadata.annotations");
        problems.say(&field, message, "move it below the template: a revision scales, not the Service");
    }
    let mut template = Template::default();
    if document.take("spec").is_none() {
        problems.missing("spec.template", "the template of the pods", "add spec: {template: …}");
    }
    if let Some(mut spec) = document.map("spec", problems) {
        spec.pass_over(&["traffic"]);
        if spec.take("template").is_none() {
            problems.missing(
                "spec.template",
                "the template of the pods",
                "add template: {spec: {containers: …}}",
            );
        }
        if let Some(fields) = spec.map("template", problems) {
            template = read_template(fields, problems);
        }
        spec.finish(problems);
    }
    resolve(header, template, problems)
}

#[derive(Default)]
struct Template {
    annotations: Annotations,
    container_concurrency: u32,
    pod: PodFacts,
}

fn read_template(mut fields: Fields<'_>, problems: &mut Problems) -> Template {
    let mut template = Template::default();
    if let Some(mut metadata) = fields.map("metadata", problems) {
        template.annotations = Annotations::of(texts(&mut metadata, "annotations", problems));
        metadata.pass_over(&["name", "namespace", "labels", "creationTimestamp"]);
        metadata.finish(problems);
    }
    let name = "containerConcurrency";
    let hint = "0 is without limit";
    if let Some(mut spec) = fields.map("spec", problems) {
        let limit = spec.whole(name, 0..=CONCURRENCY_MAX, hint, problems);
        template.container_concurrency = limit.map_or(0, i32::unsigned_abs);
        template.pod = read_pod_spec(&mut spec, problems);
    }
    fields.finish(problems);
    template
}

fn resolve(header: Header, template: Template, problems: &mut Problems) -> KnativeDocument {
    let Template { mut annotations, container_concurrency, pod } = template;
    let metric = read_metric(&mut annotations, problems);
    let target = TargetAnnotations {
        target: annotations.number("target", 0.01..=f64::INFINITY, problems),
        utilization_percent: annotations.number("target-utilization-percentage", 1.0..=100.0, problems),
    };
    let target = resolve_target(metric, container_concurrency, &target, &TargetConfig::default());
    let stable_window = annotations.span("window", 6..=3_600, problems).unwrap_or(Duration::from_secs(60));
    let percentage = annotations
        .number("panic-window-percentage", 1.0..=100.0, problems)
        .unwrap_or(PANIC_WINDOW_PERCENTAGE);
    let panic_threshold = annotations.number("panic-threshold-percentage", 110.0..=1_000.0, problems);
    let burst = annotations.number("target-burst-capacity", -1.0..=f64::INFINITY, problems).unwrap_or(211.0);
    if burst < 0.0 && (burst + 1.0).abs() > f64::EPSILON {
        annotations.wrong(
            "target-burst-capacity",
            "at least 0, or -1 for an activator that is always in the path",
            problems,
        );
    }
    let spec = KpaSpec {
        target: target.target,
        total: target.total,
        target_burst_capacity: burst,
        panic_threshold: panic_threshold.map_or(2.0, |percent| percent / 100.0),
        stable_window,
        activation_scale: annotations.count("activation-scale", 1, problems).unwrap_or(0),
        scale_down_delay: annotations.span("scale-down-delay", 0..=3_600, problems).unwrap_or_default(),
        ..KpaSpec::default()
    };
    let settings = ScaleSettings {
        min_scale: annotations.count("min-scale", 0, problems).unwrap_or(0),
        max_scale: annotations.count("max-scale", 0, problems).unwrap_or(0),
        initial_scale: annotations.count("initial-scale", 0, problems).unwrap_or(1),
        stable_window,
        pod_retention: annotations
            .span("scale-to-zero-pod-retention-period", 0..=3_600, problems)
            .unwrap_or_default(),
        target_burst_capacity: burst,
        ..ScaleSettings::default()
    };
    if settings.max_scale != 0 && settings.max_scale < settings.min_scale {
        let expected = format!("at least min-scale, which is {}", settings.min_scale);
        annotations.wrong("max-scale", &expected, problems);
    }
    annotations.finish(problems);
    KnativeDocument {
        header,
        metric,
        container_concurrency,
        target,
        spec,
        settings,
        panic_window: panic_window(stable_window, percentage),
        pod,
        lines: problems.lines.clone(),
    }
}

fn read_metric(annotations: &mut Annotations, problems: &mut Problems) -> ScalingMetric {
    let class = annotations.text("class").unwrap_or_else(|| KPA.to_owned());
    if class != KPA {
        let field = annotations.field("class");
        let message = format!(
            "`{field}` is `{}`, which the lab does not follow: it decides as {KPA} would",
            excerpt::excerpt(&class)
        );
        problems.notice(&field, message);
    }
    match annotations.text("metric").as_deref() {
        None | Some("concurrency") => ScalingMetric::Concurrency,
        Some("rps") => ScalingMetric::Rps,
        Some(_) => {
            annotations.wrong("metric", "concurrency or rps", problems);
            ScalingMetric::Concurrency
        }
    }
}
