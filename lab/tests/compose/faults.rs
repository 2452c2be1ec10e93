//! Faults in the middle of a spike: the lab recovers by itself, loses no replica for want of data, and does not flap.
//!
//! Each plays the same load as a run without a fault, and may take no more actions than that one. They take minutes
//! each, so `scripts/long-run.sh` runs them, and a plain `cargo test` does not.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::OnceCell;

use crate::docker::{bounded, docker, is_there, run};
use crate::engine_door::EngineDoor;
use crate::project::Project;

/// How long what is taken away stays away.
const FAULT: Duration = Duration::from_secs(60);

/// Long enough for the fault in its middle.
const HOLD_SECONDS: u64 = 150;

fn count(status: &Value, which: &str) -> u64 {
    status["replicas"][which].as_u64().unwrap_or_default()
}

fn curl(arguments: &[&str]) -> String {
    run(bounded(Duration::from_secs(20), "curl").args(["-fsS", "--max-time", "15"]).args(arguments))
}

/// Actions carried out, by the log: it survives the scaler's restart, as its counters do not.
fn actions(lab: &Project) -> usize {
    lab.logs("scaler").matches("Successfully scaled").count()
}

/// Starts a lab, lets a spike come, breaks something by `fault`, and waits until all is back at rest. Returns the actions
/// taken.
async fn spike_with(
    name: &'static str,
    settings: &[(&str, &str)],
    fault: impl AsyncFnOnce(&Project),
) -> usize {
    let lab = Project::start(name, settings);
    lab.wait_for("values from Prometheus", Duration::from_secs(60), |status| {
        status["signals"]["response_time_mean_seconds"]["value"].is_f64()
    })
    .await;
    let began = Instant::now();
    curl(&[&format!("{}/load/spike?factor=5&hold={HOLD_SECONDS}s&ramp=5s", lab.gateway)]);
    fault(&lab).await;
    // What was broken is whole again, the spike ends, and everything goes home.
    let rest = Duration::from_secs(HOLD_SECONDS + 240).saturating_sub(began.elapsed());
    lab.wait_for("one replica after the spike", rest, |status| {
        count(status, "current") == 1
            && count(status, "ready") == 1
            && status["problems"] == serde_json::json!([])
    })
    .await;
    actions(&lab)
}

/// Waits for the height of the spike.
async fn three_replicas(lab: &Project) {
    lab.wait_for("three replicas in the spike", Duration::from_secs(90), |status| {
        count(status, "ready") >= 3
    })
    .await;
}

/// What the same run takes without a fault, played once.
async fn actions_without_fault() -> usize {
    static ACTIONS: OnceCell<usize> = OnceCell::const_new();
    *ACTIONS
        .get_or_init(async || {
            spike_with("labcmp-fault-none", &[], async |lab| {
                three_replicas(lab).await;
                tokio::time::sleep(FAULT).await;
            })
            .await
        })
        .await
}

async fn check(name: &'static str, settings: &[(&str, &str)], fault: impl AsyncFnOnce(&Project)) {
    let expected = actions_without_fault().await;
    let found = spike_with(name, settings, fault).await;
    assert!(found <= expected, "{found} actions, and {expected} without the fault: it flaps");
}

