//! The scaler loses sight: of the signals, of the replicas, or of everything, because it is killed.

use std::time::{Duration, Instant};

use super::story::{SPIKE, actions, assert_logged, count, curl, end_load, nobody_comes_or_goes};
use crate::docker::{docker, is_there};
use crate::engine_door::EngineDoor;
use crate::project::Project;
use test_requirements::send_signal;

/// How long what is taken away stays away.
const FAULT: Duration = Duration::from_secs(60);

/// As [`SPIKE`] sets it.
const SCALE_UP_COOLDOWN: Duration = Duration::from_secs(20);

/// Waits until the page tells of a problem with this word in it, and until the log does.
async fn wait_for_problem(lab: &Project, word: &str) {
    let what = format!("a problem with `{word}` on the page");
    lab.wait_for(&what, Duration::from_secs(30), |status| {
        let problems = status["problems"].as_array().into_iter().flatten();
        problems.filter_map(|problem| problem.as_str()).any(|problem| problem.contains(word))
    })
    .await;
    assert_logged(lab, "scaler", &["the service is not fully seen", word]);
}

async fn wait_until_seen_again(lab: &Project) {
    lab.wait_for("no problems", Duration::from_secs(90), |status| {
        status["problems"] == serde_json::json!([])
    })
    .await;
    assert_logged(lab, "scaler", &["the service is fully seen again"]);
}

#[tokio::test]
#[ignore = "minutes; scripts/long-run.sh runs it"]
async fn prometheus_is_away_for_a_minute() {
    if !is_there() {
        return;
    }
    let fault = async |lab: &Project| {
        SPIKE.height(lab).await;
        docker(&["stop", &lab.container("prometheus")]);
        wait_for_problem(lab, "Prometheus").await;
        // With values from Prometheus, two replicas would go now.
        end_load(lab);
        nobody_comes_or_goes(lab, FAULT).await;
        lab.wait_for("the missing data as the reason", Duration::from_secs(10), |status| {
            status["last_decision"]["reason"] == "missing_data"
        })
        .await;
        docker(&["start", &lab.container("prometheus")]);
        wait_until_seen_again(lab).await;
    };
    SPIKE.check("labcmp-fault-prom", &[], fault).await;
}

// The door is kept by a task of its own while the lab is being started.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; scripts/long-run.sh runs it"]
async fn the_engine_is_away_for_a_minute() {
    if !is_there() {
        return;
    }
    let door = EngineDoor::open();
    let socket = door.socket();
    let settings = [("DOCKER_SOCKET", socket.to_str().expect("the path is text"))];
    let fault = async |lab: &Project| {
        SPIKE.height(lab).await;
        door.shut();
        wait_for_problem(lab, "Docker engine").await;
        // If the engine told who is there, two replicas would go now.
        end_load(lab);
        nobody_comes_or_goes(lab, FAULT).await;
        door.reopen();
        wait_until_seen_again(lab).await;
    };
    SPIKE.check("labcmp-fault-engine", &settings, fault).await;
}

#[tokio::test]
#[ignore = "minutes; scripts/long-run.sh runs it"]
async fn the_scaler_is_killed_in_the_middle_of_an_action_and_keeps_its_cooldowns() {
    if !is_there() {
        return;
    }
    let fault = async |lab: &Project| {
        let scaler = lab.container("scaler");
        let process = docker(&["inspect", "--format", "{{.State.Pid}}", &scaler]);
        lab.wait_for("an action under way", Duration::from_secs(60), |status| status["acting"] == true).await;
        let acted = Instant::now();
        // Not by the engine, which would take it for a wish and not start it again.
        send_signal(process.trim().parse().expect("the engine prints a process id"), "KILL");
        assert_eq!(actions(lab), 0, "the action was over before the scaler was killed");
        // What is not queued, so that it is answered in the middle of a spike, too.
        assert!(!curl(&format!("{}/load", lab.gateway)).is_empty(), "the service went down with the scaler");

        lab.wait_for("the action finished by the next scaler", Duration::from_secs(15), |status| {
            count(status, "ready") == 2 && status["last_decision"]["reason"] == "cooldown_active"
        })
        .await;
        let restarts = docker(&["inspect", "--format", "{{.RestartCount}}", &scaler]);
        assert_eq!(restarts.trim(), "1", "the engine brings it back, once");
        SPIKE.height(lab).await;
        let waited = acted.elapsed();
        assert!(waited + Duration::from_secs(2) > SCALE_UP_COOLDOWN, "the next action came after {waited:?}");
    };
    SPIKE.check("labcmp-fault-scaler", &[], fault).await;
}
