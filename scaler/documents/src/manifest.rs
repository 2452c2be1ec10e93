//! Finds the documents of a file, and reads each by its kind: all mistakes at once, each with its line.

use excerpt::excerpt;

use crate::adapter_rules::{AdapterRule, read_rules};
use crate::fields::{Fields, nearest};
use crate::hpa::{self, HpaDocument};
use crate::keda::{self, ScaledObjectDocument};
use crate::knative::{self, KnativeDocument};
use crate::problem::{Notice, Problem, Problems};
use crate::tree::{Node, read_trees};
use crate::vpa::{self, VpaDocument};
use crate::workload::{self, Workload};

/// What the lab's own kinds have as `apiVersion`.
const LAB_VERSION: &str = "autoscale-lab/v1";

/// The kinds that scale, as a message lists them.
const POLICY_KINDS: &str = "HorizontalPodAutoscaler, ScaledObject, a Knative Service, or a kind of autoscale-lab/v1 such as ThresholdPolicy";

/// One document of a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Document {
    /// A `HorizontalPodAutoscaler`.
    Hpa(Box<HpaDocument>),
    /// A `ScaledObject` of KEDA.
    ScaledObject(Box<ScaledObjectDocument>),
    /// A `Service` of Knative.
    Knative(Box<KnativeDocument>),
    /// A Deployment or its like.
    Workload(Box<Workload>),
    /// A `VerticalPodAutoscaler`.
    Vpa(Box<VpaDocument>),
    /// Rules of the Prometheus Adapter.
    AdapterRules(Vec<AdapterRule>),
    /// A policy of the lab's own, by its kind; the scaler reads those.
    Lab(String),
    /// Anything else, by its kind.
    Other(String),
}

impl Document {
    /// Whether it decides about a number of replicas.
    pub const fn is_policy(&self) -> bool {
        matches!(self, Self::Hpa(_) | Self::ScaledObject(_) | Self::Knative(_) | Self::Lab(_))
    }
}

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Manifest {
    /// Its documents, in their order. Those with mistakes are there too, as far as they could be read.
    pub documents: Vec<Document>,
    /// Everything that is wrong, in the order of lines.
    pub problems: Vec<Problem>,
    /// What is worth knowing about documents that are valid.
    pub notices: Vec<Notice>,
    /// Whether a document says it is a policy of another system, readable or not.
    pub is_for_other_systems: bool,
}

impl Manifest {
    /// Reads the text of a file: YAML with one or several documents, or JSON; lists are taken apart.
    pub fn read(text: &str) -> Self {
        let mut manifest = Self::default();
        match read_trees(text) {
            Ok(trees) => {
                let documents: Vec<&Node> = trees.iter().flat_map(items_of).collect();
                for document in &documents {
                    manifest.add(document);
                }
                manifest.require_policy(&documents);
            }
            Err(error) => {
                let hint = "it must be YAML or JSON, as kubectl takes it";
                manifest.problems.push(Problem::of_text(error.line, error.message, hint));
            }
        }
        manifest.problems.sort_by_key(|problem| problem.line);
        manifest
    }

    /// The documents that scale.
    pub fn policies(&self) -> impl Iterator<Item = &Document> {
        self.documents.iter().filter(|document| document.is_policy())
    }

    /// The Deployment or its like that a policy scales, if the file has it.
    pub fn workload_of(&self, kind: &str, name: &str) -> Option<&Workload> {
        self.documents.iter().find_map(|document| match document {
            Document::Workload(workload) if workload.kind == kind && workload.header.name == name => {
                Some(&**workload)
            }
            _ => None,
        })
    }

    /// The Deployment or its like that the file's first policy scales.
    pub fn scaled_workload(&self) -> Option<&Workload> {
        self.documents.iter().find_map(|document| match document {
            Document::Hpa(hpa) => self.workload_of(&hpa.target.kind, &hpa.target.name),
            Document::ScaledObject(object) => self.workload_of(&object.target.kind, &object.target.name),
            _ => None,
        })
    }

    fn add(&mut self, node: &Node) {
        let kind = node.get("kind").and_then(Node::text);
        self.is_for_other_systems |= matches!(kind, Some("HorizontalPodAutoscaler" | "ScaledObject"));
        let mut problems = Problems::of(node);
        if let Some(document) = read_document(node, &mut problems) {
            self.is_for_other_systems |= matches!(document, Document::Knative(_));
            self.documents.push(document);
        }
        self.problems.append(&mut problems.found);
        self.notices.append(&mut problems.notices);
    }

