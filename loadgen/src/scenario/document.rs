//! A scenario as it is written: the shape of the file, from which its JSON schema is made.
//!
//! What a type cannot say, such as that a weight is not 0 or that a variable is known, is checked where the document
//! is compiled.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::located::Located;
use super::method::MethodName;
use super::untyped::Untyped;
use super::values::{Statuses, WaitTime};

/// What users of a service do, and in what shares.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Document {
    /// Which version of the format this is.
    pub(crate) api_version: ApiVersion,
    /// What the file holds.
    pub(crate) kind: Kind,
    /// What the scenario is called.
    #[serde(default)]
    pub(crate) metadata: Metadata,
    /// What the users do.
    pub(crate) spec: Spec,
}

impl Document {
    /// Reads the values without a type once more, from the file's text; see [`Untyped::settle`].
    pub(crate) fn settle(&mut self, source: &str) {
        let spec = &mut self.spec;
        spec.variables.values_mut().for_each(|value| value.settle(source));
        for feeder in spec.feeders.values_mut() {
            let rows = feeder.value.rows.iter_mut().flat_map(|rows| &mut rows.value);
            rows.flat_map(BTreeMap::values_mut).for_each(|value| value.settle(source));
        }
        for user in &mut spec.users.value {
            let of_tasks = user.tasks.value.iter_mut().flat_map(|task| &mut task.steps.value);
            for step in user.on_start.iter_mut().chain(of_tasks).chain(&mut user.on_stop) {
                step.value.settle(source);
            }
        }
    }
}

/// The version of the format.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
pub(crate) enum ApiVersion {
    /// The only one.
    #[default]
    #[serde(rename = "autoscale-lab/v1")]
    V1,
}

/// What the file holds.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
pub(crate) enum Kind {
    /// A scenario.
    #[default]
    Scenario,
}

/// What the scenario is called.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Metadata {
    /// The name in results; the file's name where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// For whoever reads the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
}

/// What the users do.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Spec {
    /// Values that every user knows from the start, as `${name}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) variables: BTreeMap<String, Untyped>,
    /// Tables from whose rows users take values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) feeders: BTreeMap<String, Located<FeederSource>>,
    /// The kinds of users; at least one.
    pub(crate) users: Located<Vec<UserDocument>>,
}

/// A table: a CSV file with a header, or rows in place; exactly one of the two.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct FeederSource {
    /// A CSV file; its first line names the columns. Relative to the scenario's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<Located<String>>,
    /// The rows, each a mapping from column to value; all with the same columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rows: Option<Located<Vec<BTreeMap<String, Untyped>>>>,
    /// Which row is taken next.
    #[serde(default)]
    pub(crate) order: RowOrder,
}

/// Which row of a feeder is taken next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum RowOrder {
    /// Each user draws from its own random stream.
    #[default]
    Random,
    /// All users together go through the rows, and begin anew after the last one.
    Sequential,
}

/// A kind of user.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct UserDocument {
    /// The name in results.
    pub(crate) name: Located<String>,
    /// How many there are, relative to the other kinds; 1 to 1000, default 1. With a rate: their share of the requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) weight: Option<Located<u32>>,
    /// How long the user pauses after each task.
    pub(crate) wait: Located<Wait>,
    /// In which order it does its tasks.
    #[serde(default)]
    pub(crate) order: TaskOrder,
    /// Whether it keeps the cookies that it is given; default true.
    #[serde(default = "yes")]
    pub(crate) cookies: bool,
    /// For choosing with `--tags`; counts for all its tasks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<String>,
    /// What it does once, before its first task.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) on_start: Vec<Located<StepDocument>>,
    /// What it does again and again; at least one.
    pub(crate) tasks: Located<Vec<TaskDocument>>,
    /// What it does once, after the end; not counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) on_stop: Vec<Located<StepDocument>>,
}

fn yes() -> bool {
    true
}

