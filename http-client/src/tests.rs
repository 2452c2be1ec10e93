//! Clients against servers that answer, hang, and answer too much.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use http::Method;

use crate::{ClientError, HttpClient, UnixHttpClient};

const TIMEOUT: Duration = Duration::from_secs(5);

fn app() -> Router {
    Router::new()
        .route("/number", get(async || "7"))
        .route("/large", get(async || "x".repeat(100_000)))
        .route("/hang", get(std::future::pending::<()>))
}

async fn start() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app()).await });
    format!("http://{address}")
}

#[tokio::test]
async fn answers_are_read_within_time_and_size() {
    let url = start().await;
    let client = HttpClient::new().with_max_body_bytes(1000);
    let number: u32 = client.get(&format!("{url}/number"), TIMEOUT).await.unwrap().json().unwrap();
    assert_eq!(number, 7);
    let large = client.get(&format!("{url}/large"), TIMEOUT).await;
    assert!(matches!(large, Err(ClientError::TooLarge { .. })), "{large:?}");
    let hang = client.get(&format!("{url}/hang"), Duration::from_millis(50)).await;
    assert!(matches!(hang, Err(ClientError::TimedOut { .. })), "{hang:?}");
    let missing = client.get(&format!("{url}/missing"), TIMEOUT).await.unwrap().ok();
    assert!(matches!(missing, Err(ClientError::Refused { .. })), "{missing:?}");
}

#[tokio::test]
async fn addresses_that_cannot_be_asked_are_errors() {
    let client = HttpClient::new();
    for url in ["", "nonsense", "ftp://127.0.0.1/", "http://"] {
        let reply = client.get(url, TIMEOUT).await;
        assert!(matches!(reply, Err(ClientError::BadUrl { .. })), "{url}: {reply:?}");
    }
    let refused = client.get("http://127.0.0.1:1/", TIMEOUT).await.unwrap_err();
    assert!(refused.to_string().contains("refused"), "the cause is missing: {refused}");
}

#[tokio::test]
async fn a_unix_socket_is_asked_the_same_way() {
    let folder = std::env::temp_dir().join(format!("lab-client-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let socket = folder.join("client.sock");
    let client = UnixHttpClient::new(&socket);
    assert!(client.send(Method::GET, "/number", None, TIMEOUT).await.is_err());
    let listener = tokio::net::UnixListener::bind(&socket).unwrap();
    tokio::spawn(async move { axum::serve(listener, app()).await });
    let reply = client.send(Method::GET, "/number", None, TIMEOUT).await.unwrap();
    assert_eq!(reply.body, "7");
    std::fs::remove_dir_all(&folder).unwrap();
}
