//! Replicas agree on the load factor, whichever of them is told, and know who is there.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::Value;
use webapp::{Webapp, WebappConfig};

use crate::replica::{PATIENCE, Replica, quiet};
use crate::wait;

/// How soon a change is in force everywhere.
const IN_FORCE_WITHIN: Duration = Duration::from_secs(2);

/// A replica that knows those before it.
async fn join(id: &str, peers: &[Replica]) -> Replica {
    let peers = peers.iter().map(|peer| peer.url.clone()).collect();
    Replica::start(WebappConfig { id: id.to_owned(), peers, ..quiet() }).await
}

/// Three replicas, each of which knows the two others.
async fn three() -> Vec<Replica> {
    let mut replicas = Vec::new();
    for id in ["a", "b", "c"] {
        let replica = join(id, &replicas).await;
        replicas.push(replica);
    }
    wait::until(PATIENCE, "all know all", async || sees(&replicas, 3).await).await;
    replicas
}

/// Whether each of them has seen so many ready replicas.
pub(crate) async fn sees(replicas: &[Replica], count: u64) -> bool {
    for replica in replicas {
        if replica.json("/load").await["ready_replicas"] != count {
            return false;
        }
    }
    true
}

/// Whether all of them follow the same change and it makes this factor.
pub(crate) async fn agree(replicas: &[Replica], factor: f64) -> bool {
    let mut versions = Vec::new();
    for replica in replicas {
        let load = replica.json("/load").await;
        if (load["factor"].as_f64().expect("a factor is a number") - factor).abs() > 1e-9 {
            return false;
        }
        versions.push(load["version"].clone());
    }
    versions.iter().all(|version| *version == versions[0])
}

#[tokio::test]
async fn a_spike_through_any_replica_is_in_force_on_all_and_on_later_ones() {
    let mut replicas = three().await;
    for (index, factor) in [(0, 5.0), (1, 6.0), (2, 7.0)] {
        let path = format!("/load/spike?factor={factor}&hold=1h");
        assert_eq!(replicas[index].send(Method::POST, &path, None).await.status, StatusCode::OK);
        wait::until(IN_FORCE_WITHIN, "the spike is in force on all", async || agree(&replicas, factor).await)
            .await;
    }
    // It knows one of them only, and the spike when it becomes ready.
    let late = join("late", &replicas[1..2]).await;
    let load = late.json("/load").await;
    assert_eq!(load["factor"], 7.0, "a replica started later: {load}");
    let elapsed = load["schedule"]["elapsed_seconds"].as_f64().unwrap();
    assert!(elapsed < 30.0, "the spike has come {elapsed} s far");
    replicas.push(late);
    wait::until(PATIENCE, "all know the late one", async || sees(&replicas, 4).await).await;
    // Nobody told it of the other two, nor them of it.
    replicas[3].json("/load/spike?factor=8&hold=1h").await;
    wait::until(IN_FORCE_WITHIN, "told by the late one", async || agree(&replicas, 8.0).await).await;
}

#[tokio::test]
async fn the_last_writer_wins() {
    let replicas = three().await;
    let mut took = Vec::new();
    for (round, index) in [2_u32, 0, 1, 0, 2].into_iter().enumerate() {
        let factor = 10.0 + round as f64;
        let body = format!(r#"{{"factor": {factor}}}"#);
        replicas[index as usize].send(Method::PUT, "/load", Some(&body)).await;
        let in_force = async || agree(&replicas, factor).await;
        took.push(wait::until(IN_FORCE_WITHIN, "the change is in force on all", in_force).await);
    }
    // Changes go out at once: left to the pulls, most would take longer than that.
    took.sort_unstable();
    assert!(took[2] < Duration::from_millis(300), "five changes took {took:?}");
    // At the same time: one of the two, the same everywhere.
    tokio::join!(
        replicas[0].get("/load/spike?factor=20&hold=1h"),
        replicas[1].get("/load/spike?factor=30&hold=1h")
    );
    wait::until(IN_FORCE_WITHIN, "one of two concurrent changes is in force on all", async || {
        agree(&replicas, 20.0).await || agree(&replicas, 30.0).await
    })
    .await;
}

#[tokio::test]
async fn a_replica_that_stops_says_goodbye() {
    let replicas = three().await;
    // As in earnest it drains first, so that a greeting which is on its way arrives before the goodbye.
    let peers = replicas.iter().map(|peer| peer.url.clone()).collect();
    let drain_wait = Duration::from_millis(300);
    let leaving =
        Replica::start(WebappConfig { id: "leaving".to_owned(), peers, drain_wait, ..quiet() }).await;
    wait::until(PATIENCE, "all know all", async || sees(&replicas, 4).await).await;
    let gone = leaving.url.clone();
    leaving.begin_stop().await.unwrap().unwrap();
    for replica in &replicas {
        let peers = replica.json("/peers").await["peers"].clone();
        let peers = peers.as_array().unwrap();
        assert!(!peers.contains(&Value::from(gone.clone())), "{gone} is still known: {peers:?}");
        assert_eq!(peers.len(), 2, "the others stay known: {peers:?}");
    }
    wait::until(PATIENCE, "three are left", async || sees(&replicas, 3).await).await;
}

#[tokio::test]
async fn a_dead_replica_is_not_passed_on() {
    let replicas = three().await;
    // What ends with its runtime is as dead as a killed process: no goodbye, and every connection broken.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let config = WebappConfig { id: "dead".to_owned(), peers: vec![replicas[0].url.clone()], ..quiet() };
    let dead = runtime.spawn(Webapp::bind(config)).await.unwrap().unwrap();
    let url = format!("http://{}", dead.address());
    runtime.spawn(dead.serve(std::future::pending()));
    wait::until(PATIENCE, "all know all", async || sees(&replicas, 4).await).await;
    runtime.shutdown_background();
    wait::until(PATIENCE, "nobody mentions the dead one", async || {
        for replica in &replicas {
            let peers = replica.json("/peers").await["peers"].clone();
            if peers.as_array().unwrap().contains(&Value::from(url.clone())) {
                return false;
            }
        }
        sees(&replicas, 3).await
    })
    .await;
}

#[tokio::test]
async fn nonsense_from_a_peer_breaks_nothing() {
    let replica = Replica::start(quiet()).await;
    for (message, taken) in [
        (r#"{"version": {"counter": 18446744073709551615, "replica": "x"}, "factor": 2}"#, false),
        (r#"{"version": {"counter": 5, "replica": "x"}, "factor": 1e9}"#, false),
        (
            r#"{"version": {"counter": 5, "replica": "x"}, "factor": 2, "schedule":
                {"shape": {"kind": "sine", "mean": 3, "amplitude": 1, "period_seconds": 60}, "elapsed_seconds": 1.8e19}}"#,
            true,
        ),
    ] {
        let reply = replica.send(Method::PUT, "/peers/load", Some(message)).await;
        assert_eq!(reply.status, StatusCode::OK, "{message}");
        assert_eq!(reply.json::<Value>().unwrap()["taken"], taken, "{message}");
        let factor = replica.json("/load").await["factor"].as_f64().unwrap();
        assert!((0.0..=4.0).contains(&factor), "{message} made a factor of {factor}");
    }
    assert_eq!(replica.json("/load/reset").await["version"]["counter"], 6, "changes still count");
    assert_eq!(replica.get("/").await.status, StatusCode::OK);
}
