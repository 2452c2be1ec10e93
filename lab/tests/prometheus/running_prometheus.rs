//! A real Prometheus with the configuration for `lab up`, on ports that the system chooses.

use std::fmt::Write as _;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use observability::http::client::HttpClient;
use serde_json::Value;

use crate::expressions::observability;
use crate::running_lab::RunningLab;

const TIMEOUT: Duration = Duration::from_secs(10);

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
    url: String,
    client: HttpClient,
    started_at_epoch_seconds: f64,
    folder: tempfile::TempDir,
}

impl RunningPrometheus {
    pub(crate) fn start(lab: &RunningLab) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // Prometheus says its port nowhere, so it is chosen here: free now, and asked for at once.
        let address = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .to_string();
        let template = observability().join("prometheus/prometheus.lab-up.yml");
        let mut configuration = std::fs::read_to_string(template).expect("the configuration is there");
        let rules = observability().canonicalize().expect("the folder is there").join("prometheus/rules");
        for (from, to) in [
            ("127.0.0.1:8001", lab.admin.trim_start_matches("http://")),
            ("127.0.0.1:8080", lab.scaler.trim_start_matches("http://")),
            ("127.0.0.1:9090", address.as_str()),
            ("- rules/", &format!("- {}/", rules.display())),
        ] {
            assert!(configuration.contains(from), "the configuration has no `{from}`");
            configuration = configuration.replace(from, to);
        }
        let file = folder.path().join("prometheus.yml");
        std::fs::write(&file, configuration).expect("the temporary folder can be written");
        let log =
            std::fs::File::create(folder.path().join("log")).expect("the temporary folder can be written");
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--enable-feature=exemplar-storage")
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("prometheus starts");
        let client = HttpClient::new().with_max_body_bytes(64 << 20);
        Self {
            child,
            url: format!("http://{address}"),
            client,
            started_at_epoch_seconds: epoch_seconds(),
            folder,
        }
    }

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

    /// All values that a graph of the whole run would show.
    pub(crate) async fn values_of_the_run(&self, expression: &str) -> Result<Vec<f64>, String> {
        // A step past now, so that what was written a moment ago lies on the grid too.
        let (start, end) = (self.started_at_epoch_seconds.to_string(), (epoch_seconds() + 1.0).to_string());
        let parameters = [("query", expression), ("start", &start), ("end", &end), ("step", "1s")];
        let data = self.ask("/api/v1/query_range", &parameters).await?;
        let series = data["result"].as_array().into_iter().flatten();
        let points = series.flat_map(|one| one["values"].as_array().into_iter().flatten());
        Ok(points.filter_map(|point| point[1].as_str()?.parse().ok()).collect())
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

    /// Every target but Jaeger, which does not run here.
    pub(crate) async fn wait_until_all_is_scraped(&self) {
        self.wait_for("count(sum by (job) (up{job!=\"jaeger\"}) >= 1) == 4", Duration::from_secs(30)).await;
    }

    fn log(&self) -> String {
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
