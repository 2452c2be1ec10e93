//! Whatever the scaler cannot know, it removes nothing for it; and as soon as it knows again, it does what is right.
//!
//! Each disturbance strikes a loop at rest with more replicas than it needs. The scaler is paused until the disturbance
//! shows, so that what it removes before is no matter of chance, and then left alone with it.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{TIMEOUT, Up, send_signal};

/// A check each second that acts on the first low value, and a queue that a stall does not fill with work for minutes.
const QUICK: [&str; 14] = [
    "--queue",
    "1",
    "--max-replicas",
    "4",
    "--window",
    "3s",
    "--check-interval",
    "1s",
    "--scale-down-checks",
    "1",
    "--scale-up-cooldown",
    "1s",
    "--scale-down-cooldown",
    "1s",
];

/// How long a disturbance lasts after it shows: several windows and checks.
const DISTURBED: Duration = Duration::from_secs(7);

/// A fault by which a replica completes nothing for longer than it is endured, and then all that it has begun.
const STALL: &str = "/faults/latency?add=18s&for=12s";

/// Longest wait for anything; a machine under load needs some of it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Checks after which the right thing must have been decided, from the first that knows enough on.
const CHECKS: usize = 2;

const UNKNOWING: [&str; 5] =
    ["rotation_unknown", "nothing_completed", "missing_data", "partial_data", "stale_data"];

/// What is decided on a value above the lower threshold.
const HIGH: [&str; 4] = ["above_threshold", "within_thresholds", "breach_pending", "at_maximum"];

/// A loop of four replicas at rest whose scaler is paused.
struct Disturbed {
    up: Up,
    replicas: Vec<(String, u32)>,
}

impl Disturbed {
    async fn prepare() -> Self {
        let up = Up::start(&QUICK);
        up.wait_for_replicas(1, TIMEOUT).await;
        let loop_ = Self { up, replicas: Vec::new() };
        loop_.post("pause").await;
        loop_.up.scale_by_hand(4).await;
        loop_.up.wait_for_replicas(4, PATIENCE).await;
        // Each of them was measured, and a check was made while paused: what is decided after it counts.
        loop_
            .wait_for("values of all replicas", |status| {
                let is_known = |endpoint: &Value| endpoint["response_time_p95_seconds"].is_f64();
                let all = status["endpoints"].as_array();
                all.is_some_and(|all| all.len() == 4 && all.iter().all(is_known))
                    && status["last_decision"]["reason"] == "paused"
            })
            .await;
        let replicas = loop_.up.in_rotation().await;
        Self { replicas, ..loop_ }
    }

    async fn post(&self, what: &str) {
        let url = format!("{}/api/{what}", self.up.scaler);
        let reply = self.up.client.send(http::Method::POST, &url, None, TIMEOUT).await;
        reply.and_then(http_client::Reply::ok).expect("the scaler takes it");
    }

