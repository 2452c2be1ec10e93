//! A policy file that changes is followed by the running loop; one that cannot be followed leaves the last good one.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::fake_service::{FakeService, Says};
use crate::support::{TIMEOUT, Up, is_alive, send_signal};

fn policy(name: &str, spec: &str) -> String {
    format!(
        "apiVersion: autoscale-lab/v1\nkind: ThresholdPolicy\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n"
    )
}

fn follows(name: &'static str) -> impl Fn(&Value) -> bool {
    move |status| status["policy"]["name"] == name
}

fn has_problem(status: &Value) -> bool {
    status["problems"].to_string().contains("the last good one stays")
}

#[tokio::test]
async fn a_scaler_follows_its_file_however_it_changes_and_survives_what_is_wrong() {
    let mut service = FakeService::start(Says::Truth(0.4)).await;
    let file = service.path("policy.yaml");
    fs::write(&file, policy("first", "maxReplicas: 7, window: 5s")).expect("the policy is written");
    let path = file.display().to_string();
    service.watch(&["--policy", &path, "--scale-down-threshold", "0.15"]);
    service.until("the first policy", follows("first")).await;

    fs::write(&file, policy("second", "maxReplicas: 8, scaleDownThreshold: 0.1, window: 4s"))
        .expect("it is written");
    let status = service.until("the second policy", follows("second")).await;
    assert_eq!((&status["replicas"]["max"], &status["window_seconds"]), (&8.into(), &4.0.into()));
    assert_eq!(status["policy"]["settings"]["scaleDownThreshold"], 0.15, "a flag beats the file");

    let new = service.path("new.yaml");
    fs::write(&new, policy("third", "maxReplicas: 9")).expect("it is written");
    fs::rename(&new, &file).expect("it is renamed");
    service.until("the third policy", follows("third")).await;

    fs::write(&file, policy("bad", "maxReplicas: many")).expect("it is written");
    let status = service.until("the problem", has_problem).await;
    assert!(follows("third")(&status), "{status:#}");
    fs::remove_file(&file).expect("it is removed");
    let is_gone = |status: &Value| status["problems"].to_string().contains("cannot be opened");
    service.until("that it is gone", is_gone).await;
    fs::write(&file, policy("fourth", "window: 100ms")).expect("it is written");
    let no_window = |status: &Value| status["problems"].to_string().contains("spec.window");
    service.until("that no window is that short", no_window).await;

    fs::write(&file, policy("fifth", "maxReplicas: 5")).expect("it is written");
    send_signal(service.pid(), "HUP");
    let status = service.until("the fifth policy", follows("fifth")).await;
    assert!(!has_problem(&status), "{status:#}");
    assert!(is_alive(service.pid()), "SIGHUP ended it");
}

#[tokio::test]
async fn sighup_to_the_loop_reloads_the_policy_of_its_scaler() {
    let folder = tempfile::tempdir().expect("a folder for the policy");
    let file = folder.path().join("policy.yaml");
    fs::write(&file, policy("first", "maxReplicas: 3")).expect("the policy is written");
    let up = Up::start(&["--policy", &file.display().to_string(), "--check-interval", "1s"]);
    let limits = format!("{}/api/limits", up.scaler);
    let body = serde_json::json!({"min": 1, "max": 2});
    let reply = up.client.send_json(http::Method::PUT, &limits, &body, TIMEOUT).await;
    reply.and_then(http_client::Reply::ok).expect("the limits are taken");

    fs::write(&file, policy("second", "maxReplicas: 5")).expect("it is written");
    send_signal(up.child.id(), "HUP");
    let began = Instant::now();
    let status = loop {
        let status = up.status().await.unwrap_or_default();
        if follows("second")(&status) {
            break status;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{status:#}\n{}", up.lines().join("\n"));
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(status["replicas"]["max"], 2, "limits set by hand stay");
    assert!(up.printed("SIGHUP: the scaler reads its policy again"), "{}", up.lines().join("\n"));
    assert!(is_alive(up.processes["scaler"]), "SIGHUP ended the scaler");
}
