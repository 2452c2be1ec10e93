//! Starts a real `lab up` on ports that the system chooses, and asks its parts.

// Named, because another test binary takes this file from here, too.
#[path = "support/traffic.rs"]
pub(crate) mod traffic;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http_client::HttpClient;
use serde_json::Value;
pub(crate) use test_requirements::send_signal;

pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);

/// The binary under test: the one of this build, or another that `LAB_TEST_BINARY` names, such as an optimised one.
pub(crate) fn lab() -> Command {
    let binary = std::env::var_os("LAB_TEST_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_lab").into());
    let mut command = Command::new(binary);
    // A developer's own settings must not change what is tested.
    for (name, _) in std::env::vars() {
        let is_setting = ["LAB_", "SCALE_", "OTEL_", "DOCKER_", "PROMETHEUS_"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
            || ["MIN_REPLICAS", "MAX_REPLICAS", "CHECK_INTERVAL", "SERVICE_NAME"]
                .contains(&name.trim_end_matches("_FILE"));
        if is_setting {
            command.env_remove(name);
        }
    }
    command
}

/// A running `lab up`; ended when dropped.
pub(crate) struct Up {
    pub(crate) child: Child,
    pub(crate) gateway: String,
    pub(crate) admin: String,
    pub(crate) scaler: String,
    pub(crate) dependency: Option<String>,
    /// Name and process id of what was started at first.
    pub(crate) processes: BTreeMap<String, u32>,
    output: Arc<Mutex<Vec<String>>>,
    pub(crate) client: HttpClient,
    _turn: Turn,
}

/// Held as long as its loop runs.
pub(crate) struct Turn {
    _alone: MutexGuard<'static, ()>,
}

/// Loops run one after the other: two cores carry one without disturbing its times.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

impl Up {
    /// Waits until no other loop runs; the next one waits until the result is dropped.
    pub(crate) fn turn() -> Turn {
        // A test that failed while it held the lock has ended its loop all the same.
        Turn { _alone: ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner) }
    }

    /// Starts it with further flags and waits for its greeting.
    pub(crate) fn start(flags: &[&str]) -> Self {
        Self::start_with(&[], flags)
    }

    /// Starts it with these variables and further flags and waits for its greeting.
    pub(crate) fn start_with(variables: &[(&str, &str)], flags: &[&str]) -> Self {
        let turn = Self::turn();
        let any_port = "127.0.0.1:0";
        let dependency = ["--dependency-address", any_port];
        let mut child = lab()
            .args(["up", "--gateway", any_port, "--admin", any_port, "--page", any_port])
            .args(flags.contains(&"--with-dependency").then_some(dependency).into_iter().flatten())
            .args(flags)
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the lab starts");
        let output = Arc::new(Mutex::new(Vec::new()));
        let lines = BufReader::new(child.stdout.take().expect("standard output was piped")).lines();
        let sink = Arc::clone(&output);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                sink.lock().expect("no reader panics").push(line);
            }
        });
        let mut up = Self {
            child,
            gateway: String::new(),
            admin: String::new(),
            scaler: String::new(),
            dependency: None,
            processes: BTreeMap::new(),
            output,
            client: HttpClient::new(),
            _turn: turn,
        };
        up.read_greeting();
        up
    }

    fn read_greeting(&mut self) {
        let greeted = wait_until(Duration::from_secs(20), || self.printed("Ctrl-C ends everything"));
        let lines = self.lines();
        assert!(greeted, "no greeting came, only:\n{}", lines.join("\n"));
        let find = |name: &str| {
            let line = lines.iter().find_map(|line| line.trim_start().strip_prefix(name));
            line.map(|rest| rest.trim().to_owned())
        };
        let value = |name: &str| find(name).expect(name);
        self.gateway = value("service");
        value("endpoints").trim_end_matches("/endpoints").clone_into(&mut self.admin);
        self.scaler = value("scaler ");
        self.dependency = find("dependency ");
        for process in value("processes").split(", ") {
            let (name, pid) = process.trim_end_matches(')').split_once(" (").expect("name (pid)");
            self.processes.insert(name.to_owned(), pid.parse().expect("a process id"));
        }
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.output.lock().expect("no reader panics").clone()
    }

    pub(crate) fn printed(&self, text: &str) -> bool {
        self.lines().iter().any(|line| line.contains(text))
    }

    /// The JSON answer of a GET, or the error in words.
    pub(crate) async fn get(&self, url: &str) -> Result<Value, String> {
        self.client
            .get(url, TIMEOUT)
            .await
            .and_then(|reply| reply.ok()?.json())
            .map_err(|error| error.to_string())
    }

    pub(crate) async fn status(&self) -> Result<Value, String> {
        self.get(&format!("{}/api/status", self.scaler)).await
    }

    /// Who is in rotation: URL and process id.
    pub(crate) async fn in_rotation(&self) -> Vec<(String, u32)> {
        let Ok(list) = self.get(&format!("{}/endpoints", self.admin)).await else { return Vec::new() };
        list.as_array()
            .into_iter()
            .flatten()
            .filter(|endpoint| endpoint["state"] == "ready")
            .filter_map(|endpoint| {
                let pid = endpoint["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok())?;
                Some((endpoint["url"].as_str()?.to_owned(), pid))
            })
            .collect()
    }

    /// Waits until this many replicas are in rotation.
    pub(crate) async fn wait_for_replicas(&self, count: usize, within: Duration) {
        let began = Instant::now();
        loop {
            let found = self.in_rotation().await.len();
            if found == count {
                return;
            }
            assert!(
                began.elapsed() < within,
                "{found} instead of {count} replicas were in rotation after {within:?}; it printed:\n{}",
                self.lines().join("\n")
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Asks the scaler for a number of replicas, by hand.
    pub(crate) async fn scale_by_hand(&self, desired: u32) {
        let body = serde_json::json!({ "desired": desired });
        let url = format!("{}/api/replicas", self.scaler);
        self.client
            .send_json(http::Method::PUT, &url, &body, TIMEOUT)
            .await
            .and_then(http_client::Reply::ok)
            .expect("the scaler takes a number within its limits");
    }

    /// Ends it as Ctrl-C does and waits for its end.
    pub(crate) fn interrupt(&mut self) -> std::process::ExitStatus {
        send_signal(self.child.id(), "INT");
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                return status;
            }
            assert!(began.elapsed() < Duration::from_secs(40), "it did not end within 40 s");
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // It may end by itself meanwhile; a panic here would abort the whole test binary.
            let _gone = test_requirements::try_send_signal(self.child.id(), "TERM");
            let ended = wait_until(Duration::from_secs(40), || !matches!(self.child.try_wait(), Ok(None)));
            if !ended {
                let _ended = self.child.kill();
                let _status = self.child.wait();
            }
        }
    }
}

/// Whether a process exists and has not ended.
pub(crate) fn is_alive(pid: u32) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok();
    // The state follows the name, which may contain anything, in brackets.
    state.and_then(|text| text.rsplit(") ").next()?.chars().next()).is_some_and(|state| state != 'Z')
}

/// Polls a condition; tells whether it came true in time.
pub(crate) fn wait_until(within: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let began = Instant::now();
    while !condition() {
        if began.elapsed() > within {
            return false;
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
    true
}
