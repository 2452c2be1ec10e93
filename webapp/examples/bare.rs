//! The handler of `/` on bare axum, without queue, metrics and everything else a replica does: what `scripts/bench.sh`
//! compares a replica of zero service time with.

use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

#[derive(Serialize)]
struct Answer {
    service: &'static str,
    replica: String,
    waited_ms: f64,
    response_time_ms: f64,
}

async fn root() -> Json<Answer> {
    Json(Answer {
        service: "webapp",
        replica: "webapp-1".to_owned(),
        waited_ms: 0.0,
        response_time_ms: 0.001,
    })
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8100".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
        // Best effort, as in the replica.
        let _without = stream.set_nodelay(true);
    });
    axum::serve(listener, Router::new().route("/", get(root))).await
}
