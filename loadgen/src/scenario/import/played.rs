//! Plays what was imported against a server that notes each request, byte for byte.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use loadgen_baseline::RequestOutcome;
use reqwest::cookie::Jar;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::Imported;
use crate::config::{Load, LoadConfig};
use crate::levels::Levels;
use crate::metrics::LoadMetrics;
use crate::scenario::{Scenario, Scope, Step};
use crate::users::shared::Shared;

mod descriptions;
mod recordings;

/// A request as it came over the connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Arrived {
    method: String,
    target: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Arrived {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// A server on loopback that answers with the statuses that it is given, 200 once they are used up.
#[derive(Clone)]
struct Server {
    host: String,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    statuses: Arc<Mutex<VecDeque<u16>>>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let host = format!("http://{}", listener.local_addr().expect("it is bound"));
        let server = Self { host, arrived: Arc::default(), statuses: Arc::default() };
        let accepting = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(accepting.clone().serve(stream));
            }
        });
        server
    }

    /// Answers one request after the other until the connection ends.
    async fn serve(self, mut stream: TcpStream) {
        let mut bytes = Vec::new();
        while let Some(request) = next_request(&mut stream, &mut bytes).await {
            let is_head = request.method == "HEAD";
            self.arrived.lock().expect("no thread panics while it holds the lock").push(request);
            let status = self.statuses.lock().expect("no thread panics while it holds the lock").pop_front();
            let status = status.unwrap_or(200);
            let location = if (300..400).contains(&status) { "location: /followed\r\n" } else { "" };
            let length = if matches!(status, 204 | 304) { "" } else { "content-length: 2\r\n" };
            let body = if length.is_empty() || is_head { "" } else { "ok" };
            let answer = format!("HTTP/1.1 {status} Any\r\n{location}{length}\r\n{body}");
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }

    fn take(&self) -> Vec<Arrived> {
        std::mem::take(&mut self.arrived.lock().expect("no thread panics while it holds the lock"))
    }
}

/// The next request of a connection; `bytes` keeps what came behind it.
async fn next_request(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<Arrived> {
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        (stream.read_buf(bytes).await.ok()? > 0).then_some(())?;
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let mut lines = head.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let mut request =
        Arrived { method: words.next()?.to_owned(), target: words.next()?.to_owned(), ..Arrived::default() };
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        request.headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = request.header("content-length").map_or(0, |length| length.parse().expect("a length"));
    while bytes.len() < head_end + length {
        (stream.read_buf(bytes).await.ok()? > 0).then_some(())?;
    }
    request.body = bytes[head_end..head_end + length].to_vec();
    bytes.drain(..head_end + length);
    Some(request)
}

/// One user, and the server that it plays scenarios against.
struct Visitor {
    server: Server,
    shared: Shared,
}

impl Visitor {
    async fn new() -> Self {
        let server = Server::start().await;
        let config = LoadConfig {
            host: server.host.clone(),
            load: Load::Users(Levels::steady(1.0)),
            timeout: Duration::from_secs(30),
            ..LoadConfig::default()
        };
        Self { server, shared: Shared::new(&config, &LoadMetrics::default()).expect("it is valid") }
    }

    /// Plays each task once, and brings what arrived; each request must have gone well.
    async fn play(&mut self, imported: &Imported, statuses: &[u16]) -> Vec<Arrived> {
        let scenario =
            Scenario::from_text("made.yaml", "made", &imported.text, None, &[]).expect("it is a scenario");
        let sender = &mut self.shared.sender;
        sender.fixed_urls = scenario.fixed_urls(&sender.service.base);
        let known = &self.server.statuses;
        known.lock().expect("no thread panics while it holds the lock").extend(statuses);
        let cookies = Jar::default();
        for user in scenario.user_types() {
            let mut stream = self.shared.streams.stream("user");
            let mut trace_ids = self.shared.streams.stream("traces");
            for step in user.tasks.iter().flat_map(|task| &task.steps) {
                let Step::Request(request) = step else { continue };
                let mut scope =
                    Scope { values: &user.initial, stream: &mut stream, user_number: 1, iteration: 1 };
                let sender = &self.shared.sender;
                let (exchange, _) =
                    sender.exchange(request, None, &mut scope, Some(&cookies), &mut trace_ids).await;
                assert_eq!(
                    exchange.outcome,
                    RequestOutcome::Succeeded,
                    "{}\n{}",
                    request.name,
                    imported.text
                );
            }
        }
        self.server.take()
    }
}

/// A file of a test, in a folder that lives as long as the first value.
fn file(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("a file");
    (folder, path)
}
