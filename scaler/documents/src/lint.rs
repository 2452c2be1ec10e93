//! Finds what is valid in a document and will surprise, each time with the numbers of that document.
//!
//! A rule is a function over a document or over all of them; it has a name, and it says nothing where it does not apply.

mod adapter;
mod behavior;
mod bounds;
mod conflicts;
mod kafka;
mod keda;
mod metrics;
mod reach;
mod resources;

use std::collections::BTreeMap;
use std::time::Duration;

use scaler_engine::hpa::ControllerSettings;

use crate::manifest::{Document, Manifest};
use crate::subject::Subject;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It works otherwise than most would think.
    Info,
    /// It will hurt under some load.
    Warning,
    /// It does not do what it is there for.
    Error,
}

impl Severity {
    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Something that will surprise.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The rule's name.
    pub rule: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// The manifest it is about, by its position.
    pub manifest: usize,
    /// The line, from 1.
    pub line: u64,
    /// The path of the field.
    pub field: String,
    /// What happens, and what to do.
    pub message: String,
    /// The numbers of the document that it follows from.
    pub numbers: BTreeMap<&'static str, f64>,
}

/// What is known beside the documents.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LintSettings {
    /// The settings of the controller manager.
    pub controller: ControllerSettings,
    /// The time from one peak of the load to the next.
    pub pattern: Option<Duration>,
    /// The partitions of the topic that consumers read.
    pub partitions: Option<u32>,
}

/// The names of all rules.
pub const RULES: [&str; 20] = [
    adapter::WITHOUT_GROUP_BY,
    behavior::NO_STABILIZATION,
    behavior::SLOW_RATE,
    behavior::WINDOW_LONGER_THAN_PATTERN,
    bounds::MIN_EQUALS_MAX,
    bounds::REPLICAS_IN_WORKLOAD,
    conflicts::HPA_AND_VPA,
    conflicts::TWO_ON_ONE_TARGET,
    kafka::PARTITIONS,
    keda::COOLDOWN_WITHOUT_ZERO,
    keda::NEVER_ZERO,
    keda::POLLING_INTERVAL,
    metrics::LATENCY_AS_AVERAGE,
    metrics::RAW_COUNTER,
    metrics::TYPE_CONTRADICTS_VALUE,
    reach::TARGET_NEVER_REACHED,
    reach::WITHIN_TOLERANCE,
    resources::LIMIT_CAPS_RATIO,
    resources::MEMORY_SCALE_DOWN,
    resources::WITHOUT_REQUESTS,
];

/// Judges documents, alone and together, in the order of manifests and lines.
pub fn lint(manifests: &[&Manifest], settings: &LintSettings) -> Vec<Finding> {
    let mut report = Report { manifest: 0, findings: Vec::new() };
    for (position, manifest) in manifests.iter().enumerate() {
        report.manifest = position;
        for document in &manifest.documents {
            if let Some(subject) = Subject::of(document, manifests) {
                judge(&subject, settings, &mut report);
            }
            match document {
                Document::Hpa(hpa) => metrics::type_contradicts_value(hpa, &mut report),
                Document::ScaledObject(object) => {
                    keda::judge(object, settings, &mut report);
                    kafka::judge(object, settings, &mut report);
                }
                Document::Knative(service) => {
                    bounds::knative(service, &mut report);
                    behavior::knative(service, settings, &mut report);
                }
                Document::AdapterRules(rules) => adapter::judge(rules, &mut report),
                _ => {}
            }
        }
    }
    conflicts::judge(manifests, &mut report);
    report
        .findings
        .sort_by_key(|finding| (finding.manifest, finding.line, std::cmp::Reverse(finding.severity)));
    report.findings
}

fn judge(subject: &Subject<'_>, settings: &LintSettings, report: &mut Report) {
    bounds::judge(subject, report);
    behavior::judge(subject, settings, report);
    resources::judge(subject, settings, report);
    reach::judge(subject, settings, report);
    metrics::judge(subject, report);
}

/// Collects findings.
struct Report {
    manifest: usize,
    findings: Vec<Finding>,
}

impl Report {
    fn add(
        &mut self,
        rule: &'static str,
        severity: Severity,
        place: (u64, &str),
        message: String,
        numbers: &[(&'static str, f64)],
    ) {
        self.findings.push(Finding {
            rule,
            severity,
            manifest: self.manifest,
            line: place.0,
            field: place.1.to_owned(),
            message,
            numbers: numbers.iter().copied().collect(),
        });
    }

    /// A finding about a field of a subject.
    fn about(
        &mut self,
        subject: &Subject<'_>,
        rule: (&'static str, Severity),
        field: &str,
        message: String,
        numbers: &[(&'static str, f64)],
    ) {
        self.add(rule.0, rule.1, (subject.lines.of_field(field), field), message, numbers);
    }
}

#[cfg(test)]
mod testing;