    async fn wait_for(&self, what: &str, is_so: impl Fn(&Value) -> bool) {
        let began = Instant::now();
        loop {
            let status = self.up.status().await.unwrap_or_default();
            if is_so(&status) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{what} never came: {status:#}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The automatic decisions since the scaler was resumed, oldest first.
    async fn decisions(&self) -> Vec<Value> {
        let history = self.up.get(&format!("{}/api/history?form=columns", self.up.scaler)).await;
        let decisions =
            history.expect("the scaler answers")["decisions"].as_array().cloned().unwrap_or_default();
        let last_pause = decisions.iter().rposition(|decision| decision["reason"] == "paused");
        decisions[last_pause.map_or(0, |at| at + 1)..].to_vec()
    }

    /// Nothing is removed while it lasts, and each decision says what is missing.
    async fn endure(&self, expected: &[&str]) {
        self.post("resume").await;
        let began = Instant::now();
        while began.elapsed() < DISTURBED {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let decisions = self.decisions().await;
        assert!(decisions.len() >= 3, "too few checks to tell anything: {decisions:#?}");
        for decision in &decisions {
            assert_ne!(decision["action"], "down", "{decisions:#?}");
            let reason = decision["reason"].as_str().unwrap_or_default();
            assert!(expected.contains(&reason), "`{reason}` is none of {expected:?}: {decision:#}");
        }
    }

    /// After it, what was too many goes, within two checks of knowing that the values are low. A value that is high
    /// at first, because work had piled up, rightly removes nothing.
    async fn recover(&self) {
        let began = Instant::now();
        let before = self.decisions().await.len();
        let after = loop {
            let after = self.decisions().await.split_off(before);
            if after.iter().any(|decision| decision["action"] == "down") {
                break after;
            }
            assert!(began.elapsed() < PATIENCE, "nothing was done after it: {after:#?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        let knowing = after.iter().filter(|decision| {
            let reason = decision["reason"].as_str().unwrap_or_default();
            !UNKNOWING.contains(&reason) && !HIGH.contains(&reason) && reason != "cooldown_active"
        });
        let right = knowing.clone().position(|decision| decision["action"] == "down");
        assert!(right.is_some_and(|checks| checks < CHECKS), "{:#?}", knowing.collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn while_the_gateway_is_stopped_nothing_is_removed() {
    let disturbed = Disturbed::prepare().await;
    let gateway = disturbed.up.processes["gateway"];
    send_signal(gateway, "STOP");
    disturbed.wait_for("that readiness is unknown", |status| status["replicas"]["ready"].is_null()).await;
    disturbed.endure(&["rotation_unknown"]).await;
    let status = disturbed.up.status().await.expect("the scaler answers");
    assert_eq!((&status["replicas"]["current"], &status["replicas"]["ready"]), (&4.into(), &Value::Null));
    let problems = status["problems"].to_string();
    assert!(problems.contains("the gateway did not list its endpoints"), "{problems}");
    send_signal(gateway, "CONT");
    disturbed.recover().await;
}

#[tokio::test]
async fn a_gateway_that_was_restarted_costs_no_replica_before_it_knows_them_again() {
    let disturbed = Disturbed::prepare().await;
    disturbed.post("resume").await;
    send_signal(disturbed.up.processes["gateway"], "KILL");
    disturbed.recover().await;
    for decision in disturbed.decisions().await {
        if decision["action"] == "down" {
            let text = decision["reason_text"].as_str().unwrap_or_default();
            assert!(text.contains("below"), "a measured value, and not a list without anybody: {decision:#}");
        }
    }
}

#[tokio::test]
async fn replicas_that_complete_nothing_are_not_idle() {
    let disturbed = Disturbed::prepare().await;
    for (url, _) in &disturbed.replicas {
        disturbed.up.get(&format!("{url}{STALL}")).await.expect("it is stalled");
    }
    disturbed
        .wait_for("that nothing completes", |status| {
            status["signals"]
                .get("response_time_mean_seconds")
                .is_none_or(|reading| reading["value"].is_null())
        })
        .await;
    disturbed.endure(&["nothing_completed"]).await;
    disturbed.recover().await;
}

#[tokio::test]
async fn of_four_replicas_three_that_complete_nothing_do_not_hide_behind_the_fourth() {
    let disturbed = Disturbed::prepare().await;
    for (url, _) in &disturbed.replicas[1..] {
        disturbed.up.get(&format!("{url}{STALL}")).await.expect("it is stalled");
    }
    disturbed
        .wait_for("that a replica stands still", |status| {
            let silent = |endpoint: &&Value| endpoint["response_time_p95_seconds"].is_null();
            status["endpoints"].as_array().is_some_and(|all| all.iter().filter(silent).count() >= 3)
        })
        .await;
    disturbed.endure(&["nothing_completed"]).await;
    disturbed.recover().await;
}

#[tokio::test]
async fn replicas_that_do_not_answer_are_not_idle() {
    let disturbed = Disturbed::prepare().await;
    for (_, pid) in &disturbed.replicas {
        send_signal(*pid, "STOP");
    }
    disturbed
        .wait_for("that replicas are silent", |status| {
            let silent = |endpoint: &&Value| endpoint["utilization"].is_null();
            status["endpoints"].as_array().is_some_and(|all| all.iter().filter(silent).count() == 4)
        })
        .await;
    disturbed.endure(&UNKNOWING).await;
    for (_, pid) in &disturbed.replicas {
        send_signal(*pid, "CONT");
    }
    disturbed.recover().await;
}