    fn require_policy(&mut self, documents: &[&Node]) {
        if self.policies().next().is_some() || !self.problems.is_empty() {
            return;
        }
        let only_rules = self.documents.iter().all(|document| matches!(document, Document::AdapterRules(_)));
        if only_rules && !self.documents.is_empty() {
            return;
        }
        let hint = format!("add a document of one of these kinds: {POLICY_KINDS}");
        let Some(first) = documents.first() else {
            let message = format!("the file has no document, expected {POLICY_KINDS}");
            self.problems.push(Problem::of_text(
                None,
                message,
                "it may hold several documents, divided by ---",
            ));
            return;
        };
        let kinds: Vec<String> =
            documents.iter().filter_map(|node| node.get("kind")).map(Node::shown).collect();
        let mut problems = Problems::of(first);
        problems.wrong("kind", kinds.join(" and "), POLICY_KINDS, hint);
        self.problems.append(&mut problems.found);
    }
}

/// A document, or those of a list of Kubernetes.
fn items_of(document: &Node) -> Vec<&Node> {
    let is_list = document.get("kind").and_then(Node::text).is_some_and(|kind| kind.ends_with("List"));
    match document.get("items") {
        Some(items) if is_list => items.items().iter().flat_map(items_of).collect(),
        _ => vec![document],
    }
}

fn read_document(node: &Node, problems: &mut Problems) -> Option<Document> {
    if let Some(rules) = read_rules(node, problems) {
        return Some(Document::AdapterRules(rules));
    }
    let mut document = Fields::of(node, "", problems)?;
    let hint = "every object of Kubernetes begins with apiVersion and kind";
    let version = document.required_text("apiVersion", "the version of the kind", hint, problems);
    let kind = document.required_text("kind", POLICY_KINDS, hint, problems);
    let (version, kind) = (version?, kind?);
    let read = match (version, kind) {
        ("autoscaling/v2", "HorizontalPodAutoscaler") => {
            Document::Hpa(Box::new(hpa::read(&mut document, problems)))
        }
        ("autoscaling/v1", "HorizontalPodAutoscaler") => {
            Document::Hpa(Box::new(hpa::read_v1(&mut document, problems)))
        }
        ("keda.sh/v1alpha1", "ScaledObject") => {
            Document::ScaledObject(Box::new(keda::read(&mut document, problems)))
        }
        ("serving.knative.dev/v1", "Service") => {
            Document::Knative(Box::new(knative::read(&mut document, problems)))
        }
        (_, "VerticalPodAutoscaler") if version.starts_with("autoscaling.k8s.io/") => {
            return vpa::read(&mut document, problems).map(|vpa| Document::Vpa(Box::new(vpa)));
        }
        // The scaler reads it, and says what is wrong with its version.
        (LAB_VERSION, _) => return Some(Document::Lab(kind.to_owned())),
        _ if workload::KINDS.contains(&(version, kind)) => {
            return Some(Document::Workload(Box::new(workload::read(&mut document, kind, problems))));
        }
        _ => return other(version, kind, problems),
    };
    document.finish(problems);
    Some(read)
}

/// A kind that is not read, which is fine, or one that was meant to be another.
fn other(version: &str, kind: &str, problems: &mut Problems) -> Option<Document> {
    let shown = format!("`{}`", excerpt(version));
    let expected_version = match kind {
        "HorizontalPodAutoscaler" => Some((
            "autoscaling/v2",
            "older versions are gone since Kubernetes 1.26: rewrite it as autoscaling/v2",
        )),
        "ScaledObject" => Some(("keda.sh/v1alpha1", "KEDA has one version of it")),
        "Service" if version.starts_with("serving.knative.dev/") => {
            Some(("serving.knative.dev/v1", "the older versions are gone"))
        }
        "ThresholdPolicy" => Some((LAB_VERSION, "the lab's own kinds have this version")),
        _ => None,
    };
    if let Some((expected, hint)) = expected_version {
        problems.wrong("apiVersion", shown, format_args!("{expected} with kind {kind}"), hint);
        return None;
    }
    let known = ["HorizontalPodAutoscaler", "ScaledObject", "ThresholdPolicy"];
    if let Some(meant) = nearest(kind, known.into_iter()) {
        problems.wrong("kind", format_args!("`{}`", excerpt(kind)), meant, format!("did you mean {meant}?"));
        return None;
    }
    if kind == "ScaledJob" {
        problems.notice(
            "kind",
            "`kind` is ScaledJob, which the lab does not follow: it starts jobs and scales nothing",
        );
    }
    Some(Document::Other(kind.to_owned()))
}
