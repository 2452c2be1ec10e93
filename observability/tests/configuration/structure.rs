//! The configuration of Prometheus and Jaeger, as far as it can be judged without running them.

use serde_json::Value;

use crate::files;

#[test]
fn prometheus_scrapes_every_five_seconds_and_loads_all_rules() {
    for file in ["prometheus.lab-up.yml", "prometheus.compose.yml"] {
        let configuration: Value = files::yaml(&files::folder().join("prometheus").join(file));
        assert_eq!(configuration["global"]["scrape_interval"], "5s", "{file}");
        assert_eq!(configuration["global"]["evaluation_interval"], "5s", "{file}");
        assert_eq!(configuration["rule_files"][0], "rules/*.yml", "{file}");
        assert!(configuration["alerting"]["alertmanagers"][0].is_object(), "{file} tells no Alertmanager");
    }
}

#[test]
fn replicas_are_found_within_five_seconds() {
    let job = |file: &str| {
        let configuration: Value = files::yaml(&files::folder().join("prometheus").join(file));
        let jobs = configuration["scrape_configs"].as_array().expect("jobs").clone();
        jobs.into_iter().find(|job| job["job_name"] == "webapp").expect("the replicas are scraped")
    };
    let up = job("prometheus.lab-up.yml");
    assert_eq!(up["http_sd_configs"][0]["url"], "http://127.0.0.1:8001/sd");
    assert_eq!(up["http_sd_configs"][0]["refresh_interval"], "5s");
    let compose = job("prometheus.compose.yml");
    assert_eq!(compose["dns_sd_configs"][0]["type"], "A", "the default, SRV, finds nothing in Docker");
    assert_eq!(compose["dns_sd_configs"][0]["refresh_interval"], "5s");
}

/// Everything that a pipeline or a part names is defined, and what is defined is used.
#[test]
fn jaegers_parts_fit_together() {
    let configuration: Value = files::yaml(&files::repository().join("jaeger/config.yaml"));
    let service = &configuration["service"];
    let strings = |list: &Value| -> Vec<String> {
        list.as_array().into_iter().flatten().map(|name| name.as_str().expect("a name").to_owned()).collect()
    };
    let defined =
        |kind: &str, name: &str| configuration[kind].as_object().is_some_and(|all| all.contains_key(name));
    for extension in strings(&service["extensions"]) {
        assert!(defined("extensions", &extension), "extension `{extension}` is not defined");
    }
    let mut used = Vec::new();
    for (name, pipeline) in service["pipelines"].as_object().expect("there are pipelines") {
        for kind in ["receivers", "processors", "exporters"] {
            for part in strings(&pipeline[kind]) {
                // A connector is the exporter of one pipeline and the receiver of another.
                let known = defined(kind, &part) || (kind != "processors" && defined("connectors", &part));
                assert!(known, "pipeline {name}: `{part}` is not among the {kind}");
                used.push(part);
            }
        }
    }
    for kind in ["receivers", "processors", "exporters", "connectors"] {
        for part in configuration[kind].as_object().expect(kind).keys() {
            assert!(used.contains(part), "`{part}` is defined and no pipeline uses it");
        }
    }
}

#[test]
fn jaeger_keeps_traces_in_memory_and_asks_prometheus_for_its_metrics() {
    let configuration: Value = files::yaml(&files::repository().join("jaeger/config.yaml"));
    let storage = &configuration["extensions"]["jaeger_storage"];
    let query = &configuration["extensions"]["jaeger_query"]["storage"];
    let traces = query["traces"].as_str().expect("the page reads a storage");
    assert!(storage["backends"][traces]["memory"]["max_traces"].is_u64(), "{traces} is not bounded");
    assert_eq!(configuration["exporters"]["jaeger_storage_exporter"]["trace_storage"], traces);
    let metrics = query["metrics"].as_str().expect("the page Monitor reads metrics");
    let prometheus = &storage["metric_backends"][metrics]["prometheus"];
    assert_eq!(prometheus["normalize_calls"], true, "the exporter's names end in _total");
    assert_eq!(prometheus["normalize_duration"], true, "the exporter's names have the unit");
}

/// The default is localhost, where no other container gets through.
#[test]
fn jaeger_listens_where_others_reach_it() {
    let configuration: Value = files::yaml(&files::repository().join("jaeger/config.yaml"));
    let protocols = &configuration["receivers"]["otlp"]["protocols"];
    assert_eq!(protocols["grpc"]["endpoint"], "${env:JAEGER_LISTEN_HOST:-0.0.0.0}:4317");
    assert_eq!(protocols["http"]["endpoint"], "${env:JAEGER_LISTEN_HOST:-0.0.0.0}:4318");
    let page: Value = serde_json::from_str(&files::read(&files::repository().join("jaeger/ui.json")))
        .expect("the page's settings are JSON");
    assert_eq!(page["monitor"]["menuEnabled"], true, "the page Monitor is hidden");
}