/// In which order a user does its tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum TaskOrder {
    /// By chance, as often as their weights say; each user in an order of its own.
    #[default]
    Weighted,
    /// As they are listed, from the first to the last and again.
    Sequence,
}

/// How long a user pauses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Wait {
    /// Not at all.
    #[default]
    None,
    /// A time drawn evenly between two.
    Between([WaitTime; 2]),
    /// Always as long.
    Constant(WaitTime),
    /// Until this long after the task has begun; not at all where the task took longer. Not for a pause within a task.
    Pacing(WaitTime),
}

/// Something that a user does as a whole.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct TaskDocument {
    /// For whoever reads the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// How often it is done, relative to the others; 1 to 1000, default 1. Not with `order: sequence`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) weight: Option<Located<u32>>,
    /// For choosing with `--tags`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<String>,
    /// What is done, one after the other; a request that fails ends the task. At least one.
    pub(crate) steps: Located<Vec<Located<StepDocument>>>,
}

/// One of three: a request (`path` and what belongs to it), a pause (`wait`), or a row of a table (`feed`).
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct StepDocument {
    /// The method of a request; default GET.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) method: Option<MethodName>,
    /// The path of a request, beginning with one `/`; may hold `${…}`, whose values are percent-encoded. A path that is
    /// one `${…}` and nothing else is taken as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<Located<String>>,
    /// The request's name in results; default: method and path as written here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<Located<String>>,
    /// Headers; values may hold `${…}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) headers: BTreeMap<String, Located<String>>,
    /// What follows the `?`; values may hold `${…}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) query: BTreeMap<String, Located<String>>,
    /// A body as JSON; texts in it may hold `${…}`, and a text that is one `${…}` and nothing else becomes a value of
    /// its own type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) json: Option<Located<Untyped>>,
    /// A body as a form's fields; values may hold `${…}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) form: Option<BTreeMap<String, Located<String>>>,
    /// A body as text; may hold `${…}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<Located<String>>,
    /// A body as bytes, in base64; sent as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) body_base64: Option<Located<String>>,
    /// How long the request may take; default `--timeout`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) timeout: Option<Located<WaitTime>>,
    /// Whether redirects on the same host are followed; default true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) follow_redirects: Option<bool>,
    /// Values to keep from the answer, by the name under which they are known from then on.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) extract: BTreeMap<String, Located<ExtractDocument>>,
    /// What must hold of the answer; default: a status from 200 to 299.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) check: Option<Located<CheckDocument>>,
    /// A pause within the task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) wait: Option<Located<Wait>>,
    /// A feeder: the next row's values become `${feeder.column}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) feed: Option<Located<String>>,
}

impl StepDocument {
    fn settle(&mut self, source: &str) {
        let of_check = self.check.iter_mut().flat_map(|check| check.value.json.values_mut());
        self.json.iter_mut().chain(of_check).for_each(|json| json.value.settle(source));
        let defaults = self.extract.values_mut().filter_map(|extract| extract.value.default.as_mut());
        defaults.for_each(|default| default.settle(source));
    }
}

/// Where in an answer a value is; exactly one of `json`, `header` and `regex`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ExtractDocument {
    /// A JSON pointer (RFC 6901) into the body, such as `/order/id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) json: Option<String>,
    /// The name of a header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) header: Option<String>,
    /// A regular expression over the body; its first group, or the whole match where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) regex: Option<String>,
    /// What is taken where nothing is found; without it, the request counts as failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) default: Option<Untyped>,
}

/// What must hold of an answer.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct CheckDocument {
    /// The statuses that are right, such as `200`, `2xx` or `[200, 404]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<Statuses>,
    /// A text that the body contains; may hold `${…}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) contains: Option<Located<String>>,
    /// A regular expression that the body matches somewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) matches: Option<Located<String>>,
    /// Values in a JSON body, by their JSON pointer; texts in them may hold `${…}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) json: BTreeMap<String, Located<Untyped>>,
    /// The longest that the answer may take, to its last byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) within: Option<WaitTime>,
}