/// Watches for a while that the replicas do not become fewer.
async fn nobody_leaves(lab: &Project, during: Duration) {
    let began = Instant::now();
    let at_first = lab.containers("webapp").len();
    while began.elapsed() < during {
        let now = lab.containers("webapp").len();
        assert!(
            now >= at_first,
            "{now} of {at_first} replicas are left while data is missing:\n{}",
            lab.logs("scaler")
        );
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test]
#[ignore = "minutes; scripts/long-run.sh runs it"]
async fn prometheus_is_away_for_a_minute() {
    if !is_there() {
        return;
    }
    check("labcmp-fault-prom", &[], async |lab| {
        three_replicas(lab).await;
        docker(&["stop", &lab.container("prometheus")]);
        lab.wait_for("a problem with Prometheus on the page", Duration::from_secs(30), |status| {
            status["problems"][0].as_str().is_some_and(|problem| problem.contains("Prometheus"))
        })
        .await;
        let before = actions(lab);
        nobody_leaves(lab, FAULT).await;
        assert_eq!(actions(lab), before, "it acted without data");
        docker(&["start", &lab.container("prometheus")]);
        lab.wait_for("values again", Duration::from_secs(90), |status| {
            status["problems"] == serde_json::json!([])
        })
        .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "minutes; scripts/long-run.sh runs it"]
async fn the_engine_is_away_for_a_minute() {
    if !is_there() {
        return;
    }
    let door = EngineDoor::open();
    let socket = door.socket();
    let socket = socket.to_str().expect("the path is text");
    check("labcmp-fault-engine", &[("DOCKER_SOCKET", socket)], async |lab| {
        three_replicas(lab).await;
        door.shut();
        lab.wait_for("a problem with the engine on the page", Duration::from_secs(30), |status| {
            status["problems"]
                .as_array()
                .into_iter()
                .flatten()
                .any(|problem| problem.as_str().is_some_and(|problem| problem.contains("Docker engine")))
        })
        .await;
        nobody_leaves(lab, FAULT).await;
        door.reopen();
        lab.wait_for("the engine again", Duration::from_secs(30), |status| {
            status["problems"] == serde_json::json!([])
        })
        .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "minutes; scripts/long-run.sh runs it"]
async fn the_scaler_is_killed_in_the_middle_of_an_action_and_keeps_its_cooldowns() {
    if !is_there() {
        return;
    }
    check("labcmp-fault-scaler", &[], async |lab| {
        let scaler = lab.container("scaler");
        lab.wait_for("an action under way", Duration::from_secs(60), |status| {
            status["acting"] == true || count(status, "desired") > 1
        })
        .await;
        docker(&["kill", "--signal", "KILL", &scaler]);
        let served = curl(&[&format!("{}/", lab.gateway)]);
        assert!(!served.is_empty(), "the service went down with the scaler");
        docker(&["start", &scaler]);
        lab.wait_for("the scaler again", Duration::from_secs(30), |status| count(status, "current") >= 1)
            .await;
        three_replicas(lab).await;
        nobody_leaves(lab, Duration::from_secs(10)).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "minutes; scripts/long-run.sh runs it"]
async fn a_replica_is_killed_for_its_memory() {
    if !is_there() {
        return;
    }
    check("labcmp-fault-oom", &[], async |lab| {
        three_replicas(lab).await;
        let replica = lab.containers("webapp").pop().expect("there are three");
        docker(&["update", "--memory", "16m", "--memory-swap", "16m", &replica]);
        let address = docker(&["inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", &replica]);
        // Bodies of a megabyte, each for a request that is not finished: the memory is used up by what is being read.
        let script = format!(
            "for _ in $(seq 60); do head -c 1900000 /dev/zero | curl -s --max-time 20 --limit-rate 400k -X POST \
             -H 'Content-Type: application/json' --data-binary @- http://{}:8000/order >/dev/null & done; wait",
            address.trim()
        );
        let _pushed = bounded(Duration::from_secs(40), "bash").args(["-c", &script]).output();
        let killed = docker(&["inspect", "--format", "{{.RestartCount}}", &replica]);
        assert_ne!(killed.trim(), "0", "the engine did not kill it");
        lab.wait_for("all replicas again", Duration::from_secs(60), |status| count(status, "ready") >= 3).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "minutes; scripts/long-run.sh runs it"]
async fn a_replica_stands_still() {
    if !is_there() {
        return;
    }
    check("labcmp-fault-pause", &[], async |lab| {
        three_replicas(lab).await;
        let replica = lab.containers("webapp").pop().expect("there are three");
        docker(&["pause", &replica]);
        for _ in 0..20 {
            curl(&[&format!("{}/", lab.gateway)]);
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        docker(&["unpause", &replica]);
        lab.wait_for("all replicas again", Duration::from_secs(60), |status| count(status, "ready") >= 3)
            .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "minutes; scripts/long-run.sh runs it"]
async fn a_replica_is_cut_off_the_network() {
    if !is_there() {
        return;
    }
    check("labcmp-fault-cut", &[], async |lab| {
        three_replicas(lab).await;
        let replica = lab.containers("webapp").pop().expect("there are three");
        let network = format!("{}_backend", lab.name);
        docker(&["network", "disconnect", &network, &replica]);
        tokio::time::sleep(Duration::from_secs(20)).await;
        docker(&["network", "connect", "--alias", "webapp", &network, &replica]);
        lab.wait_for("all replicas again", Duration::from_secs(60), |status| count(status, "ready") >= 3)
            .await;
    })
    .await;
}
