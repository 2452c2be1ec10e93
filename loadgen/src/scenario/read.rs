//! Reads a scenario, by the name of a shipped one or from a file.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::compile::compile;
use super::document::Document;
use super::error::{Mistake, ScenarioError};
use super::misread;
use super::user_type::{Step, UserType};
use crate::text_file;

/// The scenarios that come with the lab: name and text.
pub const SHIPPED_SCENARIOS: [(&str, &str); 6] = [
    ("mixed", include_str!("../../scenarios/mixed.yaml")),
    ("api-user", include_str!("../../scenarios/api-user.yaml")),
    ("buyer", include_str!("../../scenarios/buyer.yaml")),
    ("shop", include_str!("../../scenarios/shop.yaml")),
    ("dashboard-heavy", include_str!("../../scenarios/dashboard-heavy.yaml")),
    ("errors", include_str!("../../scenarios/errors.yaml")),
];

/// The shipped scenario that is played where none is named.
pub const DEFAULT_SCENARIO: &str = "mixed";

/// A scenario of this size is certainly none.
pub(super) const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// A scenario, checked; a clone shares it.
#[derive(Clone, Debug)]
pub struct Scenario(Arc<Checked>);

#[derive(Debug)]
struct Checked {
    name: String,
    user_types: Vec<Arc<UserType>>,
    request_names: Vec<String>,
}

impl Scenario {
    /// Reads `name_or_path`, and keeps the tasks that have one of `tags`, or all where there are none.
    ///
    /// A word without a slash or dot is the name of a shipped scenario, anything else is a path.
    ///
    /// # Errors
    /// Names the file, the line where it is known, the field, its value, what was expected, and a hint.
    pub fn load(name_or_path: &str, tags: &[String]) -> Result<Self, ScenarioError> {
        if let Some((name, text)) = SHIPPED_SCENARIOS.iter().find(|(name, _)| *name == name_or_path) {
            return Self::from_text(&format!("shipped scenario {name}"), name, text, None, tags);
        }
        let path = Path::new(name_or_path);
        let text = text_file::read(path, FILE_BYTES_MAX, "a scenario").map_err(|problem| {
            let hint = if name_or_path.to_ascii_lowercase().contains(".har") {
                misread::HAR_HINT.to_owned()
            } else if name_or_path.contains(['/', '.']) {
                "give the path of a readable scenario file".to_owned()
            } else {
                let names = SHIPPED_SCENARIOS.map(|(name, _)| name).join(", ");
                format!("give a path, or one of the shipped scenarios: {names}")
            };
            Mistake::new(None, problem, hint).at(name_or_path)
        })?;
        let stem = path.file_stem().map_or_else(|| name_or_path.into(), |stem| stem.to_string_lossy());
        Self::from_text(name_or_path, &stem, &text, path.parent(), tags)
    }

    /// Reads a scenario from its text; `origin` names it in errors, `fallback_name` is its name if the text has none,
    /// and its feeders' files are relative to `folder`.
    ///
    /// # Errors
    /// As [`Scenario::load`].
    pub fn from_text(
        origin: &str,
        fallback_name: &str,
        text: &str,
        folder: Option<&Path>,
        tags: &[String],
    ) -> Result<Self, ScenarioError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let options = serde_saphyr::options! {
            non_finite_float_policy: serde_saphyr::NonFiniteFloatPolicy::AsString,
        };
        let mut document: Document = serde_saphyr::from_str_with_options(text, options)
            .map_err(|error| misread::mistake(text, &error).at(origin))?;
        document.settle(text);
        let compiled = compile(&document, folder, tags).map_err(|mistake| mistake.at(origin))?;
        Ok(Self(Arc::new(Checked {
            name: document.metadata.name.unwrap_or_else(|| fallback_name.to_owned()),
            user_types: compiled.user_types,
            request_names: compiled.request_names,
        })))
    }

    /// The JSON schema (draft 2020-12) of scenario files, for editors.
    pub fn json_schema() -> serde_json::Value {
        schemars::schema_for!(Document).to_value()
    }

    /// The name in results.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The kinds of users, in the order in which they are listed; never empty.
    pub(crate) fn user_types(&self) -> &[Arc<UserType>] {
        &self.0.user_types
    }

    /// The URL of each request, by its place, where it is always the same.
    pub(crate) fn fixed_urls(&self, base: &reqwest::Url) -> Vec<Option<reqwest::Url>> {
        let mut urls = Vec::new();
        let of_tasks = |user_type: &Arc<UserType>| {
            let tasks = user_type.tasks.iter().flat_map(|task| &task.steps);
            let steps = user_type.on_start.iter().chain(tasks).chain(&user_type.on_stop);
            steps
                .filter_map(|step| match step {
                    Step::Request(request) => Some((request.index, request.fixed_url(base))),
                    Step::Pause(_) | Step::Feed { .. } => None,
                })
                .collect::<Vec<_>>()
        };
        for (index, url) in self.0.user_types.iter().flat_map(of_tasks) {
            if urls.len() <= index {
                urls.resize(index + 1, None);
            }
            urls[index] = url;
        }
        urls
    }

    /// Whether some user does something once before its first task.
    pub(crate) fn has_on_start(&self) -> bool {
        self.0.user_types.iter().any(|user_type| !user_type.on_start.is_empty())
    }

    /// The names of the requests in results; a request knows the place of its own.
    pub fn request_names(&self) -> &[String] {
        &self.0.request_names
    }
}

impl Default for Scenario {
    /// The shipped scenario [`DEFAULT_SCENARIO`].
    fn default() -> Self {
        Self::load(DEFAULT_SCENARIO, &[]).expect("a test reads every shipped scenario")
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}
