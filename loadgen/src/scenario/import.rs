//! Makes a scenario to start from: of what a browser recorded (HAR 1.2), or of an OpenAPI 3 description.
//!
//! What comes out is read back before it is handed over, so it can be played as it is. What was left out or changed is
//! told, and stands at the top of the scenario; a person then gives it weights, checks and data.

use std::fmt::Write as _;
use std::path::Path;

use excerpt::{one_line, sentence};

use super::document::{ApiVersion, Document, Kind, Metadata, Spec, UserDocument};
use super::error::{Mistake, ScenarioError};
use super::misread;
use super::read::{FILE_BYTES_MAX, Scenario};
use super::untyped::Untyped;
use crate::text_file;
use made::Made;

mod body;
mod credential;
mod har;
mod made;
mod multipart;
mod notes;
mod openapi;

/// A recording holds every answer's content: a visit of a page with pictures easily takes some 10 MB.
const RECORDING_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// The largest published descriptions are some 10 MB.
const DESCRIPTION_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A scenario that was made, and what its maker has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The text of the scenario; its first lines are the notes as comments.
    pub text: String,
    /// Which host it is for, what was left out or changed, and what is needed besides; one line each.
    pub notes: Vec<String>,
}

/// The text of a scenario that sends again what a browser recorded.
///
/// Requests to one origin become one task, in the order in which they were sent, with pauses as they were: to `origin`,
/// such as `https://shop.example`, or else to the origin of the visited pages. Paths and bodies are sent as they were
/// recorded; what a browser adds by itself, cookies and credentials are left out.
///
/// # Errors
/// Names the file and what is wrong with it.
pub fn scenario_from_har(path: &Path, origin: Option<&str>) -> Result<Imported, ScenarioError> {
    let source = Source { path, bytes_max: RECORDING_BYTES_MAX, what: "a recording of a browser (HAR)" };
    source.scenario(|text| har::scenario(text, origin))
}

/// The text of a scenario that sends each request of an OpenAPI 3 description, reading three times as often as writing.
///
/// Examples of the description become parameters and bodies; where it has none, plain values of the right type. Paths
/// begin as the description's first server says. Where `tags` are given, only operations that have one of them.
///
/// # Errors
/// Names the file and what is wrong with it.
pub fn scenario_from_openapi(path: &Path, tags: &[String]) -> Result<Imported, ScenarioError> {
    let source = Source { path, bytes_max: DESCRIPTION_BYTES_MAX, what: "an OpenAPI description" };
    source.scenario(|text| openapi::scenario(&description(text)?, tags))
}

/// A description as a value. Both JSON and YAML are in use; what is meant as JSON and is none is told as YAML, which
/// contains it.
fn description(text: &str) -> Result<Untyped, Mistake> {
    if let Ok(value) = Untyped::from_json(text) {
        return Ok(value);
    }
    // The largest have a million values.
    let budget = serde_saphyr::budget! {
        max_events: 20_000_000,
        max_nodes: 10_000_000,
    };
    let options = serde_saphyr::options! {
        budget: budget,
        non_finite_float_policy: serde_saphyr::NonFiniteFloatPolicy::AsString,
    };
    let mut value: Untyped = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let (line, problem) = misread::problem(&error);
        Mistake::new(line, problem, "a description is YAML or JSON, and begins with `openapi: \"3.…\"`")
    })?;
    value.settle(text);
    Ok(value)
}

/// A file of which a scenario is made.
struct Source<'a> {
    path: &'a Path,
    bytes_max: u64,
    what: &'static str,
}

impl Source<'_> {
    fn scenario(&self, import: impl Fn(&str) -> Result<Made, Mistake>) -> Result<Imported, ScenarioError> {
        let origin = self.path.display().to_string();
        let refuse = |problem: String, hint: String| Err(Mistake::new(None, problem, hint).at(&origin));
        let text = match text_file::read(self.path, self.bytes_max, self.what) {
            Ok(text) => text,
            Err(problem) => return refuse(problem, format!("give the path of {}", self.what)),
        };
        let made = import(&text).map_err(|mistake| mistake.at(&origin))?;
        let stem = self.path.file_stem().map_or_else(|| "scenario".into(), |stem| stem.to_string_lossy());
        let notes = made.notes.lines();
        let text = match written(made, &stem, &notes) {
            Ok(text) => text,
            Err(problem) => {
                return refuse(
                    sentence(&problem),
                    "the file has something that no scenario can have".to_owned(),
                );
            }
        };
        // What cannot be played is not handed over.
        if text.len() as u64 > FILE_BYTES_MAX {
            return refuse(
                format!("makes a scenario of {} bytes, expected at most {FILE_BYTES_MAX}", text.len()),
                "leave out large uploads, or take a part of it".to_owned(),
            );
        }
        // The line would be one of the text that was made, which the user never sees.
        Scenario::from_text(&origin, &stem, &text, None, &[]).map_err(|error| {
            let problem = format!("the scenario made of it cannot be played: {}", error.problem);
            Mistake::new(None, problem, error.hint).at(&origin)
        })?;
        Ok(Imported { text, notes })
    }
}

fn written(made: Made, name: &str, notes: &[String]) -> Result<String, String> {
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
    let mut whole = "# A scenario to start from: give it weights, checks and data of your own.\n".to_owned();
    for note in notes {
        writeln!(whole, "# {}", one_line(note)).expect("a string takes whatever is written");
    }
    Ok(whole + &text)
}

#[cfg(test)]
mod played;
#[cfg(test)]
mod tests;
