//! What a lab needs to run beside whatever else runs here: its images, free ports, a faster Prometheus, and the turn.

use std::net::TcpListener;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_client::HttpClient;
use serde_json::Value;
use tempfile::TempDir;

use crate::docker::root;
use crate::image::{LAB_IMAGE, build_all};

/// The settings that say where a lab publishes its ports.
pub(crate) const PORTS: [&str; 5] =
    ["GATEWAY_PORT", "GATEWAY_ADMIN_PORT", "SCALER_PORT", "PROMETHEUS_PORT", "ALERTMANAGER_PORT"];

/// The classic policy with all its times a fifth, as `lab demo --fast` has it.
const FAST_POLICY: [(&str, &str); 4] = [
    ("CHECK_INTERVAL", "2s"),
    ("LAB_SCALER_WINDOW", "6s"),
    ("SCALE_UP_COOLDOWN", "6s"),
    ("SCALE_DOWN_COOLDOWN", "12s"),
];

const TIMEOUT: Duration = Duration::from_secs(5);

/// Two cores carry one lab at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Held as long as its lab is there.
#[derive(Debug)]
pub(crate) struct Ground {
    settings: Vec<(String, String)>,
    client: HttpClient,
    _folder: TempDir,
    _alone: MutexGuard<'static, ()>,
}

impl Ground {
    /// Makes the images, waits for the turn, and chooses the ports of a lab of this name.
    pub(crate) fn prepare(name: &str) -> Self {
        build_all();
        // A test that failed while it held the lock has ended its lab all the same.
        let alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let ports = free_ports(PORTS.len());
        let ports = PORTS.iter().zip(&ports).map(|(name, port)| ((*name).to_owned(), port.to_string()));
        let file = prometheus_file(&folder);
        let own = [
            ("COMPOSE_PROJECT_NAME", name),
            ("LAB_IMAGE", LAB_IMAGE),
            ("TEST_PROMETHEUS_FILE", file.as_str()),
        ];
        let own = own.into_iter().chain(FAST_POLICY);
        let settings = ports.chain(own.map(|(name, value)| (name.to_owned(), value.to_owned()))).collect();
        Self { settings, client: HttpClient::new(), _folder: folder, _alone: alone }
    }

    /// What is to be set in the environment of whatever starts the lab.
    pub(crate) fn settings(&self) -> &[(String, String)] {
        &self.settings
    }

    /// Where a port of the lab is published.
    pub(crate) fn url(&self, port: &str) -> String {
        let (_, port) = self.settings.iter().find(|(name, _)| name == port).expect("one of PORTS");
        format!("http://127.0.0.1:{port}")
    }

    /// The JSON answer of a GET, or the error in words.
    pub(crate) async fn get(&self, url: &str) -> Result<Value, String> {
        let answer = self.client.get(url, TIMEOUT).await;
        answer.and_then(|reply| reply.ok()?.json()).map_err(|error| error.to_string())
    }
}

/// What the tests lay over the project's own files.
pub(crate) fn fast_overlay() -> String {
    root().join("lab/tests/compose/fast.yaml").to_str().expect("the path is text").to_owned()
}

/// Ports that are free now. All are held until all are chosen, so that no two are the same.
pub(crate) fn free_ports(count: usize) -> Vec<u16> {
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
fn open_to_all(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("it is ours");
}
