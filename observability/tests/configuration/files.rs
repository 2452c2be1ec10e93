//! Reads what the tests compare: rules, cases, dashboards, runbooks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The folder of the crate, `observability/`.
pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The root of the repository.
pub(crate) fn repository() -> PathBuf {
    folder().parent().expect("the crate lies in the repository").to_owned()
}

pub(crate) fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

pub(crate) fn yaml<T: DeserializeOwned>(path: &Path) -> T {
    serde_saphyr::from_str(&read(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files of a folder whose names end like this, in the order of their names; at least one.
pub(crate) fn list(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "there is no file *{ending} in {}", folder.display());
    paths
}

/// A recording rule or an alert.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Rule {
    #[serde(default)]
    pub(crate) record: Option<String>,
    #[serde(default)]
    pub(crate) alert: Option<String>,
    pub(crate) expr: String,
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) annotations: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct RuleFile {
    groups: Vec<RuleGroup>,
}

#[derive(Debug, Deserialize)]
struct RuleGroup {
    rules: Vec<Rule>,
}

pub(crate) fn rule_files() -> Vec<PathBuf> {
    list(&folder().join("prometheus/rules"), ".yml")
}

pub(crate) fn rules() -> Vec<Rule> {
    let files = rule_files().into_iter().map(|path| yaml::<RuleFile>(&path));
    files.flat_map(|file| file.groups).flat_map(|group| group.rules).collect()
}

/// The alerts, each with its name.
pub(crate) fn alerts() -> Vec<(String, Rule)> {
    rules().into_iter().filter_map(|rule| rule.alert.clone().map(|name| (name, rule))).collect()
}

/// Name without ending → text of each runbook.
pub(crate) fn runbooks() -> BTreeMap<String, String> {
    list(&folder().join("runbooks"), ".md")
        .iter()
        .map(|path| (path.file_stem().expect("a file has a name").to_string_lossy().into_owned(), read(path)))
        .filter(|(name, _)| name != "README")
        .collect()
}

/// The queries of a runbook: each line of its blocks of PromQL is one.
pub(crate) fn queries_of(markdown: &str) -> Vec<String> {
    let blocks = markdown.split("```promql\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.flat_map(str::lines).map(str::to_owned).collect()
}

/// File name → dashboard.
pub(crate) fn dashboards() -> BTreeMap<String, Value> {
    list(&folder().join("grafana/dashboards"), ".json")
        .iter()
        .map(|path| {
            let name = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
            let dashboard =
                serde_json::from_str(&read(path)).unwrap_or_else(|error| panic!("{name}: {error}"));
            (name, dashboard)
        })
        .collect()
}

/// Every expression there is, with where it stands.
pub(crate) fn expressions() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for rule in rules() {
        let name = rule.alert.or(rule.record).expect("a rule is an alert or records something");
        found.push((format!("rule {name}"), rule.expr));
    }
    for (name, text) in runbooks() {
        found.extend(queries_of(&text).into_iter().map(|query| (format!("runbook {name}"), query)));
    }
    for (file, dashboard) in dashboards() {
        for panel in dashboard["panels"].as_array().expect("a dashboard has panels") {
            for target in panel["targets"].as_array().expect("a panel has targets") {
                let expression = target["expr"].as_str().expect("a target has an expression");
                found.push((format!("{file}, panel {}", panel["title"]), expression.to_owned()));
            }
        }
        for annotation in dashboard["annotations"]["list"].as_array().expect("it has annotations") {
            let expression = annotation["expr"].as_str().expect("an annotation has an expression");
            found.push((format!("{file}, annotation {}", annotation["name"]), expression.to_owned()));
        }
    }
    found
}
