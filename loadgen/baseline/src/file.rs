//! The text of a baseline file, as JSON, read back strictly.
//!
//! The schema is in `docs/guides/baseline.md`. A field that is missing, unknown or out of its range is refused with its
//! path; a file of another version is refused before its fields are looked at. Whoever calls opens the file.

mod validation;

use serde::Deserialize;

use super::baseline::{Baseline, FORMAT, FORMAT_VERSION};

/// A file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("baseline `{file}`{}: {problem}; hint: {hint}", .field.as_deref().map(|field| format!(", field `{field}`")).unwrap_or_default())]
pub struct BaselineError {
    /// The file.
    pub file: String,
    /// The path of the field within it, where one is to blame.
    pub field: Option<String>,
    /// Its value, and what was expected.
    pub problem: String,
    /// What to do next.
    pub hint: &'static str,
}

impl Baseline {
    /// The file's text.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string(self).expect("a baseline is JSON");
        text.push('\n');
        text
    }

    /// Reads a file's text; `file` names it in errors.
    ///
    /// # Errors
    /// Names the file, the field, what was found and expected, and a hint.
    pub fn from_json(file: &str, text: &str) -> Result<Self, BaselineError> {
        #[derive(Deserialize)]
        struct Header {
            format: Option<String>,
            version: Option<serde_json::Value>,
        }
        let refuse = |field: Option<&str>, problem: String, hint| BaselineError {
            file: file.to_owned(),
            field: field.map(str::to_owned),
            problem,
            hint,
        };
        let header: Header = serde_json::from_str(text).map_err(|error| {
            refuse(None, format!("is no JSON object: {error}"), "`lab baseline --out FILE` writes one")
        })?;
        if header.format.as_deref() != Some(FORMAT) {
            let found = header.format.map_or_else(|| "missing".to_owned(), |format| format!("`{format}`"));
            return Err(refuse(
                Some("format"),
                format!("is {found}, expected `{FORMAT}`"),
                "give a file that `lab baseline --out FILE` wrote",
            ));
        }
        if header.version.as_ref().and_then(serde_json::Value::as_u64) != Some(u64::from(FORMAT_VERSION)) {
            let found = header.version.map_or_else(|| "missing".to_owned(), |version| version.to_string());
            return Err(refuse(
                Some("version"),
                format!("is {found}, expected {FORMAT_VERSION}"),
                "read it with the version of the lab that wrote it, or measure again",
            ));
        }
        let deserializer = &mut serde_json::Deserializer::from_str(text);
        let baseline: Self = serde_path_to_error::deserialize(deserializer).map_err(|error| {
            let path = error.path().to_string();
            let path = (path != ".").then_some(path);
            refuse(path.as_deref(), error.into_inner().to_string(), "docs/guides/baseline.md has the schema")
        })?;
        validation::check(&baseline).map_err(|(field, problem)| {
            refuse(Some(&field), problem, "the file was changed or cut off: measure again")
        })?;
        Ok(baseline)
    }
}

#[cfg(test)]
mod tests;
