//! Collects what is shown: the panels and marks of the dashboards, and the queries of the runbooks.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::promql::Selector;

/// The folder `observability/` of the repository.
pub(crate) fn observability() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../observability")
}

/// Where it stands, and the expression as Grafana would send it.
pub(crate) fn shown() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (file, text) in files("grafana/dashboards", "json") {
        let dashboard: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        let panels = dashboard["panels"].as_array().expect("a dashboard has panels").iter();
        let targets = panels.flat_map(|panel| {
            let targets = panel["targets"].as_array().expect("a panel has targets");
            targets.iter().map(move |target| (&panel["title"], &target["expr"]))
        });
        let marks = dashboard["annotations"]["list"].as_array().expect("a list of annotations").iter();
        for (title, expression) in targets.chain(marks.map(|mark| (&mark["name"], &mark["expr"]))) {
            let expression = expression.as_str().expect("an expression is text");
            found.push((format!("{file}, {title}"), with_windows(expression)));
        }
    }
    for (file, text) in files("runbooks", "md") {
        let blocks = text.split("```promql\n").skip(1).filter_map(|rest| rest.split("```").next());
        found.extend(blocks.flat_map(str::lines).map(|query| (file.clone(), query.to_owned())));
    }
    assert!(found.len() > 100, "only {} expressions were found", found.len());
    found
}

/// Grafana's own windows, as for a graph of five minutes with values each 5 s.
fn with_windows(expression: &str) -> String {
    expression.replace("$__rate_interval", "20s").replace("$__range", "5m")
}

fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(observability().join(folder)).expect("the folder is there");
    entries
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .map(|path| {
            let name = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("the file can be read"))
        })
        .collect()
}

/// A selector as PromQL.
pub(crate) fn text_of(selector: &Selector) -> String {
    let matchers: Vec<String> = selector
        .matchers
        .iter()
        .map(|matcher| format!("{}{}{:?}", matcher.label, matcher.operator, matcher.value))
        .collect();
    format!("{}{{{}}}", selector.metric, matchers.join(","))
}
