//! What changes a replica is taken from programs and from its own names only; HEAD changes nothing.

use http::{Method, StatusCode};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::replica::{Replica, quiet};

/// Everything on the replica's port that changes the replica itself.
const COMMANDS: [(&str, &str); 15] = [
    ("PUT", "/load"),
    ("GET", "/load/increase"),
    ("GET", "/load/decrease"),
    ("GET", "/load/reset"),
    ("GET", "/load/spike"),
    ("POST", "/load/spike"),
    ("GET", "/faults/latency?add=1s"),
    ("GET", "/faults/errors?share=1"),
    ("GET", "/faults/unready"),
    ("GET", "/faults/crash"),
    ("GET", "/faults/clear"),
    ("DELETE", "/faults"),
    ("POST", "/peers"),
    ("DELETE", "/peers?url=http://127.0.0.1:9"),
    ("PUT", "/peers/load"),
];

/// The head of the answer to a request with these headers, as they are.
async fn head(replica: &Replica, method: &str, path: &str, headers: &str) -> String {
    let address = replica.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.expect("the replica listens");
    let request =
        format!("{method} {path} HTTP/1.1\r\n{headers}content-length: 2\r\nconnection: close\r\n\r\n{{}}");
    stream.write_all(request.as_bytes()).await.expect("the replica reads");
    let mut answer = Vec::new();
    // The replica may close before it has read the body.
    let _ended = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

async fn state(replica: &Replica) -> [Value; 3] {
    let load = replica.json("/load").await;
    let peers = replica.json("/peers").await;
    [load["version"].clone(), replica.json("/faults").await, peers["peers"].clone()]
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing() {
    let replica = Replica::start(quiet()).await;
    let before = state(&replica).await;
    for headers in [
        "host: evil.example:8000\r\n",
        "host: evil.example\r\norigin: http://evil.example\r\n",
        "host: localhost:8000\r\norigin: http://evil.example\r\n",
        "host: localhost:8000\r\nsec-fetch-site: cross-site\r\n",
        "host: localhost:8000\r\norigin: null\r\n",
    ] {
        for (method, path) in COMMANDS {
            let answer = head(&replica, method, path, headers).await;
            assert!(answer.starts_with("HTTP/1.1 403 "), "{method} {path} with {headers:?}: {answer}");
        }
    }
    assert_eq!(state(&replica).await, before);
}

#[tokio::test]
async fn programs_under_the_names_of_a_service_change_it() {
    let replica = Replica::start(quiet()).await;
    for host in ["localhost:8000", "127.0.0.1", "172.18.0.3:8000", "[fd00::3]:8000", "gateway:8000", "webapp"]
    {
        let answer = head(&replica, "GET", "/load/reset", &format!("host: {host}\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{host}: {answer}");
    }
    let own = "host: localhost:8000\r\norigin: http://localhost:8000\r\nsec-fetch-site: same-origin\r\n";
    assert!(head(&replica, "POST", "/load/reset", own).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn users_and_readers_come_from_anywhere() {
    let replica = Replica::start(quiet()).await;
    let headers = "host: shop.example\r\norigin: http://page.example\r\nsec-fetch-site: cross-site\r\n";
    for (method, path, status) in [
        ("GET", "/", 200),
        ("POST", "/order", 201),
        ("POST", "/buy", 201),
        ("POST", "/api/events", 201),
        ("GET", "/load", 200),
        ("GET", "/faults", 200),
        ("GET", "/peers", 200),
        ("GET", "/ready", 200),
        ("GET", "/metrics", 200),
    ] {
        let answer = head(&replica, method, path, headers).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{method} {path}: {answer}");
    }
}

#[tokio::test]
async fn head_changes_nothing() {
    let replica = Replica::start(quiet()).await;
    let before = state(&replica).await;
    for (_, path) in COMMANDS.iter().filter(|(method, _)| *method == "GET") {
        let reply = replica.send(Method::HEAD, path, None).await;
        assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED, "HEAD {path}");
        assert_eq!(reply.headers["allow"], "GET, POST", "HEAD {path}");
        assert!(reply.body.is_empty(), "HEAD {path}");
    }
    assert_eq!(state(&replica).await, before);
    for path in ["/load", "/faults", "/peers", "/ready", "/health", "/metrics"] {
        assert_eq!(replica.send(Method::HEAD, path, None).await.status, StatusCode::OK, "HEAD {path}");
    }
}

#[tokio::test]
async fn readiness_names_the_replica_ready_or_not() {
    let replica = Replica::start(webapp::WebappConfig { id: "webapp-42".to_owned(), ..quiet() }).await;
    for path in ["/ready", "/health/ready"] {
        let reply = replica.get(path).await;
        assert_eq!(reply.headers["x-replica-id"], "webapp-42", "{path}");
        assert_eq!(reply.json::<Value>().expect("it is JSON")["replica"], "webapp-42", "{path}");
    }
    replica.get("/faults/unready").await;
    let reply = replica.get("/ready").await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(reply.headers["x-replica-id"], "webapp-42");
}
