//! Makes a scenario to start from: of what a browser recorded (HAR 1.2), or of an OpenAPI 3 description.
//!
//! What comes out is read back before it is handed over, so it can be played as it is; a person then gives it its
//! weights, its checks and its data.

use std::collections::BTreeMap;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::document::{ApiVersion, Document, Kind, Metadata, Spec, StepDocument, TaskDocument, UserDocument};
use super::error::{Mistake, ScenarioError};
use super::located::Located;
use super::{Scenario, read_text};

mod har;
mod openapi;

/// The text of a scenario that sends again what a browser recorded.
///
/// Requests to the host of the first one become one task, in their order, with pauses as they were; what a browser adds
/// by itself, cookies and credentials are left out.
///
/// # Errors
/// Names the file and what is wrong with it.
pub fn scenario_from_har(path: &Path) -> Result<String, ScenarioError> {
    written_from(path, har::scenario)
}

/// The text of a scenario that sends each request of an OpenAPI 3 description, reading three times as often as writing.
///
/// Examples of the description become parameters and bodies; where it has none, plain values of the right type.
///
/// # Errors
/// Names the file and what is wrong with it.
pub fn scenario_from_openapi(path: &Path) -> Result<String, ScenarioError> {
    written_from(path, openapi::scenario)
}

fn written_from<T: DeserializeOwned>(
    path: &Path,
    import: impl Fn(&T) -> Result<Made, Mistake>,
) -> Result<String, ScenarioError> {
    let origin = path.display().to_string();
    let refuse = |problem: String, hint: &str| Mistake::new(None, problem, hint).at(&origin);
    let text = read_text(path).map_err(|problem| refuse(problem, "give the path of a readable file"))?;
    let read: T = serde_saphyr::from_str(&text).map_err(|error| super::yaml_mistake(&error).at(&origin))?;
    let made = import(&read).map_err(|mistake| mistake.at(&origin))?;
    let stem = path.file_stem().map_or_else(|| "scenario".into(), |stem| stem.to_string_lossy());
    let text = written(made, &stem)
        .map_err(|problem| refuse(problem, "the file has something that no scenario can have"))?;
    // What cannot be played is not handed over.
    Scenario::from_text(&origin, &stem, &text, None, &[])?;
    Ok(text)
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
