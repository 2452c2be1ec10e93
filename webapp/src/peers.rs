//! Keeps the replicas of a service in agreement about the load factor, without a leader and without a clock.
//!
//! Each change is pushed to all known peers at once, and a pull each second repairs what a push could not
//! reach. Pulling also announces: whoever is asked learns who asks. A peer that cannot be reached is remembered
//! for a while, so that two halves of a network that was cut find each other again.

mod directory;
mod own_url;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use http::Method;
use http_client::{ClientError, HttpClient};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tracing::debug;

use crate::clock::RunClock;
use crate::load::{Load, LoadMessage, Version};
use directory::Directory;
pub(crate) use own_url::own_url;

/// Time between two pulls.
const PULL_INTERVAL: Duration = Duration::from_secs(1);

/// Longest that a peer may take; shorter than the interval, so that pulls do not pile up.
const PEER_TIMEOUT: Duration = Duration::from_millis(800);

/// Longest that a starting replica waits for its peers' state before it serves with its own.
const FIRST_PULL_TIMEOUT: Duration = Duration::from_millis(300);

/// What a replica tells its peers about itself. The load is left out where the asker already has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PeerStatus {
    pub(crate) id: String,
    pub(crate) url: String,
    pub(crate) ready: bool,
    pub(crate) peers: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) load: Option<LoadMessage>,
}

/// What a replica says when it asks: who it is, and which state it has.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PeerGreeting {
    pub(crate) id: String,
    pub(crate) url: String,
    pub(crate) version: Version,
}

/// The other replicas, as this one knows them.
#[derive(Debug)]
pub(crate) struct Peers {
    own_id: String,
    own_url: String,
    client: HttpClient,
    directory: Mutex<Directory>,
    discover: Option<(String, u16)>,
    /// Ready replicas seen in the last pull, this one not included.
    ready: AtomicU32,
}

impl Peers {
    pub(crate) fn new(
        own_id: &str,
        own_url: &str,
        peers: &[String],
        discover: Option<(String, u16)>,
    ) -> Self {
        let mut directory = Directory::new(own_url);
        for url in peers {
            directory.learn(url, Duration::ZERO);
        }
        Self {
            own_id: own_id.to_owned(),
            own_url: own_url.to_owned(),
            client: HttpClient::new(),
            directory: Mutex::new(directory),
            discover,
            ready: AtomicU32::new(0),
        }
    }

    pub(crate) fn own_url(&self) -> &str {
        &self.own_url
    }

    /// Ready replicas seen in the last pull, this one not included.
    pub(crate) fn ready(&self) -> u32 {
        self.ready.load(Ordering::Relaxed)
    }

    /// The peers that other replicas should know of.
    pub(crate) fn living_urls(&self) -> Vec<String> {
        self.directory.lock().living_urls()
    }

    /// Remembers whoever spoke for itself.
    pub(crate) fn heard_from(&self, url: &str, now: Duration) {
        let mut directory = self.directory.lock();
        directory.learn(url, now);
        directory.answered(url, now);
    }

    /// Forgets a replica that says that it leaves.
    pub(crate) fn forget(&self, url: &str) {
        self.directory.lock().forget(url);
    }

    /// Takes over what the peers know before this replica becomes ready.
    pub(crate) async fn first_pull(&self, load: &Load, clock: RunClock) {
        self.pull(load, clock, FIRST_PULL_TIMEOUT).await;
    }

    /// Pulls each second until the process ends.
    pub(crate) async fn keep_agreeing(&self, load: &Load, clock: RunClock) {
        let mut ticks = tokio::time::interval(PULL_INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.pull(load, clock, PEER_TIMEOUT).await;
        }
    }

    /// Sends this load state to all peers at once, without waiting for them.
    pub(crate) fn push(&self, message: &LoadMessage) {
        for url in self.directory.lock().urls() {
            let (client, message) = (self.client.clone(), message.clone());
            tokio::spawn(async move {
                let target = format!("{url}/peers/load");
                let sent = client.send_json(Method::PUT, &target, &message, PEER_TIMEOUT).await;
                if let Err(error) = sent {
                    debug!(%error, "a change did not reach a peer; its next pull brings it");
                }
            });
        }
    }

    /// Tells all peers that this replica leaves, so that they stop asking for it.
    pub(crate) async fn say_goodbye(&self) {
        let urls = self.directory.lock().urls();
        let goodbyes = urls.into_iter().map(|url| {
            let target = format!("{url}/peers?url={}", self.own_url);
            async move { self.client.send(Method::DELETE, &target, None, FIRST_PULL_TIMEOUT).await }
        });
        for error in join_all(goodbyes).await.into_iter().filter_map(Result::err) {
            debug!(%error, "a peer did not hear the goodbye; it forgets this replica by itself");
        }
    }

    /// Asks all peers once and counts the ready ones.
    async fn pull(&self, load: &Load, clock: RunClock, timeout: Duration) {
        self.look_up(clock.now(), timeout / 2).await;
        let urls = self.directory.lock().urls();
        let ready_ids = join_all(urls.iter().map(|url| self.ask(load, clock, url, timeout))).await;
        // One replica may be known by several addresses.
        let ready_ids: BTreeSet<String> = ready_ids.into_iter().flatten().collect();
        let ready = u32::try_from(ready_ids.len()).unwrap_or(u32::MAX);
        self.ready.store(ready, Ordering::Relaxed);
    }

    /// Asks one peer and takes over what it knows, without waiting for the slower ones; its id, if it is ready.
    async fn ask(&self, load: &Load, clock: RunClock, url: &str, timeout: Duration) -> Option<String> {
        let answer = self.greet(load.version(), url, timeout).await;
        let now = clock.now();
        let mut directory = self.directory.lock();
        match answer {
            // Names and addresses may lead back to this replica itself.
            Ok(status) if status.id == self.own_id => {
                directory.is_self(url);
                None
            }
            Ok(status) => {
                directory.answered(url, now);
                for other in &status.peers {
                    directory.learn(other, now);
                }
                drop(directory);
                if let Some(message) = status.load {
                    load.merge(now, message);
                }
                status.ready.then_some(status.id)
            }
            Err(error) => {
                debug!(%error, "a peer did not answer");
                directory.silent(url, now);
                None
            }
        }
    }

    async fn greet(&self, version: Version, url: &str, timeout: Duration) -> Result<PeerStatus, ClientError> {
        let greeting = PeerGreeting { id: self.own_id.clone(), url: self.own_url.clone(), version };
        self.client.send_json(Method::POST, &format!("{url}/peers"), &greeting, timeout).await?.ok()?.json()
    }

    /// Learns the addresses of the service's name, unless that takes too long: a resolver without an answer must
    /// keep no replica from becoming ready, nor from asking the peers that it knows.
    async fn look_up(&self, now: Duration, timeout: Duration) {
        let Some((name, port)) = &self.discover else { return };
        let looked_up = tokio::time::timeout(timeout, tokio::net::lookup_host((name.as_str(), *port))).await;
        match looked_up.unwrap_or_else(|late| Err(late.into())) {
            Ok(addresses) => {
                let mut directory = self.directory.lock();
                for address in addresses {
                    directory.learn(&format!("http://{address}"), now);
                }
            }
            Err(error) => debug!(name, %error, "looking up the peers failed; the known ones are kept"),
        }
    }
}
