//! A replica is lost for a while: killed for its memory, standing still, or out of reach.

use std::time::Duration;

use serde_json::Value;

use super::story::{ONE_TO_SPARE, assert_logged, count, curl};
use crate::docker::{bounded, docker, is_there};
use crate::project::Project;

/// The newest replica's container.
fn newest(lab: &Project) -> String {
    lab.containers("webapp").pop().expect("there are three")
}

fn name_of(container: &str) -> String {
    docker(&["inspect", "--format", "{{.Name}}", container]).trim().trim_start_matches('/').to_owned()
}

/// What the page tells of one replica.
fn shown<'a>(status: &'a Value, name: &str) -> Option<&'a Value> {
    status["endpoints"].as_array()?.iter().find(|endpoint| endpoint["id"] == name)
}

/// The page shows it, the gateway's log tells of it, and whoever asks for the service goes on being answered.
async fn wait_until_out_of_rotation(lab: &Project, container: &str) {
    let name = name_of(container);
    lab.wait_for("the replica out of rotation", Duration::from_secs(20), |status| {
        count(status, "ready") == 2
            && shown(status, &name).is_none_or(|endpoint| endpoint["state"] != "ready")
    })
    .await;
    for _ in 0..20 {
        curl(&format!("{}/", lab.gateway));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn wait_for_all(lab: &Project) {
    lab.wait_for("all replicas again", Duration::from_secs(60), |status| count(status, "ready") == 3).await;
}

#[tokio::test]
#[ignore = "minutes; scripts/long-run.sh runs it"]
async fn a_replica_is_killed_for_its_memory() {
    if !is_there() {
        return;
    }
    let fault = async |lab: &Project| {
        ONE_TO_SPARE.height(lab).await;
        let replica = newest(lab);
        let name = name_of(&replica);
        // Only whoever has seen a process can tell that it is another one now.
        lab.wait_for("the replica's own metrics", Duration::from_secs(30), |status| {
            shown(status, &name).is_some_and(|endpoint| endpoint["memory_bytes"].is_f64())
        })
        .await;
        docker(&["update", "--memory", "16m", "--memory-swap", "16m", &replica]);
        let address = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        let address = docker(&["inspect", "--format", address, &replica]);
        // Bodies of nearly two megabytes, each for a request that is not finished: what is being read uses the memory up.
        let script = format!(
            "for _ in $(seq 60); do head -c 1900000 /dev/zero | curl -s --max-time 20 --limit-rate 400k -X POST \
             -H 'Content-Type: application/json' --data-binary @- http://{}:8000/order >/dev/null & done; wait",
            address.trim()
        );
        let _pushed = bounded(Duration::from_secs(40), "bash").args(["-c", &script]).output();
        docker(&["update", "--memory", "128m", "--memory-swap", "128m", &replica]);
        let restarts = docker(&["inspect", "--format", "{{.RestartCount}}", &replica]);
        assert_ne!(restarts.trim(), "0", "the engine did not kill it");
        wait_for_all(lab).await;

        lab.wait_for("the replica's new age on the page", Duration::from_secs(30), |status| {
            let age = |name: &str| shown(status, name).and_then(|endpoint| endpoint["age_seconds"].as_f64());
            let others = status["endpoints"].as_array().into_iter().flatten();
            let mut others = others.filter(|other| other["id"] != name.as_str());
            age(&name).is_some_and(|age| {
                others.all(|other| other["age_seconds"].as_f64().is_some_and(|other| age + 5.0 < other))
            })
        })
        .await;
        assert_logged(lab, "scaler", &[&format!("{name} was started anew")]);
    };
    ONE_TO_SPARE.check("labcmp-fault-oom", &[], fault).await;
}

#[tokio::test]
#[ignore = "minutes; scripts/long-run.sh runs it"]
async fn a_replica_stands_still() {
    if !is_there() {
        return;
    }
    let fault = async |lab: &Project| {
        ONE_TO_SPARE.height(lab).await;
        let replica = newest(lab);
        docker(&["pause", &replica]);
        wait_until_out_of_rotation(lab, &replica).await;
        assert_logged(lab, "gateway", &["endpoint left the rotation"]);
        docker(&["unpause", &replica]);
        wait_for_all(lab).await;
    };
    ONE_TO_SPARE.check("labcmp-fault-pause", &[], fault).await;
}

#[tokio::test]
#[ignore = "minutes; scripts/long-run.sh runs it"]
async fn a_replica_is_cut_off_the_network() {
    if !is_there() {
        return;
    }
    let fault = async |lab: &Project| {
        ONE_TO_SPARE.height(lab).await;
        let replica = newest(lab);
        let network = format!("{}_backend", lab.name);
        docker(&["network", "disconnect", &network, &replica]);
        wait_until_out_of_rotation(lab, &replica).await;
        tokio::time::sleep(Duration::from_secs(20)).await;
        docker(&["network", "connect", "--alias", "webapp", &network, &replica]);
        wait_for_all(lab).await;
    };
    ONE_TO_SPARE.check("labcmp-fault-cut", &[], fault).await;
}
