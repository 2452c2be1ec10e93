//! The end of a kept connection is not a failure of its endpoint.
//!
//! An endpoint may close a connection at the moment at which a request is on its way to it. Here it always does: it
//! answers one request on each connection, and closes when the next one has come.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gateway::GatewayConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::support::{Lab, config};

/// What the endpoint does with the second request on a connection.
#[derive(Clone, Copy, PartialEq)]
enum Second {
    Closes,
    /// With a reset, as a process does that ends with bytes unread.
    Resets,
    /// After the beginning of an answer.
    BeginsAnAnswer,
}

struct Endpoint {
    url: String,
    /// Complete requests that were answered.
    answered: Arc<AtomicUsize>,
    /// Requests that were read, answered or not.
    read: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

impl Endpoint {
    async fn start(second: Second) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (answered, read) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let counts = (Arc::clone(&answered), Arc::clone(&read));
        let serving = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, second, counts.clone()));
            }
        });
        Self { url, answered, read, serving }
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    second: Second,
    (answered, read): (Arc<AtomicUsize>, Arc<AtomicUsize>),
) {
    let mut served = false;
    loop {
        let mut bytes = Vec::new();
        let mut part = [0; 4096];
        // Each body here is `{}` or nothing, and announced by its length or as chunks.
        let complete = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).to_lowercase();
            text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
                (!head.contains("content-length: 2") || body == "{}")
                    && (!head.contains("chunked") || body.ends_with("0\r\n\r\n"))
            })
        };
        while !complete(&bytes) {
            match stream.read(&mut part).await {
                Ok(size @ 1..) => bytes.extend_from_slice(&part[..size]),
                Ok(0) | Err(_) => return,
            }
        }
        if bytes.starts_with(b"GET /ready") {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            continue;
        }
        read.fetch_add(1, Ordering::SeqCst);
        if served {
            match second {
                Second::Closes => {}
                Second::Resets => stream.set_zero_linger().unwrap(),
                Second::BeginsAnAnswer => drop(stream.write_all(b"HTTP/1.1 2").await),
            }
            return;
        }
        served = true;
        answered.fetch_add(1, Ordering::SeqCst);
        let body = if bytes.starts_with(b"HEAD") { "" } else { "ok" };
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{body}");
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

