//! A real Prometheus that scrapes each second what a gateway's `/sd` lists.

use std::fs::File;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use observability::http::client::HttpClient;
use tempfile::TempDir;

use crate::support::{TIMEOUT, send_signal};

/// Longest that it may take to start.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// Whether Prometheus is there; panics if it is not and has to be.
#[expect(clippy::print_stderr, reason = "a test that is skipped says why")]
pub(crate) fn is_installed() -> bool {
    let found = Command::new("prometheus").arg("--version").output().is_ok();
    let required =
        std::env::var("LAB_REQUIRE").is_ok_and(|list| list.split(',').any(|item| item == "prometheus"));
    assert!(found || !required, "LAB_REQUIRE asks for prometheus; hint: apt-get install prometheus");
    if !found {
        eprintln!("skipped: `prometheus` is not installed (Debian's package has the same name)");
    }
    found
}

/// Ended when dropped.
#[derive(Debug)]
pub(crate) struct RunningPrometheus {
    child: Child,
    pub(crate) url: String,
    folder: TempDir,
}

impl RunningPrometheus {
    /// Starts it without a target, because whoever is to be scraped may want its address first.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // Prometheus says its port nowhere, so it is chosen here: free now, and asked for at once.
        let address = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .to_string();
        let file = folder.path().join("prometheus.yml");
        std::fs::write(&file, "scrape_configs: []\n").expect("the temporary folder can be written");
        let log = File::create(folder.path().join("log")).expect("the temporary folder can be written");
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("prometheus starts");
        let running = Self { child, url: format!("http://{address}"), folder };
        let (client, ready) = (HttpClient::new(), format!("{}/-/ready", running.url));
        let waiting = async {
            while !client.get(&ready, TIMEOUT).await.is_ok_and(|reply| reply.status.is_success()) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let is_ready = tokio::time::timeout(START_TIMEOUT, waiting).await.is_ok();
        assert!(is_ready, "Prometheus was not ready within {START_TIMEOUT:?}:\n{}", running.log());
        running
    }

    /// Has it scrape the replicas of this gateway (its admin address), each second.
    pub(crate) fn scrape(&self, gateway_admin: &str) {
        let configuration = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 900ms}}\n\
             scrape_configs:\n\
             - job_name: webapp\n  http_sd_configs: [{{url: \"{gateway_admin}/sd\", refresh_interval: 1s}}]\n"
        );
        std::fs::write(self.folder.path().join("prometheus.yml"), configuration)
            .expect("the temporary folder can be written");
        send_signal(self.child.id(), "HUP");
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for RunningPrometheus {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}
