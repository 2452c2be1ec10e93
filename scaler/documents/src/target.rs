//! References to other objects, and the target that an autoscaler scales.

use crate::fields::Fields;
use crate::problem::Problems;

/// An object that a document points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectReference {
    /// `apiVersion`; none where it is left out.
    pub api_version: Option<String>,
    /// `kind`.
    pub kind: String,
    /// `name`.
    pub name: String,
}

/// Reads the fields of a reference; each that is missing is told.
pub(crate) fn read_reference(
    mut fields: Fields<'_>,
    default_kind: Option<&str>,
    problems: &mut Problems,
) -> ObjectReference {
    let api_version = fields.text("apiVersion", problems).map(str::to_owned);
    let kind = match default_kind {
        Some(default) => fields.text("kind", problems).filter(|kind| !kind.is_empty()).or(Some(default)),
        None => fields.required_text("kind", "the kind of the object", "for example Deployment", problems),
    };
    let name = fields.required_text("name", "the name of the object", "its metadata.name", problems);
    let reference = ObjectReference {
        api_version,
        kind: kind.unwrap_or_default().to_owned(),
        name: name.unwrap_or_default().to_owned(),
    };
    if default_kind.is_some() {
        fields.pass_over(&["envSourceContainerName"]);
    }
    fields.finish(problems);
    reference
}
