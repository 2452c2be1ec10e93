//! Keeps the replicas of a service in agreement about the load factor, without a leader and without a clock.
//!
//! Each change is pushed to all known peers at once, and a pull each second repairs what a push could not
//! reach. Pulling also announces: whoever is asked learns who asks. A peer that cannot be reached is remembered
//! for a while, so that two halves of a network that was cut find each other again.

mod directory;
mod own_url;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::join_all;
use http::Method;
use http_client::{ClientError, HttpClient};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tracing::debug;

use crate::app::App;
use crate::load::{LoadMessage, Version};
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
    own_url: String,
    client: HttpClient,
    directory: Mutex<Directory>,
    discover: Option<(String, u16)>,
}

impl Peers {
    pub(crate) fn new(own_url: &str, peers: &[String], discover: Option<(String, u16)>) -> Self {
        let mut directory = Directory::new(own_url);
        for url in peers {
            directory.learn(url, Duration::ZERO);
        }
        Self {
            own_url: own_url.to_owned(),
            client: HttpClient::new(),
            directory: Mutex::new(directory),
            discover,
        }
    }

    pub(crate) fn own_url(&self) -> &str {
        &self.own_url
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

    async fn greet(&self, app: &App, url: &str, timeout: Duration) -> Result<PeerStatus, ClientError> {
        let greeting =
            PeerGreeting { id: app.id.clone(), url: self.own_url.clone(), version: app.load.version() };
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

/// Asks all peers once and counts who is ready.
async fn pull(app: &App, timeout: Duration) {
    app.peers.look_up(app.clock.now(), timeout / 2).await;
    let urls = app.peers.directory.lock().urls();
    let ready_ids = join_all(urls.iter().map(|url| ask(app, url, timeout))).await;
    // One replica may be known by several addresses.
    let ready_ids: BTreeSet<String> = ready_ids.into_iter().flatten().collect();
    let ready = u32::try_from(ready_ids.len()).unwrap_or(u32::MAX);
    app.ready_peers.store(ready, Ordering::Relaxed);
}

/// Asks one peer and takes over what it knows, without waiting for the slower ones; its id, if it is ready.
async fn ask(app: &App, url: &str, timeout: Duration) -> Option<String> {
    let answer = app.peers.greet(app, url, timeout).await;
    let now = app.clock.now();
    let mut directory = app.peers.directory.lock();
    match answer {
        // Names and addresses may lead back to this replica itself.
        Ok(status) if status.id == app.id => {
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
                app.load.merge(now, message);
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

/// Takes over what the peers know before this replica becomes ready.
pub(crate) async fn first_pull(app: &App) {
    pull(app, FIRST_PULL_TIMEOUT).await;
}

/// Pulls each second until the process ends.
pub(crate) async fn keep_agreeing(app: Arc<App>) {
    let mut ticks = tokio::time::interval(PULL_INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        pull(&app, PEER_TIMEOUT).await;
    }
}

/// Sends this replica's load state to all peers at once, without waiting for them.
pub(crate) fn push_load(app: &Arc<App>) {
    let message = app.load.message(app.clock.now());
    for url in app.peers.directory.lock().urls() {
        let (app, message) = (Arc::clone(app), message.clone());
        tokio::spawn(async move {
            let target = format!("{url}/peers/load");
            let sent = app.peers.client.send_json(Method::PUT, &target, &message, PEER_TIMEOUT).await;
            if let Err(error) = sent {
                debug!(%error, "a change did not reach a peer; its next pull brings it");
            }
        });
    }
}

/// Tells all peers that this replica leaves, so that they stop asking for it.
pub(crate) async fn say_goodbye(app: &App) {
    let own = app.peers.own_url();
    let urls = app.peers.directory.lock().urls();
    let goodbyes = urls.into_iter().map(|url| {
        let target = format!("{url}/peers?url={own}");
        async move { app.peers.client.send(Method::DELETE, &target, None, FIRST_PULL_TIMEOUT).await }
    });
    for error in join_all(goodbyes).await.into_iter().filter_map(Result::err) {
        debug!(%error, "a peer did not hear the goodbye; it forgets this replica by itself");
    }
}
