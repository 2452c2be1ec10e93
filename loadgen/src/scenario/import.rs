//! Makes a scenario to start from: of what a browser recorded (HAR 1.2), or of an OpenAPI 3 description.
//!
//! What comes out is read back before it is handed over, so it can be played as it is; a person then gives it its
//! weights, its checks and its data.

use std::collections::BTreeMap;
use std::path::Path;

use super::document::{ApiVersion, Document, Kind, Metadata, Spec, StepDocument, TaskDocument, UserDocument};
use super::error::{Mistake, ScenarioError};
use super::located::Located;
use super::{FILE_BYTES_MAX, Scenario, yaml_mistake};
use crate::text_file;

mod har;
mod openapi;

/// A recording holds every answer's content: a visit of a page with pictures easily takes some 10 MB.
const RECORDING_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// The largest published descriptions are some 10 MB.
const DESCRIPTION_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The text of a scenario that sends again what a browser recorded.
///
/// Requests to the host of the first one become one task, in their order, with pauses as they were; what a browser adds
/// by itself, cookies and credentials are left out.
///
/// # Errors
/// Names the file and what is wrong with it.
pub fn scenario_from_har(path: &Path) -> Result<String, ScenarioError> {
    let source = Source { path, bytes_max: RECORDING_BYTES_MAX, what: "a recording of a browser (HAR)" };
    source.scenario(|text| har::scenario(&har::read(text)?))
}

/// The text of a scenario that sends each request of an OpenAPI 3 description, reading three times as often as writing.
///
/// Examples of the description become parameters and bodies; where it has none, plain values of the right type. Paths
/// begin as the description's first server says.
///
/// # Errors
/// Names the file and what is wrong with it.
pub fn scenario_from_openapi(path: &Path) -> Result<String, ScenarioError> {
    let source = Source { path, bytes_max: DESCRIPTION_BYTES_MAX, what: "an OpenAPI description" };
    source.scenario(|text| {
        // Both are in use; what is meant as JSON and is none is told as YAML, which contains it.
        let description = serde_json::from_str(text)
            .or_else(|_| serde_saphyr::from_str(text).map_err(|error| yaml_mistake(&error)))?;
        openapi::scenario(&description)
    })
}

/// A file of which a scenario is made.
struct Source<'a> {
    path: &'a Path,
    bytes_max: u64,
    what: &'static str,
}

impl Source<'_> {
    fn scenario(&self, import: impl Fn(&str) -> Result<Made, Mistake>) -> Result<String, ScenarioError> {
        let origin = self.path.display().to_string();
        let refuse = |problem: String, hint: String| Err(Mistake::new(None, problem, hint).at(&origin));
        let text = match text_file::read(self.path, self.bytes_max, self.what) {
            Ok(text) => text,
            Err(problem) => return refuse(problem, format!("give the path of {}", self.what)),
        };
        // Some tools begin a file with a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let made = import(text).map_err(|mistake| mistake.at(&origin))?;
        let stem = self.path.file_stem().map_or_else(|| "scenario".into(), |stem| stem.to_string_lossy());
        let text = match written(made, &stem) {
            Ok(text) => text,
            Err(problem) => {
                return refuse(problem, "the file has something that no scenario can have".to_owned());
            }
        };
        // What cannot be played is not handed over.
        if text.len() as u64 > FILE_BYTES_MAX {
            return refuse(
                format!("makes a scenario of {} bytes, expected at most {FILE_BYTES_MAX}", text.len()),
                "leave out large uploads, or take a part of it".to_owned(),
            );
        }
        Scenario::from_text(&origin, &stem, &text, None, &[])?;
        Ok(text)
    }
}

/// What an importer found.
#[derive(Debug, Default)]
struct Made {
    description: String,
    wait: super::document::Wait,
    order: super::document::TaskOrder,
    variables: BTreeMap<String, serde_json::Value>,
    tasks: Vec<TaskDocument>,
}

fn written(made: Made, name: &str) -> Result<String, String> {
    let user = UserDocument {
        name: "Visitor".to_owned().into(),
        wait: made.wait.into(),
        order: made.order,
        cookies: true,
        tasks: made.tasks.into(),
        ..UserDocument::default()
    };
    let document = Document {
        api_version: ApiVersion::V1,
        kind: Kind::Scenario,
        metadata: Metadata { name: Some(name.to_owned()), description: Some(made.description) },
        spec: Spec { variables: made.variables, users: vec![user].into(), ..Spec::default() },
    };
    let text = serde_saphyr::to_string(&document).map_err(|error| error.to_string())?;
    Ok(format!("# A scenario to start from: give it weights, checks and data of your own.\n{text}"))
}

/// A path that leads to no other host: two slashes at its beginning would.
fn on_host(path: &str) -> String {
    format!("/{}", path.trim_start_matches('/'))
}

/// A text in which `${` means nothing.
fn literal(text: &str) -> String {
    text.replace("${", "$${")
}

/// A JSON value in whose texts `${` means nothing.
fn literal_json(value: &serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::String(text) => Value::String(literal(text)),
        Value::Array(entries) => entries.iter().map(literal_json).collect(),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, field)| (name.clone(), literal_json(field))).collect())
        }
        other => other.clone(),
    }
}

fn step(fields: StepDocument) -> Located<StepDocument> {
    fields.into()
}

#[cfg(test)]
mod tests;