async fn lab_with(endpoints: &[Endpoint]) -> Lab {
    // Probes use connections of the pool too, and are not to take those that are waited for here.
    let lab = Lab::with(GatewayConfig { connect_timeout: Duration::from_secs(5), ..config() }, &[]).await;
    for endpoint in endpoints {
        lab.ask_admin("PUT", "/endpoints", &format!(r#"{{"url": "{}"}}"#, endpoint.url)).await;
    }
    lab.until_ready(endpoints.len()).await;
    lab
}

async fn endpoints(count: usize, second: Second) -> Vec<Endpoint> {
    let mut endpoints = Vec::new();
    for _ in 0..count {
        endpoints.push(Endpoint::start(second).await);
    }
    endpoints
}

fn total(endpoints: &[Endpoint], count: impl Fn(&Endpoint) -> &AtomicUsize) -> usize {
    endpoints.iter().map(|endpoint| count(endpoint).load(Ordering::SeqCst)).sum()
}

async fn failures(lab: &Lab) -> u64 {
    lab.endpoints().await.iter().map(|endpoint| endpoint["failed"].as_u64().unwrap()).sum()
}

#[tokio::test]
async fn what_is_safe_to_repeat_goes_once_more_on_a_fresh_connection() {
    for second in [Second::Closes, Second::Resets] {
        for count in [1, 3] {
            for (method, body) in
                [("GET", ""), ("HEAD", ""), ("OPTIONS", ""), ("PUT", "{}"), ("DELETE", "{}"), ("DELETE", "")]
            {
                let endpoints = endpoints(count, second).await;
                let lab = lab_with(&endpoints).await;
                for _ in 0..20 {
                    let reply = lab.send(method, "/x", &[], body).await;
                    assert_eq!(reply.status, 200, "{method} to {count}: {reply:?}");
                }
                assert_eq!(
                    total(&endpoints, |endpoint| &endpoint.answered),
                    20,
                    "{method}: each was answered once"
                );
                let lost = total(&endpoints, |endpoint| &endpoint.read) - 20;
                assert!(lost >= 5, "{method} to {count}: only {lost} were lost, so nothing was tried");
                assert_eq!(failures(&lab).await, 0, "{method} to {count}");
                assert_eq!(
                    lab.states().await.get("ready"),
                    Some(&count),
                    "{method} to {count}: none is ejected"
                );
                let reconnects = lab.metric("gateway_reconnects_total").await;
                assert!((reconnects - lost as f64).abs() < 0.5, "{reconnects} of {lost} are counted");
                assert!(lab.metric("gateway_retries_total").await < 0.5, "none went elsewhere");
            }
        }
    }
}

#[tokio::test]
async fn what_is_not_safe_to_repeat_is_never_sent_twice_and_still_marks_no_endpoint() {
    let chunked = [("transfer-encoding", "chunked")];
    for count in [1, 3] {
        for (method, path, headers) in [
            ("POST", "/order", &[][..]),
            ("PATCH", "/order", &[]),
            ("PUT", "/load", &[]),
            ("DELETE", "/load/x", &[]),
            // Passed on as it comes, so there is nothing to send again.
            ("PUT", "/x", &chunked),
        ] {
            let endpoints = endpoints(count, Second::Closes).await;
            let lab = lab_with(&endpoints).await;
            let mut lost = 0;
            for _ in 0..20 {
                let reply = lab.send(method, path, headers, "{}").await;
                match reply.status {
                    200 => {}
                    502 => {
                        assert!(reply.error().contains("without an answer"), "{reply:?}");
                        lost += 1;
                    }
                    other => panic!("{other} to {method}: {reply:?}"),
                }
            }
            assert!(lost >= 5, "{method} {path} to {count}: {lost} of 20");
            assert_eq!(
                total(&endpoints, |endpoint| &endpoint.read),
                20,
                "{method} {path}: each was sent once"
            );
            assert_eq!(failures(&lab).await, 0, "{method} {path} to {count}");
            assert!(lab.metric("gateway_reconnects_total").await < 0.5, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_began_is_not_asked_for_again_on_the_same_endpoint() {
    let endpoints = endpoints(1, Second::BeginsAnAnswer).await;
    let lab = lab_with(&endpoints).await;
    let statuses = [lab.get("/").await.status, lab.get("/").await.status];
    assert_eq!(statuses, [200, 502]);
    assert_eq!(total(&endpoints, |endpoint| &endpoint.read), 2);
    assert_eq!(failures(&lab).await, 1, "what broke off counts");
    assert!(lab.metric("gateway_reconnects_total").await < 0.5);
}

#[tokio::test]
async fn a_fresh_connection_has_the_last_word_and_the_retry_elsewhere_is_still_there() {
    /// Answers probes, and closes each connection on which something else comes.
    async fn start_closing() -> (String, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    let mut bytes = [0; 4096];
                    while let Ok(size @ 1..) = stream.read(&mut bytes).await {
                        if !bytes[..size].starts_with(b"GET /ready") {
                            return;
                        }
                        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
                    }
                });
            }
        });
        (url, serving)
    }
    let (bad, serving) = start_closing().await;
    let lab = lab_with(&[]).await;
    lab.ask_admin("PUT", "/endpoints", &format!(r#"{{"url": "{bad}"}}"#)).await;
    lab.until_ready(1).await;
    assert_eq!(lab.get("/").await.status, 502);
    assert_eq!(failures(&lab).await, 1, "a fresh connection tells of the endpoint");

    let good = crate::support::Replica::plain().await;
    lab.put(&good).await;
    lab.until_ready(2).await;
    for _ in 0..20 {
        assert_eq!(lab.get("/").await.status, 200, "the other endpoint answers");
    }
    serving.abort();
}
