//! Reads a policy from a file or by the name of a shipped one, and lays overrides over it.
//!
//! Precedence, highest first: a flag, its `LAB_…` variable, a classic variable (`SCALE_UP_THRESHOLD`), the file, the
//! default. The first three arrive here as one [`PolicyOverrides`], merged by the caller with
//! [`PolicyOverrides::or`].

mod error;
mod header;
mod one_document;
mod other_systems;
mod overrides;
mod settings;
mod threshold;
mod watermark;

use std::io::Read;
use std::path::{Path, PathBuf};

use scaler_engine::{AnyPolicy, ResourceRequests};

use self::header::{Document, Kind};
pub use error::PolicyFileError;
pub use one_document::{SecondDocument, one_document};
pub use overrides::PolicyOverrides;
#[cfg(test)]
pub(crate) use settings::FIELDS;
pub use settings::{parse_count, parse_signal, parse_span, parse_threshold};

/// The policies that come with the lab: name and text.
pub const SHIPPED: [(&str, &str); 3] = [
    ("conservative", include_str!("../policies/conservative.yaml")),
    ("moderate", include_str!("../policies/moderate.yaml")),
    ("aggressive", include_str!("../policies/aggressive.yaml")),
];

/// The shipped policy that is followed where none is named.
pub const DEFAULT_POLICY: &str = "moderate";

/// A policy file of this size is certainly none.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// A policy with its name and where it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedPolicy {
    /// `metadata.name`, or the file's name without its ending.
    pub name: String,
    /// The file it was read from, or `shipped policy NAME`.
    pub origin: String,
    /// The policy, checked.
    pub policy: AnyPolicy,
    /// What the Deployment beside it says that each replica requests; none where there is none.
    pub requests: ResourceRequests,
}

/// Where a policy comes from, and what is laid over it each time it is read.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicySource {
    /// A path, or the name of a shipped policy.
    pub name_or_path: String,
    /// What flags and environment variables put in place of the file's settings.
    pub overrides: PolicyOverrides,
}

impl PolicySource {
    /// Reads it now.
    ///
    /// # Errors
    /// As [`NamedPolicy::load`].
    pub fn load(&self) -> Result<NamedPolicy, PolicyFileError> {
        NamedPolicy::load(&self.name_or_path, &self.overrides)
    }

    /// The file; none for a shipped policy.
    pub(crate) fn path(&self) -> Option<PathBuf> {
        let is_shipped = SHIPPED.iter().any(|(name, _)| *name == self.name_or_path);
        (!is_shipped).then(|| PathBuf::from(&self.name_or_path))
    }
}

impl NamedPolicy {
    /// Reads `name_or_path` and lays `overrides` over it.
    ///
    /// A word without a slash or dot is the name of a shipped policy, anything else is a path.
    ///
    /// # Errors
    /// Names the file, the line where it is known, the field, its value, what was expected, and a hint.
    pub fn load(name_or_path: &str, overrides: &PolicyOverrides) -> Result<Self, PolicyFileError> {
        if let Some((name, text)) = SHIPPED.iter().find(|(name, _)| *name == name_or_path) {
            return Self::from_text(&format!("shipped policy {name}"), name, text, overrides);
        }
        let path = Path::new(name_or_path);
        let text = read_text(path).map_err(|problem| {
            let hint = if name_or_path.contains(['/', '.']) {
                "give the path of a readable policy file".to_owned()
            } else {
                format!(
                    "give a path, or one of the shipped policies: {}",
                    SHIPPED.map(|(name, _)| name).join(", ")
                )
            };
            PolicyFileError::new(name_or_path, None, problem, hint)
        })?;
        let stem = path.file_stem().map_or_else(|| name_or_path.into(), |stem| stem.to_string_lossy());
        Self::from_text(name_or_path, &stem, &text, overrides)
    }

    /// Reads a policy from its text; `origin` names it in errors, `fallback_name` is its name if the text has none.
    ///
    /// # Errors
    /// As [`NamedPolicy::load`].
    pub fn from_text(
        origin: &str,
        fallback_name: &str,
        text: &str,
        overrides: &PolicyOverrides,
    ) -> Result<Self, PolicyFileError> {
        if let Some(read) = other_systems::read(origin, text, overrides) {
            let (name, policy, requests) = read?;
            return Ok(Self { name, origin: origin.to_owned(), policy, requests });
        }
        let document = Document::read(origin, text)?;
        let (name, policy) = match document.kind {
            Kind::Threshold => {
                let (name, policy) = threshold::read(&document, overrides)?;
                (name, AnyPolicy::Threshold(policy))
            }
            Kind::Watermark => {
                let (name, policy) = watermark::read(&document, overrides)?;
                (name, AnyPolicy::Watermark(policy))
            }
        };
        let name = name.unwrap_or_else(|| fallback_name.to_owned());
        Ok(Self { name, origin: origin.to_owned(), policy, requests: ResourceRequests::default() })
    }
}

/// The text of a policy file.
///
/// # Errors
/// Why it cannot be had: it cannot be opened, is not text, or is too large for a policy.
pub fn read_text(path: &Path) -> Result<String, String> {
    let file = std::fs::File::open(path).map_err(|error| format!("cannot be opened: {error}"))?;
    let mut text = String::new();
    file.take(FILE_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(|error| format!("cannot be read as text: {error}"))?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("is larger than {FILE_BYTES_MAX} bytes, expected a policy"));
    }
    Ok(text)
}
