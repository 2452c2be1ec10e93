//! Reads one entry of `spec.metrics`.

use scaler_engine::NamedMetric;
use scaler_engine::hpa::{Metric, MetricSource, MetricTarget, Resource};

use crate::fields::Fields;
use crate::header::texts;
use crate::problem::Problems;
use crate::quantity::quantity_of_milli;
use crate::target::{ObjectReference, read_reference};
use crate::tree::Node;

/// The `type` of a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TargetType {
    /// Percent of the requests.
    #[default]
    Utilization,
    /// Mean per pod.
    AverageValue,
    /// The metric itself.
    Value,
}

impl TargetType {
    /// The type as documents name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Utilization => "Utilization",
            Self::AverageValue => "AverageValue",
            Self::Value => "Value",
        }
    }
}

/// What a document says of a metric beyond what decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetricDetails {
    /// `describedObject` of an Object metric.
    pub described: Option<ObjectReference>,
    /// `target.type`; Kubernetes follows the value that is set, also where the type names another.
    pub declared: TargetType,
}

/// The types of sources, and the field that holds the source.
const SOURCES: [(&str, &str); 5] = [
    ("Resource", "resource"),
    ("ContainerResource", "containerResource"),
    ("Pods", "pods"),
    ("Object", "object"),
    ("External", "external"),
];

/// Reads a metric.
///
/// Source: `pkg/apis/autoscaling/validation/validation.go`, `validateMetricSpec`.
pub(super) fn read_metric(
    node: &Node,
    path: &str,
    problems: &mut Problems,
) -> Option<(Metric, MetricDetails)> {
    let mut fields = Fields::of(node, path, problems)?;
    let names = SOURCES.map(|(name, field)| (name, field));
    if fields.take("type").is_none() {
        let given = SOURCES.iter().find(|(_, field)| fields.take(field).is_some());
        let hint =
            given.map_or("type: Resource, for example".into(), |(name, _)| format!("add type: {name}"));
        problems.missing(&fields.at("type"), crate::fields::listed(&SOURCES.map(|(name, _)| name)), hint);
        fields.pass_over(&SOURCES.map(|(_, field)| field));
        fields.finish(problems);
        return None;
    }
    let chosen = fields.one_of("type", &names, problems);
    let mut source = None;
    for (name, field) in SOURCES {
        if fields.take(field).is_none() {
            if chosen == Some(field) {
                let hint = format!("a metric of type {name} has its settings there");
                problems.missing(&fields.at(field), format_args!("the settings of the type {name}"), hint);
            }
        } else if chosen == Some(field) {
            source = fields.map(field, problems);
        } else if let Some(chosen) = chosen {
            let message =
                format!("`{}` stands beside `{chosen}`, expected only the latter", fields.at(field));
            problems.say(&fields.at(field), message, "give each metric an entry of its own");
        }
    }
    fields.finish(problems);
    let source = source?;
    match chosen? {
        "resource" => read_resource(source, false, problems),
        "containerResource" => read_resource(source, true, problems),
        "pods" => read_pods(source, problems),
        "object" => read_object(source, problems),
        _ => read_external(source, problems),
    }
}

fn read_resource(
    mut fields: Fields<'_>,
    has_container: bool,
    problems: &mut Problems,
) -> Option<(Metric, MetricDetails)> {
    let name = fields.required_text("name", "the name of a resource", "cpu or memory", problems);
    let container = if has_container {
        fields.required_text("container", "the name of a container", "as in the pods' template", problems)
    } else {
        None
    };
    let target = read_target(&mut fields, problems);
    let path = fields.at("target");
    fields.finish(problems);
    let target = target?;
    if target.utilization.is_none() && target.average_milli.is_none() {
        let field = format!("{path}.averageUtilization");
        let expected = "averageUtilization in percent, or averageValue";
        problems.missing(&field, expected, "a resource has no target of type Value");
    } else if target.utilization.is_some() && target.average_milli.is_some() {
        let field = format!("{path}.averageValue");
        let message = format!("`{field}` stands beside `averageUtilization`, expected one of the two");
        problems.say(&field, message, "remove the one that `type` does not name");
    }
    let resource = Resource::named(name?);
    let source = match container {
        Some(container) => MetricSource::ContainerResource { resource, container: container.to_owned() },
        None if has_container => return None,
        None => MetricSource::Resource(resource),
    };
    // As the controller: a mean that is set wins over a utilisation, whatever the type says.
    let milli = target.average_milli.map(|milli| MetricTarget::AverageValue { milli });
    let decides = milli.or(target.utilization.map(|percent| MetricTarget::Utilization { percent }));
    Some((
        Metric { source, target: decides },
        MetricDetails { declared: target.declared, ..MetricDetails::default() },
    ))
}

fn read_pods(mut fields: Fields<'_>, problems: &mut Problems) -> Option<(Metric, MetricDetails)> {
    let metric = read_identifier(&mut fields, problems);
    let target = read_target(&mut fields, problems);
    let path = fields.at("target");
    fields.finish(problems);
    let target = target?;
    if target.average_milli.is_none() {
        let hint = if target.utilization.is_some() {
            "only resources have a utilisation: write type: AverageValue with averageValue"
        } else {
            "the mean per pod, averageValue: \"50\" for example"
        };
        problems.missing(
            &format!("{path}.averageValue"),
            "a quantity above 0: a Pods metric has no other target",
            hint,
        );
    }
    let metric = metric?;
    let decides = target.average_milli.map(|milli| MetricTarget::AverageValue { milli });
    let details = MetricDetails { declared: target.declared, described: None };
    Some((Metric { source: MetricSource::Pods(metric), target: decides }, details))
}

