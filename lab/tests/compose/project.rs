//! One lab in containers, under a name and on ports of its own; ended, and looked for leftovers, when dropped.

use std::net::TcpListener;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use observability::http::client::HttpClient;
use serde_json::Value;
use tempfile::TempDir;

use crate::docker::{bounded, docker, root, run, text};
use crate::image::{LAB_IMAGE, build_all};

/// Longest that starting, and longest that ending a lab may take.
const START_TIMEOUT: Duration = Duration::from_secs(240);

const TIMEOUT: Duration = Duration::from_secs(5);

/// The classic policy with all its times a fifth, as `lab demo --fast` has it.
const FAST_POLICY: [(&str, &str); 4] = [
    ("CHECK_INTERVAL", "2s"),
    ("LAB_SCALER_WINDOW", "6s"),
    ("SCALE_UP_COOLDOWN", "6s"),
    ("SCALE_DOWN_COOLDOWN", "12s"),
];

/// Two cores carry one lab at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A running lab.
pub(crate) struct Project {
    pub(crate) name: &'static str,
    settings: Vec<(String, String)>,
    pub(crate) gateway: String,
    pub(crate) scaler: String,
    pub(crate) prometheus: String,
    client: HttpClient,
    _folder: TempDir,
    _alone: MutexGuard<'static, ()>,
}

impl Project {
    /// Makes the images and starts the lab with these settings over the fast policy; waits until all is healthy.
    pub(crate) fn start(name: &'static str, settings: &[(&str, &str)]) -> Self {
        Self::start_with(name, settings, &[])
    }

