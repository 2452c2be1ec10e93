//! Tells the gateway which replicas come and go.

use std::time::Duration;

use http::Method;
use observability::http::client::{ClientError, HttpClient};
use serde_json::json;

const TIMEOUT: Duration = Duration::from_secs(2);

/// Longest that a replica is drained before it is stopped all the same.
const DRAIN: Duration = Duration::from_secs(10);

/// The gateway's admin side.
#[derive(Clone, Debug)]
pub(super) struct GatewayAdmin {
    url: String,
    client: HttpClient,
}

impl GatewayAdmin {
    pub(super) fn new(url: &str) -> Self {
        Self { url: url.to_owned(), client: HttpClient::new() }
    }

    /// Puts a replica into the gateway's list; the gateway probes it at once.
    pub(super) async fn put(&self, replica_url: &str, pid: u32) -> Result<(), ClientError> {
        let body = json!({"url": replica_url, "pid": pid});
        let url = format!("{}/endpoints", self.url);
        self.client.send_json(Method::PUT, &url, &body, TIMEOUT).await?.ok().map(|_| ())
    }

    /// Takes a replica out of rotation and returns when nothing is in flight to it any more.
    pub(super) async fn drain(&self, replica_url: &str) -> Result<(), ClientError> {
        self.delete(replica_url, DRAIN).await
    }

    /// Takes a replica out that is already dead.
    pub(super) async fn remove(&self, replica_url: &str) -> Result<(), ClientError> {
        self.delete(replica_url, Duration::ZERO).await
    }

    async fn delete(&self, replica_url: &str, wait: Duration) -> Result<(), ClientError> {
        let url = format!("{}/endpoints?url={replica_url}&wait={}s", self.url, wait.as_secs());
        self.client.send(Method::DELETE, &url, None, wait + TIMEOUT).await?.ok().map(|_| ())
    }
}
