//! Reads a policy document: `apiVersion`, `kind`, `metadata` as Kubernetes has it, and the fields of `spec`.

use std::collections::BTreeMap;

use excerpt::{excerpt, sentence};
use scaler_engine::ThresholdSettings;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_saphyr::Spanned;

use super::error::PolicyFileError;
use super::one_document::{SecondDocument, one_document};
use super::settings::{self, FIELDS};

const API_VERSION: &str = "autoscale-lab/v1";
const KIND: &str = "ThresholdPolicy";

/// Kinds of other systems and of the lab that this version does not follow.
const OTHER_KINDS: [&str; 6] = [
    "HorizontalPodAutoscaler",
    "ScaledObject",
    "SloPolicy",
    "SchedulePolicy",
    "PredictivePolicy",
    "KnativePolicy",
];

/// A policy as written, its fields readable but not yet checked against each other.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) name: Option<String>,
    pub(super) settings: ThresholdSettings,
    /// The line of each field that was written.
    pub(super) lines: BTreeMap<&'static str, u64>,
}

/// What every document of this family has, whatever else it may have.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    api_version: Option<Spanned<String>>,
    kind: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Body {
    #[serde(rename = "apiVersion")]
    _api_version: IgnoredAny,
    #[serde(rename = "kind")]
    _kind: IgnoredAny,
    /// Empty is as if it were left out.
    metadata: Option<Metadata>,
    spec: Option<BTreeMap<String, Spanned<String>>>,
}

/// What `kubectl` writes and takes; all but the name is for others to read.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Metadata {
    name: Option<String>,
    #[serde(rename = "labels")]
    _labels: Option<BTreeMap<String, String>>,
    #[serde(rename = "annotations")]
    _annotations: Option<BTreeMap<String, String>>,
    #[serde(rename = "namespace")]
    _namespace: Option<IgnoredAny>,
    #[serde(rename = "generateName")]
    _generate_name: Option<IgnoredAny>,
    #[serde(rename = "creationTimestamp")]
    _creation_timestamp: Option<IgnoredAny>,
    #[serde(rename = "generation")]
    _generation: Option<IgnoredAny>,
    #[serde(rename = "resourceVersion")]
    _resource_version: Option<IgnoredAny>,
    #[serde(rename = "uid")]
    _uid: Option<IgnoredAny>,
    #[serde(rename = "selfLink")]
    _self_link: Option<IgnoredAny>,
    #[serde(rename = "managedFields")]
    _managed_fields: Option<IgnoredAny>,
    #[serde(rename = "ownerReferences")]
    _owner_references: Option<IgnoredAny>,
    #[serde(rename = "finalizers")]
    _finalizers: Option<IgnoredAny>,
}

pub(super) fn read(origin: &str, text: &str) -> Result<Document, PolicyFileError> {
    let yaml_error = |error: &serde_saphyr::Error| {
        let line = error.location().map(|location| location.line());
        let problem = error.without_snippet().render_with_formatter(&serde_saphyr::UserMessageFormatter);
        let problem = sentence(problem.lines().next().unwrap_or_default());
        PolicyFileError::new(
            origin,
            line,
            problem,
            "compare with scaler/policies/moderate.yaml, which has every field",
        )
    };
    let text = one_document(text).map_err(|SecondDocument { line }| {
        PolicyFileError::new(
            origin,
            Some(line),
            "a second document begins here, expected one policy in a file",
            "keep each policy in a file of its own",
        )
    })?;
    let text = text.as_str();
    let header: Header = serde_saphyr::from_str(text).map_err(|error| yaml_error(&error))?;
    check_header(origin, &header)?;
    let body: Body = serde_saphyr::from_str(text).map_err(|error| yaml_error(&error))?;
    let mut document = Document {
        name: body.metadata.unwrap_or_default().name,
        settings: ThresholdSettings::default(),
        lines: BTreeMap::new(),
    };
    for (field, value) in body.spec.iter().flatten() {
        let line = value.referenced.line();
        let known = FIELDS.iter().find(|known| *known == field);
        match (known, settings::set(&mut document.settings, field, &value.value)) {
            (Some(known), Some(Ok(()))) => {
                document.lines.insert(known, line);
            }
            (_, Some(Err(unreadable))) => {
                let problem = format!(
                    "`spec.{}` is `{}`, expected {}",
                    excerpt(field),
                    excerpt(&value.value),
                    unreadable.expected
                );
                return Err(PolicyFileError::new(origin, Some(line), problem, unreadable.hint));
            }
            (_, None) | (None, _) => {
                let problem = format!("`spec.{}` is not a field of {KIND}", excerpt(field));
                let hint = format!("known fields are {}", FIELDS.join(", "));
                return Err(PolicyFileError::new(origin, Some(line), problem, hint));
            }
        }
    }
    Ok(document)
}

fn check_header(origin: &str, header: &Header) -> Result<(), PolicyFileError> {
    let hint = format!("begin the file with `apiVersion: {API_VERSION}` and `kind: {KIND}`");
    let Some(kind) = &header.kind else {
        return Err(PolicyFileError::new(origin, None, format!("`kind` is missing, expected {KIND}"), hint));
    };
    let line = Some(kind.referenced.line());
    if kind.value != KIND {
        let (problem, hint) = if OTHER_KINDS.contains(&kind.value.as_str()) {
            (
                format!("`kind` is {}: known, but not supported by this version, expected {KIND}", kind.value),
                "write the same intent as a ThresholdPolicy; scaler/policies/moderate.yaml explains each field".to_owned(),
            )
        } else {
            (format!("`kind` is {}, expected {KIND}", excerpt(&kind.value)), hint)
        };
        return Err(PolicyFileError::new(origin, line, problem, hint));
    }
    match &header.api_version {
        Some(version) if version.value == API_VERSION => Ok(()),
        Some(version) => Err(PolicyFileError::new(
            origin,
            Some(version.referenced.line()),
            format!(
                "`apiVersion` is {}, expected {API_VERSION} with `kind: {KIND}`",
                excerpt(&version.value)
            ),
            hint,
        )),
        None => Err(PolicyFileError::new(
            origin,
            None,
            format!("`apiVersion` is missing, expected {API_VERSION}"),
            hint,
        )),
    }
}
