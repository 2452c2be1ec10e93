//! A `lab up` on ports that the system chooses, with a dependency.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use http::Method;
use observability::http::client::HttpClient;
use serde_json::json;

const TIMEOUT: Duration = Duration::from_secs(10);

/// What users call: method, path, body.
const USER_ROUTES: [(Method, &str, Option<&str>); 5] = [
    (Method::GET, "/", None),
    (Method::GET, "/api/dashboard", None),
    (Method::POST, "/api/events", Some("{}")),
    (Method::POST, "/order", Some(r#"{"item": "book", "quantity": 2, "price": 12.5}"#)),
    (Method::POST, "/buy", Some(r#"{"username": "ada", "userid": 7, "price": 80}"#)),
];

/// Ended when dropped.
#[derive(Debug)]
pub(crate) struct RunningLab {
    child: Child,
    /// `http://host:port` of the service, of the gateway's admin side, and of the scaler.
    pub(crate) service: String,
    pub(crate) admin: String,
    pub(crate) scaler: String,
    client: HttpClient,
}

impl RunningLab {
    pub(crate) fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
        // A developer's own settings must not change what is tested.
        for (name, _) in
            std::env::vars().filter(|(name, _)| name.starts_with("LAB_") || name.starts_with("SCALE_"))
        {
            command.env_remove(name);
        }
        let mut child = command
            .args(["up", "--gateway", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--page", "127.0.0.1:0"])
            // A policy that answers within seconds, so that a run of two minutes has its decisions.
            .args(["--with-dependency", "--check-interval", "1s", "--window", "5s"])
            .args(["--scale-up-cooldown", "5s", "--scale-down-cooldown", "15s"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the lab starts");
        let output = BufReader::new(child.stdout.take().expect("standard output was piped"));
        let (lines, greeting) = mpsc::channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // The test reads the greeting only; the rest must be taken off the pipe all the same.
                let _unread = lines.send(line);
            }
        });
        let mut lab = Self {
            child,
            service: String::new(),
            admin: String::new(),
            scaler: String::new(),
            client: HttpClient::new(),
        };
        let deadline = Instant::now() + Duration::from_secs(30);
        while lab.scaler.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = greeting.recv_timeout(left).expect("the lab greets within 30 s");
            let mut words = line.split_whitespace();
            match (words.next(), words.next()) {
                (Some("service"), Some(url)) => url.clone_into(&mut lab.service),
                (Some("endpoints"), Some(url)) => {
                    url.trim_end_matches("/endpoints").clone_into(&mut lab.admin);
                }
                (Some("scaler"), Some(url)) => url.clone_into(&mut lab.scaler),
                _ => {}
            }
        }
        lab
    }

    /// Calls each user route this often, ten requests at a time; refusals are answers too.
    pub(crate) async fn call_every_user_route(&self, times: usize) {
        for _ in 0..times.div_ceil(2) {
            let calls = USER_ROUTES.iter().chain(&USER_ROUTES).map(|(method, path, body)| {
                let url = format!("{}{path}", self.service);
                async move {
                    let body = body.map(|text| text.as_bytes().into());
                    self.client.send(method.clone(), &url, body, TIMEOUT).await.expect("the gateway answers");
                }
            });
            join_all(calls).await;
        }
    }

    /// Enough to fill the queues within seconds: eight times the load, for 20 s.
    pub(crate) async fn spike(&self) {
        let url = format!("{}/load/spike?factor=8&hold=20s&ramp=5s", self.service);
        let reply = self.client.get(&url, TIMEOUT).await.expect("the service answers");
        reply.ok().expect("the service takes a spike");
    }

    pub(crate) async fn scale_by_hand(&self, desired: u32) {
        let url = format!("{}/api/replicas", self.scaler);
        let body = json!({ "desired": desired });
        let reply =
            self.client.send_json(Method::PUT, &url, &body, TIMEOUT).await.expect("the scaler answers");
        reply.ok().expect("the scaler takes a number within its limits");
    }
}

impl Drop for RunningLab {
    fn drop(&mut self) {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let began = Instant::now();
        while told.is_ok() && began.elapsed() < Duration::from_secs(40) {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}
