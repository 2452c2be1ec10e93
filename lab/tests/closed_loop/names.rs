//! Every name is exposed by the part that it belongs to, in text that a strict reader takes.

use std::process::Stdio;

use observability::names;

use crate::exposition::families;
use crate::support::{TIMEOUT, Up};

/// Who exposes a family, by the beginning of its name; `process_*` everybody.
const OWNERS: [(&str, &str); 9] = [
    ("webapp_", "webapp"),
    ("order", "webapp"),
    ("http_server_", "webapp"),
    ("http_requests_", "webapp"),
    ("active_connections", "webapp"),
    ("gateway_", "gateway"),
    ("scaler_", "scaler"),
    ("loadgen_", "loadgen"),
    ("process_", "everybody"),
];

#[tokio::test]
async fn every_name_is_exposed_as_it_is_written() {
    let up = Up::start(&["--with-dependency"]);
    up.wait_for_replicas(1, TIMEOUT).await;
    let mut load = crate::support::lab()
        .args(["load", "--host", &up.gateway, "--run-time", "60s", "--metrics-port", "0"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the lab starts");
    let said = crate::load_metrics::metrics_url(&mut load);
    let replica = up.in_rotation().await[0].0.clone();
    let mut parts = Vec::new();
    for (part, url) in [
        ("webapp", format!("{replica}/metrics")),
        ("gateway", format!("{}/metrics", up.admin)),
        ("scaler", format!("{}/metrics", up.scaler)),
        ("loadgen", said),
    ] {
        let reply = up.client.scrape(&url, TIMEOUT).await.expect("a scrape is answered");
        let text = String::from_utf8(reply.body.to_vec()).expect("metrics are text");
        assert!(!families(&text).is_empty(), "{part} exposes nothing");
        parts.push((part, text));
    }
    load.kill().expect("it still runs");
    load.wait().expect("it is our child");

    let is_exposed = |text: &str, name: &str| {
        text.lines()
            .filter_map(|line| line.strip_prefix(name))
            .any(|rest| rest.starts_with('{') || rest.starts_with(' ') || rest.starts_with("_count"))
    };
    for name in names::ALL {
        let owner = OWNERS.iter().find_map(|(start, owner)| name.starts_with(start).then_some(*owner));
        let owner = owner.unwrap_or_else(|| panic!("nobody is said to expose `{name}`"));
        for (part, text) in parts.iter().filter(|(part, _)| owner == *part || owner == "everybody") {
            assert!(is_exposed(text, name), "{part} does not expose `{name}`:\n{text}");
        }
    }
}
