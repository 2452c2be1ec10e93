//! Reads what every policy document has, whatever its kind: `apiVersion`, `kind`, `metadata` as Kubernetes has it.
//!
//! A kind that is followed is a variant of [`Kind`]; its document is read by the file of this folder that has its name.

use std::collections::BTreeMap;

use excerpt::{excerpt, sentence};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_saphyr::Spanned;

use super::error::PolicyFileError;
use super::one_document::{SecondDocument, one_document};

const API_VERSION: &str = "autoscale-lab/v1";

/// Kinds of the lab that this version does not follow.
const OTHER_KINDS: [&str; 4] = ["SloPolicy", "SchedulePolicy", "PredictivePolicy", "KnativePolicy"];

/// A kind of policy that is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Threshold,
    Watermark,
}

impl Kind {
    const ALL: [Self; 2] = [Self::Threshold, Self::Watermark];

    /// The kind as documents name it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Threshold => "ThresholdPolicy",
            Self::Watermark => "WatermarkPolicy",
        }
    }
}

/// A policy's document whose kind is known and followed.
#[derive(Clone, Debug)]
pub(super) struct Document<'a> {
    /// What errors name it by.
    pub(super) origin: &'a str,
    pub(super) kind: Kind,
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    api_version: Option<Spanned<String>>,
    kind: Option<Spanned<String>>,
}

/// What `kubectl` writes and takes; all but the name is for others to read.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Metadata {
    pub(super) name: Option<String>,
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

impl<'a> Document<'a> {
    /// Finds the one document in `text` and the kind of its policy.
    pub(super) fn read(origin: &'a str, text: &str) -> Result<Self, PolicyFileError> {
        let text = one_document(text).map_err(|SecondDocument { line }| {
            PolicyFileError::new(
                origin,
                Some(line),
                "a second document begins here, expected one policy in a file",
                "keep each policy in a file of its own",
            )
        })?;
        let header: Header = parse(origin, &text)?;
        let kind = kind_of(origin, &header)?;
        Ok(Self { origin, kind, text })
    }

    /// The whole document in the form that its kind has.
    pub(super) fn body<Body: DeserializeOwned>(&self) -> Result<Body, PolicyFileError> {
        parse(self.origin, &self.text)
    }
}

fn parse<Read: DeserializeOwned>(origin: &str, text: &str) -> Result<Read, PolicyFileError> {
    serde_saphyr::from_str(text).map_err(|error: serde_saphyr::Error| {
        let line = error.location().map(|location| location.line());
        let problem = error.without_snippet().render_with_formatter(&serde_saphyr::UserMessageFormatter);
        let problem = sentence(problem.lines().next().unwrap_or_default());
        PolicyFileError::new(
            origin,
            line,
            problem,
            "compare with scaler/policies/moderate.yaml, which has every field",
        )
    })
}

fn kind_of(origin: &str, header: &Header) -> Result<Kind, PolicyFileError> {
    let expected = Kind::ALL.map(Kind::name).join(" or ");
    let hint = format!("begin the file with `apiVersion: {API_VERSION}` and `kind: {expected}`");
    let Some(written) = &header.kind else {
        let problem = format!("`kind` is missing, expected {expected}");
        return Err(PolicyFileError::new(origin, None, problem, hint));
    };
    let line = Some(written.referenced.line());
    let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.name() == written.value) else {
        let (problem, hint) = if OTHER_KINDS.contains(&written.value.as_str()) {
            (
                format!("`kind` is {}: known, but not supported by this version, expected {expected}", written.value),
                "write the same intent as a ThresholdPolicy; scaler/policies/moderate.yaml explains each field".to_owned(),
            )
        } else {
            (format!("`kind` is {}, expected {expected}", excerpt(&written.value)), hint)
        };
        return Err(PolicyFileError::new(origin, line, problem, hint));
    };
    match &header.api_version {
        Some(version) if version.value == API_VERSION => Ok(kind),
        Some(version) => Err(PolicyFileError::new(
            origin,
            Some(version.referenced.line()),
            format!(
                "`apiVersion` is {}, expected {API_VERSION} with `kind: {}`",
                excerpt(&version.value),
                kind.name()
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
