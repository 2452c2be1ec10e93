//! Dashboards are complete, readable and alike.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::files;

fn panels(dashboard: &Value) -> &Vec<Value> {
    dashboard["panels"].as_array().expect("a dashboard has panels")
}

#[test]
fn the_first_dashboard_has_the_eight_panels() {
    let dashboards = files::dashboards();
    let first = &dashboards["autoscale-lab.json"];
    assert_eq!(first["title"], "Autoscale Lab");
    let titles: Vec<&str> = panels(first).iter().filter_map(|panel| panel["title"].as_str()).collect();
    assert_eq!(
        titles,
        [
            "Average response time",
            "Response time",
            "Active replicas",
            "Health of each replica",
            "Request count",
            "Replicas",
            "Request rate",
            "Response time percentiles",
        ]
    );
    assert_eq!(panels(first)[0]["type"], "gauge");
}

#[test]
fn all_have_what_a_reader_expects() {
    let mut uids = BTreeSet::new();
    for (file, dashboard) in files::dashboards() {
        let uid = dashboard["uid"].as_str().expect("a dashboard has a uid");
        assert_eq!(file, format!("{uid}.json"), "the file is called like its uid");
        assert!(uid.len() <= 40 && uids.insert(uid.to_owned()), "{file}: uid `{uid}` is too long or taken");
        assert_eq!(dashboard["refresh"], "5s", "{file}");
        assert_eq!(dashboard["time"], json!({ "from": "now-15m", "to": "now" }), "{file}");
        assert_eq!(dashboard["templating"]["list"][0]["name"], "datasource", "{file}");
        assert_eq!(dashboard["editable"], false, "{file}: it is a file");
        let marks = dashboard["annotations"]["list"].as_array().expect("decisions are annotations");
        assert!(!marks.is_empty(), "{file} does not mark decisions");

        let mut ids = BTreeSet::new();
        let mut places: Vec<[u64; 4]> = Vec::new();
        for panel in panels(&dashboard) {
            let title = panel["title"].as_str().expect("a panel has a title");
            assert!(ids.insert(panel["id"].as_u64()), "{file}, {title}: its id is taken");
            assert!(panel["description"].as_str().is_some_and(|text| text.ends_with('.')), "{file}, {title}");
            assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{file}, {title}: no unit");
            assert_eq!(panel["datasource"]["uid"], "${datasource}", "{file}, {title}: a fixed data source");
            let place = ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().expect("a place"));
            let [x, y, w, h] = place;
            assert!(x + w <= 24, "{file}, {title} is wider than the page");
            for [other_x, other_y, other_w, other_h] in &places {
                let apart = x + w <= *other_x
                    || other_x + other_w <= x
                    || y + h <= *other_y
                    || other_y + other_h <= y;
                assert!(apart, "{file}, {title} lies upon another panel");
            }
            places.push(place);
        }
    }
}

/// A fixed window shorter than four scrapes shows nothing, and one that ignores the zoom shows steps.
#[test]
fn rates_follow_the_zoom() {
    for (file, dashboard) in files::dashboards() {
        for panel in panels(&dashboard) {
            for target in panel["targets"].as_array().expect("a panel has targets") {
                let expression = target["expr"].as_str().expect("a target has an expression");
                for call in expression.split("rate(").skip(1) {
                    let window = call.split(['[', ']']).nth(1).expect("a rate has a window");
                    // Rare events need a window that holds some of them, however far in one zooms.
                    assert!(
                        ["$__rate_interval", "5m"].contains(&window),
                        "{file}, {}: `{expression}` has the window {window}",
                        panel["title"]
                    );
                }
            }
        }
    }
}

#[test]
fn exemplars_lead_to_jaeger() {
    let sources: Value =
        files::yaml(&files::folder().join("grafana/provisioning/datasources/autoscale-lab.yml"));
    let source = |kind: &str| {
        let list = sources["datasources"].as_array().expect("a list");
        list.iter().find(|source| source["type"] == kind).unwrap_or_else(|| panic!("no {kind}")).clone()
    };
    let (prometheus, jaeger) = (source("prometheus"), source("jaeger"));
    assert_eq!(prometheus["uid"], "prometheus");
    assert_eq!(prometheus["jsonData"]["timeInterval"], "5s", "it is the scrape interval");
    let targets = prometheus["jsonData"]["exemplarTraceIdDestinations"].as_array().expect("a list");
    assert!(targets.iter().all(|target| target["name"] == "trace_id"), "an exemplar's label is trace_id");
    assert!(targets.iter().any(|target| target["datasourceUid"] == jaeger["uid"]), "{targets:?}");
    // One dollar sign would be replaced by the environment while Grafana reads the file.
    let links: Vec<&str> = targets.iter().filter_map(|target| target["url"].as_str()).collect();
    assert!(links.iter().all(|link| link.ends_with("$${__value.raw}")), "{links:?}");

    let clickable = files::dashboards()
        .values()
        .flat_map(panels)
        .filter(|panel| {
            panel["targets"]
                .as_array()
                .is_some_and(|targets| targets.iter().any(|target| target["exemplar"] == true))
        })
        .count();
    assert!(clickable > 0, "no panel shows exemplars");
}

#[test]
fn the_provider_loads_the_dashboards() {
    let file: Value = files::yaml(&files::folder().join("grafana/provisioning/dashboards/autoscale-lab.yml"));
    let provider = &file["providers"][0];
    assert_eq!(provider["type"], "file");
    assert_eq!(provider["options"]["path"], "$LAB_DASHBOARDS");
    assert_eq!(provider["allowUiUpdates"], false, "the files are what counts");
}
