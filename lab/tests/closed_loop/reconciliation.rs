//! What the gateway missed is repaired until both sides agree, and no address passes to another server.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};

use crate::support::{Up, send_signal};

/// Longest until both sides agree again: a comparison each second, and orders of some seconds that may be under way.
const AGREED: Duration = Duration::from_secs(30);

async fn endpoints(up: &Up) -> Vec<Value> {
    let list = up.get(&format!("{}/endpoints", up.admin)).await.unwrap_or_default();
    list.as_array().cloned().unwrap_or_default()
}

/// Waits until the gateway lists exactly this many endpoints, all of them ready, and nothing is said to be wrong.
async fn until_agreed(up: &Up, count: usize) -> Vec<Value> {
    let began = Instant::now();
    loop {
        let listed = endpoints(up).await;
        let problems = up.status().await.map_or(Value::Null, |status| status["problems"].clone());
        let all_ready = listed.iter().all(|endpoint| endpoint["state"] == "ready");
        if listed.len() == count && all_ready && problems == json!([]) {
            return listed;
        }
        assert!(
            began.elapsed() < AGREED,
            "not {count} ready endpoints and no problems within {AGREED:?}: {listed:#?}, {problems}\n{}",
            up.lines().join("\n")
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < AGREED, "not within {AGREED:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A server that answers everything with 200, `/ready` too, at an address that a replica had. Keeps users' requests; the
/// scaler and other replicas may still ask there, too.
fn impostor_at(url: &str) -> Arc<Mutex<Vec<String>>> {
    let listener =
        TcpListener::bind(url.trim_start_matches("http://")).expect("the replica has left its port");
    let users = Arc::<Mutex<Vec<String>>>::default();
    let kept = Arc::clone(&users);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let kept = Arc::clone(&kept);
            std::thread::spawn(move || {
                let (mut stream, mut head) = (stream, [0; 4096]);
                while let Ok(size @ 1..) = stream.read(&mut head) {
                    if head[..size].starts_with(b"GET / ") {
                        kept.lock()
                            .expect("no reader panics")
                            .push(String::from_utf8_lossy(&head[..size]).into_owned());
                    }
                    if stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nimpostor").is_err() {
                        return;
                    }
                }
            });
        }
    });
    users
}

#[tokio::test]
async fn a_gateway_that_was_frozen_while_replicas_died_lists_those_that_run() {
    let up = Up::start(&["--min-replicas", "3"]);
    let before = until_agreed(&up, 3).await;
    send_signal(up.processes["gateway"], "STOP");
    let mut impostors = Vec::new();
    for dead in &before[..2] {
        send_signal(u32::try_from(dead["pid"].as_u64().unwrap()).unwrap(), "KILL");
    }
    until("the dead ones are replaced", async || {
        up.lines().iter().filter(|line| line.contains("takes its place")).count() == 2
    })
    .await;
    for dead in &before[..2] {
        impostors.push(impostor_at(dead["url"].as_str().unwrap()));
    }
    send_signal(up.processes["gateway"], "CONT");
    let gone: Vec<&Value> = before[..2].iter().map(|dead| &dead["url"]).collect();
    until("the replacements are in and the dead are out", async || {
        for _ in 0..5 {
            let _any = up.client.get(&format!("{}/", up.gateway), Duration::from_secs(5)).await;
        }
        let listed = endpoints(&up).await;
        listed.len() == 3 && listed.iter().all(|endpoint| !gone.contains(&&endpoint["url"]))
    })
    .await;
    until_agreed(&up, 3).await;
    for users in impostors {
        let users = users.lock().expect("no writer panics").clone();
        assert!(users.is_empty(), "users' requests went to another server: {users:#?}");
    }
}

#[tokio::test]
async fn what_does_not_run_is_taken_out_and_what_runs_is_put_back() {
    let up = Up::start(&["--min-replicas", "2"]);
    let listed = until_agreed(&up, 2).await;
    let admin = format!("{}/endpoints", up.admin);
    let put = async |body: Value| {
        let reply = up.client.send_json(Method::PUT, &admin, &body, Duration::from_secs(5)).await;
        reply.and_then(http_client::Reply::ok).expect("the gateway takes it");
    };
    // As an order would leave it that came late: an endpoint of a replica that is gone.
    put(json!({ "url": "http://127.0.0.1:18299", "owner": "lab up", "replica": "webapp-99" })).await;
    // A replica's own address, announced for another one.
    put(json!({ "url": listed[0]["url"], "owner": "lab up", "replica": "webapp-98" })).await;
    let after = until_agreed(&up, 2).await;
    assert_eq!(after[0]["replica"], listed[0]["replica"]);

    // What a user put is the user's.
    put(json!({ "url": "http://127.0.0.1:18298" })).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(endpoints(&up).await.len(), 3, "an endpoint of no owner is left alone");
}

#[tokio::test]
async fn what_a_user_drained_stays_out() {
    let up = Up::start(&["--min-replicas", "2"]);
    let listed = until_agreed(&up, 2).await;
    let url = listed[0]["url"].as_str().expect("a URL");
    let order = format!("{}/endpoints?url={url}", up.admin);
    up.client.send(Method::DELETE, &order, None, Duration::from_secs(10)).await.expect("it drains");
    for _ in 0..30 {
        assert!(endpoints(&up).await.iter().all(|endpoint| endpoint["url"] != url), "it was put back");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_restarted_gateway_is_told_owners_and_replicas_too() {
    let up = Up::start(&["--min-replicas", "2"]);
    let mut before = until_agreed(&up, 2).await;
    send_signal(up.processes["gateway"], "KILL");
    let mut after = until_agreed(&up, 2).await;
    let told = |list: &mut Vec<Value>| {
        list.sort_by_key(|endpoint| endpoint["url"].as_str().map(str::to_owned));
        let fields =
            |endpoint: &Value| ["url", "pid", "owner", "replica"].map(|field| endpoint[field].clone());
        list.iter().map(fields).collect::<Vec<_>>()
    };
    assert_eq!(told(&mut before), told(&mut after));
    assert!(before.iter().all(|endpoint| endpoint["owner"] == "lab up"), "{before:#?}");
}
