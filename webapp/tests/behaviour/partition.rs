//! A network that is cut in two halves and heals: within 3 s after, all agree again.
//!
//! Each replica advertises a small proxy that knows by the message which replica sends it. While the network is cut,
//! the proxy keeps what comes from the other half for ever, as a network does that loses packets.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode, Uri};
use http_client::HttpClient;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::time::Instant;
use webapp::WebappConfig;

use crate::peers::{agree, sees};
use crate::replica::{PATIENCE, Replica, quiet};
use crate::wait;

const CUT_FOR: Duration = Duration::from_secs(10);
const AGREE_AGAIN_WITHIN: Duration = Duration::from_secs(3);

/// The way to one replica.
#[derive(Clone, Debug)]
struct Proxy {
    url: String,
    half: char,
    target: Arc<OnceLock<String>>,
    cut: Arc<AtomicBool>,
    client: HttpClient,
}

impl Proxy {
    async fn start(half: char, cut: &Arc<AtomicBool>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let proxy = Self {
            url: format!("http://{}", listener.local_addr().expect("it is bound")),
            half,
            target: Arc::default(),
            cut: Arc::clone(cut),
            client: HttpClient::new(),
        };
        let router = Router::new().fallback(forward).with_state(proxy.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        proxy
    }
}

async fn forward(State(proxy): State<Proxy>, method: Method, uri: Uri, body: Bytes) -> Response {
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    // A greeting has the sender's id; a change that is pushed has been made by its sender.
    let sender = message["id"].as_str().or(message["version"]["replica"].as_str()).unwrap_or_default();
    assert!(!sender.is_empty(), "{method} {uri} does not say who sends it");
    if proxy.cut.load(Ordering::SeqCst) && !sender.starts_with(proxy.half) {
        return std::future::pending().await;
    }
    let Some(target) = proxy.target.get() else { return StatusCode::BAD_GATEWAY.into_response() };
    match proxy.client.send(method, &format!("{target}{uri}"), Some(body), PATIENCE).await {
        Ok(reply) => (reply.status, reply.body).into_response(),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

#[tokio::test]
async fn halves_that_were_cut_off_agree_again() {
    let cut = Arc::new(AtomicBool::new(false));
    let mut proxies = Vec::new();
    for half in ['l', 'l', 'r', 'r'] {
        proxies.push(Proxy::start(half, &cut).await);
    }
    let mut replicas = Vec::new();
    for (index, id) in ["l1", "l2", "r1", "r2"].into_iter().enumerate() {
        let config = WebappConfig {
            id: id.to_owned(),
            advertise: Some(proxies[index].url.clone()),
            peers: proxies.iter().map(|proxy| proxy.url.clone()).collect(),
            ..quiet()
        };
        let replica = Replica::start(config).await;
        proxies[index].target.set(replica.url.clone()).unwrap();
        replicas.push(replica);
    }
    let (left, right) = (0..2, 2..4);
    wait::until(PATIENCE, "all know all", async || sees(&replicas, 4).await).await;

    cut.store(true, Ordering::SeqCst);
    let heals_at = Instant::now() + CUT_FOR;
    replicas[0].json("/load/spike?factor=3&hold=1h").await;
    replicas[2].json("/load/spike?factor=7&hold=1h").await;
    replicas[1].json("/load/spike?factor=4&hold=1h").await;
    replicas[3].json("/load/spike?factor=8&hold=1h").await;
    wait::until(PATIENCE, "each half agrees by itself, and sees itself alone", async || {
        sees(&replicas, 2).await
            && agree(&replicas[left.clone()], 4.0).await
            && agree(&replicas[right.clone()], 8.0).await
    })
    .await;
    tokio::time::sleep_until(heals_at).await;
    assert!(agree(&replicas[left.clone()], 4.0).await, "something crossed the cut");
    assert!(agree(&replicas[right.clone()], 8.0).await, "something crossed the cut");

    cut.store(false, Ordering::SeqCst);
    let took = wait::until(AGREE_AGAIN_WITHIN, "all agree again", async || agree(&replicas, 8.0).await).await;
    println!("the halves agreed {took:?} after the cut had healed");
    wait::until(AGREE_AGAIN_WITHIN, "all see all again", async || sees(&replicas, 4).await).await;
}
