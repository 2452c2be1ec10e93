//! One replica in this process, on a port that the system chose, with a client that asks it.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode};
use http_client::{HttpClient, Reply};
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use webapp::{Webapp, WebappConfig, WebappError};

/// Longest that any one answer may take before a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A replica without demand of its own, whose jobs take no time and whose stop does not wait.
pub(crate) fn quiet() -> WebappConfig {
    WebappConfig {
        base_rps: 0.0,
        service_time: Duration::ZERO,
        service_distribution: workload::ServiceTimeDistribution::Constant,
        drain_wait: Duration::ZERO,
        ..WebappConfig::default()
    }
}

/// A replica that serves.
#[derive(Debug)]
pub(crate) struct Replica {
    pub(crate) url: String,
    pub(crate) client: HttpClient,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), WebappError>>,
}

impl Replica {
    /// Starts one and returns when it is ready.
    pub(crate) async fn start(config: WebappConfig) -> Self {
        let webapp = Webapp::bind(config).await.expect("the configuration is valid and the port free");
        let url = format!("http://{}", webapp.address());
        let (stop, stopped) = oneshot::channel::<()>();
        let ended = tokio::spawn(webapp.serve(async {
            // A test that ends without stopping its replica stops it too.
            let _dropped = stopped.await;
        }));
        let replica = Self { url, client: HttpClient::with_idle_connections(64), stop, ended };
        super::wait::until(PATIENCE, "the replica is ready", async || {
            replica.get("/ready").await.status == StatusCode::OK
        })
        .await;
        replica
    }

    /// `GET path`; any status is an answer.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, None).await
    }

    /// `GET path` as the lab's own scraper asks; any status is an answer.
    pub(crate) async fn scrape(&self, path: &str) -> Reply {
        self.client
            .scrape(&format!("{}{path}", self.url), PATIENCE)
            .await
            .expect("a replica that serves answers")
    }

    /// `method path` with a body, where one is given; any status is an answer.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<&str>) -> Reply {
        let body = body.map(|body| Bytes::copy_from_slice(body.as_bytes()));
        let url = format!("{}{path}", self.url);
        self.client.send(method, &url, body, PATIENCE).await.expect("a replica that serves answers")
    }

    /// The JSON of a successful `GET path`.
    pub(crate) async fn json(&self, path: &str) -> Value {
        let reply = self.get(path).await;
        assert!(reply.status.is_success(), "GET {path} answered {}: {:?}", reply.status, reply.body);
        reply.json().expect("the answers of a replica are JSON")
    }

    /// Asks it to stop, without waiting for the end.
    pub(crate) fn begin_stop(self) -> JoinHandle<Result<(), WebappError>> {
        // Nobody listens any more where it has ended by itself; the handle says how.
        let _ended = self.stop.send(());
        self.ended
    }
}
