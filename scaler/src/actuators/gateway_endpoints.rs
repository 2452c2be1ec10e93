//! Tells the gateway which replicas come and go.
//!
//! What the platform lists is compared with what the gateway was told, so that a replica which somebody else started or
//! removed is told as well. A gateway that does not answer holds up nothing: it is told again at the next look, and
//! where it discovers replicas over DNS it finds the rest by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{Method, StatusCode};
use observability::http::client::{ClientError, HttpClient, Reply};
use serde_json::json;
use tracing::{info, warn};

use super::ReplicaEntry;

/// Longest wait for an answer, besides the draining itself.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Longest that a replica's requests are waited for before it is stopped all the same.
pub(super) const DRAIN: Duration = Duration::from_secs(30);

/// The gateway's list, as far as this process has a part in it.
#[derive(Clone, Debug)]
pub(super) struct GatewayEndpoints {
    endpoints_url: String,
    client: HttpClient,
    told: Arc<Mutex<Told>>,
    /// Comparing runs aside; two of them at the same time would tell everything twice.
    one_at_a_time: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug, Default)]
struct Told {
    /// The addresses that the gateway knows from here, by the replica's id: an address can be another's tomorrow.
    urls: BTreeMap<String, String>,
    /// Replicas on their way out, which are not to be put again.
    leaving: BTreeSet<String>,
    /// Whether the gateway did not answer the last time.
    is_silent: bool,
}

/// What the gateway is to be told: replicas by their id, with their address.
#[derive(Debug)]
struct Difference {
    new: Vec<(String, String)>,
    gone: Vec<(String, String)>,
}

impl Told {
    fn difference(&self, listed: &BTreeMap<String, String>) -> Option<Difference> {
        let missing_in = |from: &BTreeMap<String, String>, of: &BTreeMap<String, String>| {
            let missing =
                of.iter().filter(|(id, url)| !self.leaving.contains(*id) && from.get(*id) != Some(url));
            missing.map(|(id, url)| (id.clone(), url.clone())).collect::<Vec<_>>()
        };
        let (new, gone) = (missing_in(&self.urls, listed), missing_in(listed, &self.urls));
        (!new.is_empty() || !gone.is_empty()).then_some(Difference { new, gone })
    }
}

impl GatewayEndpoints {
    /// The list of the gateway with this admin address.
    pub(super) fn new(gateway_admin: &str) -> Self {
        Self {
            endpoints_url: format!("{}/endpoints", gateway_admin.trim_end_matches('/')),
            client: HttpClient::new(),
            told: Arc::default(),
            one_at_a_time: Arc::default(),
        }
    }

    /// Whether this replica is being taken out.
    pub(super) fn is_leaving(&self, id: &str) -> bool {
        self.told().leaving.contains(id)
    }

    /// Puts a replica into rotation as soon as its probe succeeds.
    pub(super) async fn put(&self, id: &str, url: &str) {
        let body = json!({ "url": url });
        let reply = self.client.send_json(Method::PUT, &self.endpoints_url, &body, TIMEOUT).await;
        let outcome = reply.and_then(Reply::ok).map(drop);
        if outcome.is_ok() {
            self.told().urls.insert(id.to_owned(), url.to_owned());
        }
        self.hear(outcome);
    }

    /// Takes a replica out of rotation and returns when nothing is in flight to it any more.
    pub(super) async fn drain(&self, id: &str, url: &str) {
        self.told().leaving.insert(id.to_owned());
        self.delete(url, DRAIN).await;
    }

    /// One that was to leave stays after all, or is gone.
    pub(super) fn forget(&self, id: &str) {
        let mut told = self.told();
        told.leaving.remove(id);
        told.urls.remove(id);
    }

    /// Compares what is there with what was told, and tells the difference, without keeping the caller waiting.
    pub(super) fn follow(&self, entries: &[ReplicaEntry]) {
        let listed: BTreeMap<String, String> = entries
            .iter()
            .filter(|entry| !entry.is_stopping)
            .filter_map(|entry| Some((entry.id.clone(), entry.url.clone()?)))
            .collect();
        if self.told().difference(&listed).is_none() {
            return;
        }
        let endpoints = self.clone();
        tokio::spawn(async move { endpoints.tell_difference(listed).await });
    }

    async fn tell_difference(&self, listed: BTreeMap<String, String>) {
        let Ok(_turn) = self.one_at_a_time.try_lock() else { return };
        let Some(Difference { new, gone }) = self.told().difference(&listed) else { return };
        for (id, url) in gone {
            let is_reused = listed.values().any(|other| *other == url);
            if is_reused || self.delete(&url, Duration::ZERO).await {
                self.told().urls.remove(&id);
            }
        }
        for (id, url) in new {
            self.put(&id, &url).await;
        }
    }

    /// Whether the gateway has answered.
    async fn delete(&self, url: &str, wait: Duration) -> bool {
        let request = format!("{}?url={url}&wait={}s", self.endpoints_url, wait.as_secs());
        let outcome = match self.client.send(Method::DELETE, &request, None, wait + TIMEOUT).await {
            // One that it does not know is out of rotation.
            Ok(reply) if reply.status == StatusCode::NOT_FOUND => Ok(()),
            other => other.and_then(Reply::ok).map(drop),
        };
        let has_answered = outcome.is_ok();
        self.hear(outcome);
        has_answered
    }

    /// Logs when the gateway falls silent and when it answers again, not at each attempt.
    fn hear(&self, outcome: Result<(), ClientError>) {
        let was_silent = std::mem::replace(&mut self.told().is_silent, outcome.is_err());
        match outcome {
            Err(error) if !was_silent => warn!("the gateway was not told of a replica, and will be: {error}"),
            Ok(()) if was_silent => info!("the gateway is told of replicas again"),
            Err(_) | Ok(()) => {}
        }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
