//! Tells the gateway which replicas come and go, and asks it which it knows.

use std::time::Duration;

use http::{Method, StatusCode};
use http_client::{ClientError, HttpClient, Reply};
use serde::Deserialize;
use serde_json::json;

const TIMEOUT: Duration = Duration::from_secs(2);

/// Longest that a replica is drained before it is stopped all the same.
const DRAIN: Duration = Duration::from_secs(10);

/// Written on what is put from here: only that is deleted from here.
const OWNER: &str = "lab up";

/// The gateway's admin side.
#[derive(Clone, Debug)]
pub(super) struct GatewayAdmin {
    url: String,
    client: HttpClient,
}

/// A replica as it is announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Announced {
    pub(super) id: String,
    pub(super) url: String,
    pub(super) pid: u32,
}

/// The replicas of a run, as far as the gateway should know them.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    /// Those that belong into its list.
    pub(super) running: Vec<Announced>,
    /// Addresses of the others: they are about to be announced, or leave by an order of their own.
    pub(super) changing: Vec<String>,
}

/// An endpoint as the gateway lists it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct KnownEndpoint {
    pub(super) url: String,
    pub(super) state: String,
    pub(super) owner: Option<String>,
    /// The id of the replica that was announced there.
    pub(super) replica: Option<String>,
}

impl KnownEndpoint {
    /// Whether it was put from here.
    pub(super) fn is_ours(&self) -> bool {
        self.owner.as_deref() == Some(OWNER)
    }

    /// Whether it already leaves.
    pub(super) fn is_draining(&self) -> bool {
        self.state == "draining"
    }
}

impl GatewayAdmin {
    pub(super) fn new(url: &str) -> Self {
        Self { url: url.to_owned(), client: HttpClient::new() }
    }

    /// Everything that the gateway knows.
    pub(super) async fn list(&self) -> Result<Vec<KnownEndpoint>, ClientError> {
        self.client.get(&format!("{}/endpoints", self.url), TIMEOUT).await?.ok()?.json()
    }

    /// Puts a new replica into the gateway's list; the gateway probes it at once.
    pub(super) async fn put(&self, replica: &Announced) -> Result<(), ClientError> {
        self.send_put(replica, false).await
    }

    /// Puts a replica that was there before back, unless a user has drained it.
    pub(super) async fn put_back(&self, replica: &Announced) -> Result<(), ClientError> {
        self.send_put(replica, true).await
    }

    async fn send_put(&self, replica: &Announced, unless_drained: bool) -> Result<(), ClientError> {
        let Announced { id, url, pid } = replica;
        let body = json!({
            "url": url, "pid": pid, "owner": OWNER, "replica": id, "unless_drained": unless_drained
        });
        let url = format!("{}/endpoints", self.url);
        self.client.send_json(Method::PUT, &url, &body, TIMEOUT).await.and_then(Reply::ok).map(drop)
    }

    /// Takes a replica out of rotation and returns when nothing is in flight to it any more.
    pub(super) async fn drain(&self, replica: &Announced) -> Result<(), ClientError> {
        self.delete(&replica.url, Some(&replica.id), DRAIN).await
    }

    /// Takes a replica out that is already dead.
    pub(super) async fn remove(&self, url: &str, replica: Option<&str>) -> Result<(), ClientError> {
        self.delete(url, replica, Duration::ZERO).await
    }

    async fn delete(&self, url: &str, replica: Option<&str>, wait: Duration) -> Result<(), ClientError> {
        let mut request = format!("{}/endpoints?url={url}&wait={}s", self.url, wait.as_secs());
        // An order that comes late must not hit the replica that has the address by then.
        if let Some(replica) = replica {
            request.push_str("&replica=");
            request.push_str(replica);
        }
        let reply = self.client.send(Method::DELETE, &request, None, wait + TIMEOUT).await?;
        // One that is not known is out of rotation.
        if reply.status == StatusCode::NOT_FOUND { Ok(()) } else { reply.ok().map(drop) }
    }
}
