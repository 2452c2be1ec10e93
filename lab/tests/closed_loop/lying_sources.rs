//! A table of what replicas and Prometheus may say that is not so: nothing is removed for any of it, and once the truth is
//! told again, the right thing is done within two checks. The scaler is the real process, what it watches is a fake.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::fake_service::{FakeService, Says};

/// A check each 400 ms that acts on the first low value.
const QUICK: [&str; 12] = [
    "--window",
    "2s",
    "--check-interval",
    "400ms",
    "--scale-down-checks",
    "1",
    "--scale-up-checks",
    "1",
    "--scale-up-cooldown",
    "0s",
    "--scale-down-cooldown",
    "0s",
];

/// Neither high nor low.
const STEADY: Says = Says::Truth(0.4);

/// Low: one replica fewer would do.
const IDLE: Says = Says::Truth(0.05);

/// Checks within which the right thing must have been decided, once the truth is known.
const CHECKS: usize = 2;

/// Longer than the window, and many checks.
const LIE: Duration = Duration::from_millis(3500);

const EMPTY: &str = r#"{"status": "success", "data": {"resultType": "vector", "result": []}}"#;
const NO_LABELS: &str = r#"{"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "0"]}]}}"#;

async fn nothing_is_removed_for_a_lie(source: &str, lies: &[Says]) {
    let mut service = FakeService::start(STEADY).await;
    service.watch(&[&QUICK[..], &["--source", source]].concat());
    for lie in lies {
        let mean = "response_time_mean_seconds";
        service.say(STEADY);
        service
            .until("a value", |status| {
                let value = status["signals"].get(mean).and_then(|reading| reading["value"].as_f64());
                value.is_some_and(|value| value > 0.35)
                    && status["last_decision"]["reason"] == "within_thresholds"
            })
            .await;
        let before = service.decisions().await.len();
        service.say(*lie);
        tokio::time::sleep(LIE).await;
        let during = service.decisions().await.split_off(before);
        assert!(during.len() >= 3, "{lie:?}: too few checks to tell anything");
        assert!(during.iter().all(|decision| decision["action"] == "hold"), "{lie:?}: {during:#?}");
        let knew = service.decisions().await.len();

        service.say(IDLE);
        let began = Instant::now();
        let after = loop {
            let after = service.decisions().await.split_off(knew);
            if after.iter().any(|decision| decision["action"] == "down") {
                break after;
            }
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "{lie:?}: nothing was done after it: {after:#?}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        let low = |decision: &&Value| {
            decision["reason"] == "below_threshold" || decision["reason_text"].to_string().contains(" below ")
        };
        let right = after.iter().filter(low).position(|decision| decision["action"] == "down");
        assert!(right.is_some_and(|checks| checks < CHECKS), "{lie:?}: {after:#?}");
        service.watch(&[&QUICK[..], &["--source", source]].concat());
    }
}

#[tokio::test]
async fn garbage_in_a_scrape_removes_nothing() {
    nothing_is_removed_for_a_lie(
        "scrape",
        &[
            Says::Error,
            Says::Text(""),
            Says::Text("<html>404</html>"),
            Says::Text("webapp_request_duration_seconds_count 5\n"),
            Says::Text(
                "webapp_request_duration_seconds_count -5\nwebapp_request_duration_seconds_sum -1\n# EOF\n",
            ),
            Says::Nan,
        ],
    )
    .await;
}

#[tokio::test]
async fn a_prometheus_that_lies_removes_nothing() {
    nothing_is_removed_for_a_lie(
        "prometheus",
        &[
            Says::Error,
            Says::Text("<html>"),
            Says::Text(EMPTY),
            Says::Text(NO_LABELS),
            Says::Nan,
            Says::Old(600.0),
            Says::Old(-600.0),
            Says::Same,
        ],
    )
    .await;
}

#[tokio::test]
async fn no_clock_of_a_replica_asks_for_more_or_fewer() {
    let rate = [&QUICK[..], &["--signal", "requests_per_second", "--max-replicas", "9"]].concat();
    let rate = [&rate[..], &["--scale-up-threshold", "200", "--scale-down-threshold", "10"]].concat();
    let mut service = FakeService::start(IDLE).await;
    for source in ["scrape", "prometheus"] {
        // Met with a clock that is wrong, and by a scaler that was restarted; then set back and forth.
        for ahead in [0.0, 3605.0, -3600.0, 7200.0] {
            service.say(Says::Ahead(ahead));
            service.watch(&[&rate[..], &["--source", source]].concat());
            service.until("a rate", |status| status["last_decision"]["reason"] == "within_thresholds").await;
            for set in [ahead + 3600.0, ahead, ahead - 3600.0, ahead] {
                service.say(Says::Ahead(set));
                tokio::time::sleep(Duration::from_millis(900)).await;
            }
            let decisions = service.decisions().await;
            assert!(
                decisions.iter().all(|decision| decision["action"] == "hold"),
                "{source}, {ahead} s ahead: {decisions:#?}"
            );
        }
    }
}
