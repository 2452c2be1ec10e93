//! Credentials in the URL go with every request of every engine, and stand in nothing that is shown or written.

use std::time::Duration;

use http::Method;
use loadgen::{Levels, Load, LoadConfig, LoadError, OpenModel, Scenario, Target, run};

use crate::engines::{Asked, Engine};
use crate::server::{Manner, Server};

/// `zoe:top secret`, in lower case as the server compares it.
const WANTED: &str = "authorization: basic em9lonrvccbzzwnyzxq=";

fn with_credentials(url: &str) -> String {
    url.replace("http://", "http://zoe:top%20secret@")
}

fn assert_has_none(text: &str, what: &str) {
    for part in ["zoe", "secret", "em9l", "Basic"] {
        assert!(!text.contains(part), "{what} has `{part}`: {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_go_with_every_request_of_every_engine() {
    let server = Server::start(Manner::Wants(WANTED)).await;
    let url = with_credentials(&server.url);
    for method in [Method::GET, Method::POST] {
        for engine in [Engine::Users, Engine::Rate, Engine::OpenModel] {
            let asked = Asked {
                url: &url,
                method: method.clone(),
                timeout: Duration::from_secs(20),
                run_time: Duration::from_millis(500),
            };
            let found = asked.of(engine).await;
            assert_eq!(found.counts.keys().collect::<Vec<_>>(), ["ok"], "{engine:?} {method}: {found:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_stand_in_no_result_report_or_message() {
    let server = Server::start(Manner::Wants(WANTED)).await;
    let url = with_credentials(&server.url);
    let folder = tempfile::tempdir().unwrap();
    let names = ["load.csv", "load.html", "load.json", "load.md"];
    let asked = Asked {
        url: &url,
        method: Method::GET,
        timeout: Duration::from_secs(20),
        run_time: Duration::from_millis(500),
    };
    let config = LoadConfig {
        reports: names.iter().map(|name| folder.path().join(name)).collect(),
        must_answer: true,
        ..asked.config(Load::Users(Levels::steady(1.0)))
    };
    let result = run(&config, std::future::pending(), |_| {}).await.expect("the load runs");
    assert_has_none(&result.to_string(), "the result");
    for name in names {
        assert_has_none(&std::fs::read_to_string(folder.path().join(name)).unwrap(), name);
    }

    // A port that was free a moment ago, and has nobody behind it.
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let gone = with_credentials(&format!("http://{nobody}"));
    for host in [gone.as_str(), "http://zoe:top%20secret@h:99999", "http://zoe:top%20secret@h/path"] {
        let error =
            run(&LoadConfig { host: host.to_owned(), ..config.clone() }, std::future::pending(), |_| {})
                .await
                .expect_err("it cannot be loaded");
        assert!(matches!(error, LoadError::Unreachable { .. } | LoadError::Config(_)), "{error}");
        assert_has_none(&error.to_string(), "the error");
        let target = Target {
            base_url: host.to_owned(),
            requests: vec![loadgen::WeightedRequest {
                weight: 1,
                method: Method::GET,
                path: "/".to_owned(),
                headers: Vec::new(),
                body: None,
            }],
            connections: 1,
            timeout: Duration::from_secs(1),
        };
        let error = OpenModel::connect(target).await.expect_err("it cannot be loaded");
        assert_has_none(&error.to_string(), "the error");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_header_names_a_virtual_host() {
    let server = Server::start(Manner::Wants("host: shop.test")).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scenario.yaml");
    let text = "apiVersion: autoscale-lab/v1\nkind: Scenario\nmetadata: {name: virtual}\nspec:\n  users:\n    - name: user\n      \
                wait: {constant: 20ms}\n      tasks: [{name: ask, steps: [{path: /, headers: {Host: shop.test}}]}]\n";
    std::fs::write(&path, text).unwrap();
    let config = LoadConfig {
        host: server.url.clone(),
        scenario: Scenario::load(&path.display().to_string(), &[]).expect("a scenario"),
        load: Load::Users(Levels::steady(1.0)),
        run_time: Some(Duration::from_millis(500)),
        ramp_up: Duration::ZERO,
        must_answer: false,
        ..LoadConfig::default()
    };
    let result = run(&config, std::future::pending(), |_| {}).await.expect("the load runs");
    assert!(result.requests > 0 && result.failures == 0, "{result}");
}