fn read_object(mut fields: Fields<'_>, problems: &mut Problems) -> Option<(Metric, MetricDetails)> {
    if fields.take("describedObject").is_none() {
        let hint = "describedObject: {apiVersion: v1, kind: Service, name: …}, for example";
        problems.missing(&fields.at("describedObject"), "the object that the metric describes", hint);
    }
    let described =
        fields.map("describedObject", problems).map(|fields| read_reference(fields, None, problems));
    let metric = read_identifier(&mut fields, problems);
    let target = read_target(&mut fields, problems);
    let path = fields.at("target");
    fields.finish(problems);
    let target = target?;
    check_one_value(&target, &path, problems);
    let metric = metric?;
    // As the controller: for an Object metric the type decides which value counts.
    let decides = match target.declared {
        TargetType::Value => target.value_milli.map(|milli| MetricTarget::Value { milli }),
        TargetType::AverageValue => target.average_milli.map(|milli| MetricTarget::AverageValue { milli }),
        TargetType::Utilization => None,
    };
    let details = MetricDetails { described, declared: target.declared };
    Some((Metric { source: MetricSource::Object(metric), target: decides }, details))
}

fn read_external(mut fields: Fields<'_>, problems: &mut Problems) -> Option<(Metric, MetricDetails)> {
    let metric = read_identifier(&mut fields, problems);
    let target = read_target(&mut fields, problems);
    let path = fields.at("target");
    fields.finish(problems);
    let target = target?;
    check_one_value(&target, &path, problems);
    let metric = metric?;
    let average = target.average_milli.map(|milli| MetricTarget::AverageValue { milli });
    let decides = average.or(target.value_milli.map(|milli| MetricTarget::Value { milli }));
    let details = MetricDetails { declared: target.declared, described: None };
    Some((Metric { source: MetricSource::External(metric), target: decides }, details))
}

fn check_one_value(target: &Target, path: &str, problems: &mut Problems) {
    match (target.value_milli, target.average_milli) {
        (None, None) => {
            let hint = "type: AverageValue with averageValue divides the metric by the pods";
            problems.missing(&format!("{path}.averageValue"), "averageValue or value", hint);
        }
        (Some(_), Some(_)) => {
            let field = format!("{path}.averageValue");
            let message = format!("`{field}` stands beside `value`, expected one of the two");
            problems.say(&field, message, "remove the one that `type` does not name");
        }
        _ => {}
    }
}

/// Name and selector of a metric.
fn read_identifier(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<NamedMetric> {
    if fields.take("metric").is_none() {
        problems.missing(&fields.at("metric.name"), "the name of the metric", "metric: {name: …}");
    }
    let mut metric = fields.map("metric", problems)?;
    let name =
        metric.required_text("name", "the name of the metric", "as the metrics API names it", problems);
    if let Some(name) = name
        && (name.contains(['/', '%']) || name == "." || name == "..")
    {
        let value = format!("`{}`", excerpt::excerpt(name));
        problems.wrong(&metric.at("name"), value, "a name without `/` and `%`", "it is a part of a URL");
    }
    let selector = metric.map("selector", problems).map(|mut selector| {
        if selector.take("matchExpressions").is_some() {
            let field = selector.at("matchExpressions");
            problems.notice(&field, format!("`{field}` is not followed, only matchLabels is"));
        }
        let labels = texts(&mut selector, "matchLabels", problems);
        selector.finish(problems);
        labels
    });
    metric.finish(problems);
    Some(NamedMetric { name: name?.to_owned(), labels: selector.unwrap_or_default() })
}

/// A target as it is written.
struct Target {
    declared: TargetType,
    utilization: Option<i32>,
    average_milli: Option<i64>,
    value_milli: Option<i64>,
}

/// Source: `pkg/apis/autoscaling/validation/validation.go`, `validateMetricTarget`.
fn read_target(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Target> {
    if fields.take("target").is_none() {
        let hint = "target: {type: AverageValue, averageValue: 100m}, for example";
        problems.missing(&fields.at("target"), "the target of the metric", hint);
    }
    let mut target = fields.map("target", problems)?;
    if target.take("type").is_none() {
        let hint = "it says which of the values is meant";
        problems.missing(&target.at("type"), "Utilization, AverageValue or Value", hint);
    }
    let types = [TargetType::Utilization, TargetType::AverageValue, TargetType::Value];
    let declared = target.one_of("type", &types.map(|each| (each.name(), each)), problems);
    let utilization =
        target.whole("averageUtilization", 1..=i32::MAX, "percent of the requests, 70 for example", problems);
    let has_values = ["averageUtilization", "averageValue", "value"].map(|name| target.take(name).is_some());
    let average_milli = positive(&mut target, "averageValue", problems);
    let value_milli = positive(&mut target, "value", problems);
    let before = problems.found.len();
    target.finish(problems);
    // A value that is there but wrong, or has a name with a slip in it, is told of once.
    let told = problems.found.len() > before;
    let is_wrong = has_values != [utilization.is_some(), average_milli.is_some(), value_milli.is_some()];
    if told || is_wrong || declared.is_none() {
        return None;
    }
    Some(Target { declared: declared?, utilization, average_milli, value_milli })
}

fn positive(target: &mut Fields<'_>, name: &'static str, problems: &mut Problems) -> Option<i64> {
    let milli = target.quantity_milli(name, problems)?;
    if milli > 0 {
        return Some(milli);
    }
    problems.wrong(
        &target.at(name),
        quantity_of_milli(milli),
        "a quantity above 0",
        "the count is divided by it",
    );
    None
}
