//! Each alert says what it is about, has a runbook, and has a case that fires and one that stays quiet.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::files;

#[derive(Debug, Deserialize)]
struct CaseFile {
    tests: Vec<Case>,
}

#[derive(Debug, Deserialize)]
struct Case {
    #[serde(default)]
    alert_rule_test: Vec<AlertCase>,
}

#[derive(Debug, Deserialize)]
struct AlertCase {
    alertname: String,
    exp_alerts: Vec<ExpectedAlert>,
}

#[derive(Debug, Deserialize)]
struct ExpectedAlert {
    exp_labels: BTreeMap<String, String>,
}

#[test]
fn every_alert_says_what_it_is_about() {
    let alerts = files::alerts();
    assert!(!alerts.is_empty(), "there are no alerts");
    for (name, rule) in alerts {
        let severity = rule.labels.get("severity").unwrap_or_else(|| panic!("{name} has no severity"));
        assert!(
            ["critical", "warning", "info"].contains(&severity.as_str()),
            "{name}: severity `{severity}`"
        );
        for annotation in ["summary", "description"] {
            let text =
                rule.annotations.get(annotation).unwrap_or_else(|| panic!("{name} has no {annotation}"));
            assert!(text.len() > 10, "{name}: its {annotation} says nothing: `{text}`");
        }
    }
}

#[test]
fn every_alert_has_its_runbook_and_every_runbook_its_alert() {
    for (name, rule) in files::alerts() {
        let url = rule.annotations.get("runbook_url").unwrap_or_else(|| panic!("{name} has no runbook_url"));
        assert_eq!(url, &format!("observability/runbooks/{name}.md"), "{name} leads to another page");
        assert!(files::repository().join(url).is_file(), "{name}: there is no {url}");
    }
    let names: BTreeSet<String> = files::alerts().into_iter().map(|(name, _)| name).collect();
    for (name, text) in files::runbooks() {
        assert!(names.contains(&name), "runbooks/{name}.md has no alert");
        let headings: Vec<&str> = text.lines().filter(|line| line.starts_with('#')).collect();
        let title = format!("# {name}");
        assert_eq!(
            headings,
            [title.as_str(), "## Meaning", "## Impact", "## Diagnosis", "## Mitigation"],
            "runbooks/{name}.md has other headings"
        );
        assert!(!files::queries_of(&text).is_empty(), "runbooks/{name}.md has no query to start with");
        assert!(text.contains("The trace to open: "), "runbooks/{name}.md names no trace");
    }
}

/// Several alerts may share a name and differ in their labels, as the burn rates do: each is asked for.
#[test]
fn every_alert_has_a_case_that_fires_and_one_that_does_not() {
    let cases: Vec<AlertCase> = files::list(&files::folder().join("prometheus/tests"), ".test.yml")
        .iter()
        .flat_map(|path| files::yaml::<CaseFile>(path).tests)
        .flat_map(|case| case.alert_rule_test)
        .collect();
    let fires = |case: &AlertCase, labels: &BTreeMap<String, String>| {
        case.exp_alerts
            .iter()
            .any(|expected| labels.iter().all(|(label, value)| expected.exp_labels.get(label) == Some(value)))
    };
    for (name, rule) in files::alerts() {
        let of_it: Vec<&AlertCase> = cases.iter().filter(|case| case.alertname == name).collect();
        let labels = &rule.labels;
        assert!(of_it.iter().any(|case| fires(case, labels)), "no case fires {name} with {labels:?}");
        assert!(of_it.iter().any(|case| !fires(case, labels)), "no case keeps {name} quiet with {labels:?}");
    }
    let names: BTreeSet<String> = files::alerts().into_iter().map(|(name, _)| name).collect();
    for case in cases {
        assert!(names.contains(&case.alertname), "a case is about `{}`, which is no alert", case.alertname);
    }
}
