//! Reads the document of a threshold policy: the fields of its `spec`, with overrides laid over them.

use std::collections::BTreeMap;

use excerpt::excerpt;
use scaler_engine::{ThresholdPolicy, ThresholdSettings};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_saphyr::Spanned;

use super::error::PolicyFileError;
use super::header::{Document, Metadata};
use super::overrides::PolicyOverrides;
use super::settings::{self, FIELDS};

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

/// The policy, and its name where it has one.
pub(super) fn read(
    document: &Document<'_>,
    overrides: &PolicyOverrides,
) -> Result<(Option<String>, ThresholdPolicy), PolicyFileError> {
    let body: Body = document.body()?;
    let (mut settings, lines) = settings_of(document, body.spec.unwrap_or_default())?;
    overrides.apply(&mut settings);
    let policy = ThresholdPolicy::new(settings).map_err(|error| {
        let problem = format!("`spec.{}` is {}, expected {}", error.field, error.value, error.expected);
        if overrides.sets(error.field) {
            let problem = format!("overridden by a flag or an environment variable, {problem}");
            return PolicyFileError::new(document.origin, None, problem, error.hint);
        }
        PolicyFileError::new(document.origin, lines.get(error.field).copied(), problem, error.hint)
    })?;
    Ok((body.metadata.unwrap_or_default().name, policy))
}

/// The settings, readable but not yet checked against each other, and the line of each field that was written.
fn settings_of(
    document: &Document<'_>,
    spec: BTreeMap<String, Spanned<String>>,
) -> Result<(ThresholdSettings, BTreeMap<&'static str, u64>), PolicyFileError> {
    let mut read = ThresholdSettings::default();
    let mut lines = BTreeMap::new();
    for (field, value) in spec {
        let line = value.referenced.line();
        let known = FIELDS.iter().find(|known| **known == field);
        match (known, settings::set(&mut read, &field, &value.value)) {
            (Some(known), Some(Ok(()))) => {
                lines.insert(*known, line);
            }
            (_, Some(Err(unreadable))) => {
                let problem = format!(
                    "`spec.{}` is `{}`, expected {}",
                    excerpt(&field),
                    excerpt(&value.value),
                    unreadable.expected
                );
                return Err(PolicyFileError::new(document.origin, Some(line), problem, unreadable.hint));
            }
            (_, None) | (None, _) => {
                let kind = document.kind.name();
                let problem = format!("`spec.{}` is not a field of {kind}", excerpt(&field));
                let hint = format!("known fields are {}", FIELDS.join(", "));
                return Err(PolicyFileError::new(document.origin, Some(line), problem, hint));
            }
        }
    }
    Ok((read, lines))
}