    /// As [`Project::start`], with further flags of `scripts/start.sh`.
    pub(crate) fn start_with(name: &'static str, settings: &[(&str, &str)], flags: &[&str]) -> Self {
        build_all();
        // A test that failed while it held the lock has ended its lab all the same.
        let alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let names =
            ["GATEWAY_PORT", "GATEWAY_ADMIN_PORT", "SCALER_PORT", "PROMETHEUS_PORT", "ALERTMANAGER_PORT"];
        let ports = free_ports(names.len());
        let pairs = names.iter().zip(&ports).map(|(name, port)| ((*name).to_owned(), port.to_string()));
        let mut all: Vec<(String, String)> = pairs.collect();
        let overlay = root().join("lab/tests/compose/fast.yaml");
        let own = [
            ("COMPOSE_PROJECT_NAME", name),
            ("LAB_IMAGE", LAB_IMAGE),
            ("LAB_OVERLAYS", overlay.to_str().expect("the path is text")),
            ("TEST_PROMETHEUS_FILE", &prometheus_file(&folder)),
        ];
        all.extend(
            own.into_iter()
                .chain(FAST_POLICY)
                .chain(settings.iter().copied())
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        let url = |index: usize| format!("http://127.0.0.1:{}", ports[index]);
        let project = Self {
            name,
            settings: all,
            gateway: url(0),
            scaler: url(2),
            prometheus: url(3),
            client: HttpClient::new(),
            _folder: folder,
            _alone: alone,
        };
        let mut start = project.script("start.sh");
        run(start.args(["--offline", "--no-build"]).args(flags));
        project
    }

    /// A script of the project, with this lab's settings.
    pub(crate) fn script(&self, name: &str) -> Command {
        let mut command = bounded(START_TIMEOUT, root().join("scripts").join(name));
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs Compose on this lab, with the overlays it was started with.
    pub(crate) fn compose(&self, arguments: &[&str]) -> String {
        run(&mut self.compose_command(arguments))
    }

    /// Runs Compose while the scaler may be making or removing replicas: Compose acts on the list it began with, and ends
    /// with an error where one of them is gone by then. What it did until then counts.
    pub(crate) fn compose_beside_the_scaler(&self, arguments: &[&str]) {
        let output = self.compose_command(arguments).output().expect("the script can be started");
        let said = text(&output);
        assert!(output.status.success() || said.contains("No such container"), "{said}");
    }

    fn compose_command(&self, arguments: &[&str]) -> Command {
        let overlays = &self.settings.iter().rfind(|(name, _)| name == "LAB_OVERLAYS").expect("set above").1;
        let mut command = self.script("compose.sh");
        command.env("LAB_OVERLAYS", format!("{overlays} offline")).args(arguments);
        command
    }

    /// The ids of the containers of a service, running or not, oldest first.
    pub(crate) fn containers(&self, service: &str) -> Vec<String> {
        let list = docker(&[
            "ps",
            "-aq",
            "--no-trunc",
            "--filter",
            &format!("label=com.docker.compose.project={}", self.name),
            "--filter",
            &format!("label=com.docker.compose.service={service}"),
        ]);
        let mut ids: Vec<String> = list.split_whitespace().map(str::to_owned).collect();
        ids.reverse();
        ids
    }

    /// The only container of a service.
    pub(crate) fn container(&self, service: &str) -> String {
        let ids = self.containers(service);
        assert_eq!(ids.len(), 1, "there is one {service}: {ids:?}");
        ids.into_iter().next().expect("counted above")
    }

    pub(crate) fn logs(&self, service: &str) -> String {
        let logs = |id: &String| {
            let output = bounded(TIMEOUT * 4, "docker").args(["logs", id]).output();
            output.map(|output| text(&output)).unwrap_or_default()
        };
        self.containers(service).iter().map(logs).collect()
    }

    /// The JSON answer of a GET, or the error in words.
    pub(crate) async fn get(&self, url: &str) -> Result<Value, String> {
        let answer = self.client.get(url, TIMEOUT).await;
        answer.and_then(|reply| reply.ok()?.json()).map_err(|error| error.to_string())
    }

    pub(crate) async fn status(&self) -> Result<Value, String> {
        self.get(&format!("{}/api/status", self.scaler)).await
    }

    /// Asks the scaler for a number of replicas, and waits until it has carried that out.
    pub(crate) fn scale_by_hand(&self, desired: u32) {
        let body = format!("{{\"desired\": {desired}}}");
        let url = format!("{}/api/replicas", self.scaler);
        run(bounded(TIMEOUT * 12, "curl").args([
            "-fsS",
            "-X",
            "PUT",
            "-H",
            "Content-Type: application/json",
            "-d",
            &body,
            &url,
        ]));
    }

    /// Waits until the scaler's status fulfils a condition; panics with the last status and the scaler's log.
    pub(crate) async fn wait_for(&self, what: &str, within: Duration, condition: impl Fn(&Value) -> bool) {
        let began = Instant::now();
        loop {
            let status = self.status().await;
            if status.as_ref().is_ok_and(&condition) {
                return;
            }
            assert!(
                began.elapsed() < within,
                "not within {within:?}: {what}\n{status:?}\n{}",
                self.logs("scaler")
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// What of it is still there: containers, networks and volumes.
    pub(crate) fn leftovers(&self) -> String {
        let filter = format!("label=com.docker.compose.project={}", self.name);
        [["ps", "-a"], ["network", "ls"], ["volume", "ls"]]
            .iter()
            .map(|list| docker(&[list[0], list[1], "-q", "--filter", &filter]))
            .collect()
    }

    /// Ends it as a user does.
    pub(crate) fn stop(&self) {
        run(self.script("stop.sh").arg("--volumes"));
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        // A test that failed has said why; what it started is ended all the same.
        let _ended = self.script("stop.sh").arg("--volumes").output();
    }
}

/// Ports that are free now. All are held until all are chosen, so that no two are the same.
fn free_ports(count: usize) -> Vec<u16> {
    let held: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port")).collect();
    held.iter().map(|listener| listener.local_addr().expect("it is bound").port()).collect()
}

/// The project's own Prometheus file with shorter times.
fn prometheus_file(folder: &TempDir) -> String {
    let original = std::fs::read_to_string(root().join("observability/prometheus/prometheus.compose.yml"))
        .expect("the file is there");
    let fast = original
        .replace("scrape_interval: 5s", "scrape_interval: 1s")
        .replace("scrape_timeout: 4s", "scrape_timeout: 900ms")
        .replace("refresh_interval: 5s", "refresh_interval: 1s");
    assert_ne!(fast, original, "the times stand elsewhere now");
    let path = folder.path().join("prometheus.yml");
    std::fs::write(&path, fast).expect("the temporary folder can be written");
    open_to_all(folder.path(), 0o755);
    open_to_all(&path, 0o644);
    path.to_str().expect("the path is text").to_owned()
}

/// Prometheus runs as another user than the tests.
fn open_to_all(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("it is ours");
}
