//! A real Prometheus on a port that the system chose, and what it is asked.

use std::fmt::Write as _;
use std::fs::File;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http_client::HttpClient;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{TIMEOUT, send_signal};

/// Longest that it may take to start.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// An answer with all values of a run is longer than the client takes by itself.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Whether Prometheus is there; panics if it is not and has to be.
pub(crate) fn is_installed() -> bool {
    test_requirements::has_program("prometheus", "prometheus", "apt-get install prometheus")
}

/// Ended when dropped.
#[derive(Debug)]
pub(crate) struct RunningPrometheus {
    child: Child,
    /// `http://host:port`.
    pub(crate) url: String,
    client: HttpClient,
    started_at_epoch_seconds: f64,
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
            .arg("--enable-feature=exemplar-storage")
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("prometheus starts");
        let running = Self {
            child,
            url: format!("http://{address}"),
            client: HttpClient::new().with_max_body_bytes(ANSWER_BYTES_MAX),
            started_at_epoch_seconds: epoch_seconds(),
            folder,
        };
        let ready = format!("{}/-/ready", running.url);
        let waiting = async {
            while !running.client.get(&ready, TIMEOUT).await.is_ok_and(|reply| reply.status.is_success()) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let is_ready = tokio::time::timeout(START_TIMEOUT, waiting).await.is_ok();
        assert!(is_ready, "Prometheus was not ready within {START_TIMEOUT:?}:\n{}", running.log());
        running
    }

    /// Gives it another configuration, which it takes at once.
    pub(crate) fn configure(&self, configuration: &str) {
        std::fs::write(self.folder.path().join("prometheus.yml"), configuration)
            .expect("the temporary folder can be written");
        send_signal(self.child.id(), "HUP");
    }

    /// Has it scrape the replicas of this gateway (its admin address) and nobody else, each second.
    pub(crate) fn scrape_replicas(&self, gateway_admin: &str) {
        self.configure(&format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 900ms}}\n\
             scrape_configs:\n\
             - job_name: webapp\n  http_sd_configs: [{{url: \"{gateway_admin}/sd\", refresh_interval: 1s}}]\n"
        ));
    }

    /// Asks its API; the `data` of the answer.
    async fn ask(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Value, String> {
        let mut url = format!("{}{path}?", self.url);
        for (name, value) in parameters {
            write!(url, "{name}={}&", percent_encoded(value)).expect("a string can be written to");
        }
        let reply = self.client.get(&url, TIMEOUT).await.map_err(|error| error.to_string())?;
        let answer: Value = reply.json().map_err(|error| error.to_string())?;
        if answer["status"] == "success" {
            Ok(answer["data"].clone())
        } else {
            Err(answer["error"].to_string())
        }
    }

    /// Asks about the whole run until now, and a step past now, so that what was written a moment ago lies in it too.
    async fn ask_about_the_run(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Value, String> {
        let (start, end) = (self.started_at_epoch_seconds.to_string(), (epoch_seconds() + 1.0).to_string());
        self.ask(path, &[&[("start", start.as_str()), ("end", &end)], parameters].concat()).await
    }

    /// All values that a graph of the whole run would show.
    pub(crate) async fn values_of_the_run(&self, expression: &str) -> Result<Vec<f64>, String> {
        let parameters = [("query", expression), ("step", "1s")];
        let data = self.ask_about_the_run("/api/v1/query_range", &parameters).await?;
        let series = data["result"].as_array().into_iter().flatten();
        let points = series.flat_map(|one| one["values"].as_array().into_iter().flatten());
        Ok(points.filter_map(|point| point[1].as_str()?.parse().ok()).collect())
    }

    /// Trace and span of every exemplar of the run.
    pub(crate) async fn exemplars(&self, selector: &str) -> Vec<(String, String)> {
        let data = self.ask_about_the_run("/api/v1/query_exemplars", &[("query", selector)]).await;
        let data = data.expect("Prometheus tells its exemplars");
        let series = data.as_array().expect("a list of series").iter();
        let exemplars = series.flat_map(|one| one["exemplars"].as_array().into_iter().flatten());
        let label = |exemplar: &Value, name: &str| {
            exemplar["labels"][name]
                .as_str()
                .unwrap_or_else(|| panic!("no `{name}` in {exemplar}"))
                .to_owned()
        };
        exemplars.map(|exemplar| (label(exemplar, "trace_id"), label(exemplar, "span_id"))).collect()
    }

    /// Every rule and alert, with its health.
    pub(crate) async fn rules(&self) -> Vec<Value> {
        let data = self.ask("/api/v1/rules", &[]).await.expect("Prometheus tells its rules");
        let groups = data["groups"].as_array().expect("a list of groups").iter();
        let rules: Vec<Value> =
            groups.flat_map(|group| group["rules"].as_array().into_iter().flatten().cloned()).collect();
        assert!(rules.len() > 50, "only {} rules were loaded", rules.len());
        rules
    }

    /// Until an expression has a result.
    pub(crate) async fn wait_for(&self, expression: &str, within: Duration) {
        let began = Instant::now();
        loop {
            let answer = self.ask("/api/v1/query", &[("query", expression)]).await;
            let found = answer
                .as_ref()
                .is_ok_and(|data| data["result"].as_array().is_some_and(|all| !all.is_empty()));
            if found {
                return;
            }
            assert!(
                began.elapsed() < within,
                "`{expression}` had no result within {within:?}: {answer:?}\n{}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
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

/// Everything but letters and digits as `%XX`.
fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("a string can be written to");
        }
        encoded
    })
}

#[expect(clippy::disallowed_methods, reason = "Prometheus is asked for a span of the wall clock")]
fn epoch_seconds() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}
