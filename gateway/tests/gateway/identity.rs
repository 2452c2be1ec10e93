//! An address gets requests only while the replica that was announced there answers.

use serde_json::{Value, json};

use crate::support::{Lab, Replica, Reply, eventually};

async fn announce(lab: &Lab, replica: &Replica, id: &str) -> Reply {
    lab.ask_admin("PUT", "/endpoints", &json!({ "url": replica.url(), "replica": id }).to_string()).await
}

async fn endpoint(lab: &Lab, replica: &Replica) -> Value {
    let endpoints = lab.endpoints().await;
    endpoints.into_iter().find(|endpoint| endpoint["url"] == replica.url()).expect("it is listed")
}

async fn until_problem(lab: &Lab, replica: &Replica, part: &str) {
    eventually(&format!("its problem holds `{part}`"), || async {
        let endpoint = endpoint(lab, replica).await;
        endpoint["state"] == "starting"
            && endpoint["problem"].as_str().is_some_and(|text| text.contains(part))
    })
    .await;
}

#[tokio::test]
async fn the_announced_replica_is_admitted_and_listed_with_its_id() {
    let replica = Replica::plain().await;
    replica.name("webapp-7");
    let lab = Lab::start(&[]).await;
    assert_eq!(announce(&lab, &replica, "webapp-7").await.status, 201);
    lab.until_ready(1).await;
    assert_eq!(lab.get("/").await.status, 200);
    let endpoint = endpoint(&lab, &replica).await;
    assert_eq!((&endpoint["replica"], &endpoint["problem"]), (&"webapp-7".into(), &Value::Null));
}

#[tokio::test]
async fn another_server_at_the_address_gets_no_request() {
    let (unnamed, other) = (Replica::plain().await, Replica::plain().await);
    other.name("webapp-8");
    let lab = Lab::start(&[]).await;
    announce(&lab, &unnamed, "webapp-6").await;
    announce(&lab, &other, "webapp-7").await;
    until_problem(&lab, &unnamed, "has no header x-replica-id, expected `webapp-6`").await;
    until_problem(&lab, &other, "names replica `webapp-8`, expected `webapp-7`").await;
    assert_eq!(lab.get("/").await.status, 503);
    assert_eq!((unnamed.request_count(), other.request_count()), (0, 0));

    other.name("webapp-7");
    lab.until_ready(1).await;
    assert!(endpoint(&lab, &other).await["problem"].is_null(), "the right one came up");
    assert_eq!(lab.get("/").await.status, 200);
    assert_eq!(unnamed.request_count(), 0);
}

#[tokio::test]
async fn an_address_that_changes_hands_while_it_serves_gets_no_request_any_more() {
    let replica = Replica::plain().await;
    replica.name("webapp-1");
    let lab = Lab::start(&[]).await;
    announce(&lab, &replica, "webapp-1").await;
    lab.until_ready(1).await;
    assert_eq!(lab.get("/").await.status, 200);
    let address = replica.address;
    replica.kill().await;

    // At once, before any probe can have noticed: it answers everything, as it would.
    let impostor = Replica::plain_at(address).await;
    for _ in 0..20 {
        let status = lab.get("/").await.status;
        assert!(matches!(status, 502 | 503), "{status}");
    }
    until_problem(&lab, &impostor, "expected `webapp-1`").await;
    for _ in 0..5 {
        lab.get("/").await;
    }
    assert_eq!(impostor.request_count(), 0, "the other server got a user's request");
}

#[tokio::test]
async fn a_server_that_renames_itself_is_out_with_its_next_probe() {
    let (replica, stays) = (Replica::plain().await, Replica::plain().await);
    replica.name("webapp-1");
    let lab = Lab::start(&[&stays]).await;
    announce(&lab, &replica, "webapp-1").await;
    lab.until_ready(2).await;
    replica.name("webapp-2");
    until_problem(&lab, &replica, "names replica `webapp-2`").await;
    let before = replica.request_count();
    for _ in 0..20 {
        assert_eq!(lab.get("/").await.status, 200, "the other one serves");
    }
    assert_eq!(replica.request_count(), before);
}

#[tokio::test]
async fn an_address_that_is_announced_for_another_replica_is_proved_again() {
    let replica = Replica::plain().await;
    replica.name("webapp-1");
    let lab = Lab::start(&[]).await;
    announce(&lab, &replica, "webapp-1").await;
    lab.until_ready(1).await;
    assert_eq!(announce(&lab, &replica, "webapp-2").await.status, 200);
    assert_eq!(endpoint(&lab, &replica).await["state"], "starting");
    until_problem(&lab, &replica, "names replica `webapp-1`, expected `webapp-2`").await;
    replica.name("webapp-2");
    lab.until_ready(1).await;
    lab.put(&replica).await;
    assert_eq!(endpoint(&lab, &replica).await["replica"], "webapp-2", "putting without a replica keeps it");
    assert_eq!(endpoint(&lab, &replica).await["state"], "ready");
}

#[tokio::test]
async fn without_an_announced_replica_any_ready_server_is_admitted() {
    let (named, unnamed) = (Replica::plain().await, Replica::plain().await);
    named.name("webapp-1");
    let lab = Lab::start(&[&named]).await;
    lab.put(&unnamed).await;
    lab.until_ready(2).await;
}

#[tokio::test]
async fn an_order_to_remove_that_comes_late_spares_the_next_replica_at_the_address() {
    let replica = Replica::plain().await;
    replica.name("webapp-2");
    let lab = Lab::start(&[]).await;
    announce(&lab, &replica, "webapp-2").await;
    lab.until_ready(1).await;
    let order = |id: &str| format!("/endpoints?url={}&wait=0s&replica={id}", replica.url());
    assert_eq!(lab.ask_admin("DELETE", &order("webapp-1"), "").await.status, 404);
    assert_eq!(endpoint(&lab, &replica).await["state"], "ready");
    assert_eq!(lab.ask_admin("DELETE", &order("webapp-2"), "").await.status, 200);
    assert_eq!(lab.endpoints().await.len(), 0);
}
