//! Tells the gateway which replicas come and go.
//!
//! What the platform lists is compared with the gateway's own list, so that neither a replica which somebody else started
//! or removed nor a restart of either side leaves a difference. What is put carries its owner's name, and only what
//! carries it is deleted: whatever others put is theirs. A gateway that does not answer holds up nothing: it is told at
//! a later look, and where it discovers replicas over DNS it finds the rest by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{Method, StatusCode};
use http_client::{ClientError, HttpClient, Reply};
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;
use tracing::{info, warn};

use super::{ReplicaEntry, same_address};
use crate::sources::EndpointState;

/// Longest wait for an answer, besides the draining itself.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Longest that a replica's requests are waited for before it is stopped all the same.
const DRAIN: Duration = Duration::from_secs(30);

/// Time between two comparisons of an unchanged list: less than between two looks, more than between two within an
/// action.
const COMPARE_EVERY: Duration = Duration::from_millis(500);

/// The gateway's list, as far as this process has a part in it.
#[derive(Clone, Debug)]
pub(super) struct GatewayEndpoints {
    endpoints_url: String,
    /// Written on what is put from here; the same after a restart.
    owner: String,
    client: HttpClient,
    told: Arc<Mutex<Told>>,
    /// Comparing runs aside; two of them at the same time would tell everything twice.
    one_at_a_time: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug, Default)]
struct Told {
    /// The addresses that the gateway was told, by the replica's id: an address can be another's tomorrow.
    urls: BTreeMap<String, String>,
    /// Replicas on their way out, which are not to be put again.
    leaving: BTreeSet<String>,
    /// When it was compared last, and those in rotation by the platform's list then.
    compared: Option<(Instant, BTreeMap<String, String>)>,
    /// Whether the gateway did not answer the last time.
    is_silent: bool,
}

/// An endpoint as the gateway lists it.
#[derive(Debug, Deserialize)]
struct KnownEndpoint {
    url: String,
    state: EndpointState,
    #[serde(default)]
    owner: Option<String>,
}

/// The platform's replicas with an address.
#[derive(Debug, Default)]
struct Listed {
    /// Those that belong in rotation: addresses by id.
    staying: BTreeMap<String, String>,
    /// Addresses of those that are being drained from here.
    leaving: BTreeSet<String>,
}

impl Listed {
    fn has(&self, url: &str) -> bool {
        self.staying.values().chain(&self.leaving).any(|own| same_address(own, url))
    }
}

/// A replica on its way out. However that ends, with its end or with an order that was refused or cut off, it is
/// forgotten when this is dropped: one that stays after all counts again, and is told again.
#[derive(Debug)]
#[must_use = "the replica is on its way out until this is dropped"]
pub(super) struct Leaving {
    id: String,
    told: Arc<Mutex<Told>>,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        let mut told = lock(&self.told);
        told.leaving.remove(&self.id);
        told.urls.remove(&self.id);
    }
}

impl GatewayEndpoints {
    /// The list of the gateway with this admin address, of which the endpoints with this owner are kept here.
    pub(super) fn new(gateway_admin: &str, owner: &str) -> Self {
        Self {
            endpoints_url: format!("{}/endpoints", gateway_admin.trim_end_matches('/')),
            owner: owner.to_owned(),
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
        let outcome = self.send_put(id, url, false).await;
        self.hear(outcome);
    }

    /// Takes a replica out of rotation and returns when nothing is in flight to it any more, or time is up.
    pub(super) async fn drain(&self, entry: &ReplicaEntry) -> Leaving {
        self.told().leaving.insert(entry.id.clone());
        let leaving = Leaving { id: entry.id.clone(), told: self.told.clone() };
        if let Some(url) = &entry.url {
            let outcome = self.send_delete(url, DRAIN).await;
            self.hear(outcome);
        }
        leaving
    }

    /// Compares what is there with the gateway's list, and tells the difference, without keeping the caller waiting.
    pub(super) fn follow(&self, entries: &[ReplicaEntry]) {
        let Ok(turn) = self.one_at_a_time.clone().try_lock_owned() else { return };
        let Some(listed) = self.told().begin_comparison(entries) else { return };
        let endpoints = self.clone();
        tokio::spawn(async move {
            let _turn = turn;
            let outcome = endpoints.compare(&listed).await;
            endpoints.hear(outcome);
        });
    }

    /// Goes on after a failure, and returns the first.
    async fn compare(&self, listed: &Listed) -> Result<(), ClientError> {
        let reply = self.client.get(&self.endpoints_url, TIMEOUT).await;
        let mut ours: Vec<KnownEndpoint> = reply.and_then(Reply::ok).and_then(|reply| reply.json())?;
        ours.retain(|endpoint| endpoint.owner.as_ref() == Some(&self.owner));
        let mut outcome = Ok(());
        for endpoint in &ours {
            // A second order would cut short a draining that is under way.
            if endpoint.state != EndpointState::Draining && !listed.has(&endpoint.url) {
                outcome = outcome.and(self.send_delete(&endpoint.url, Duration::ZERO).await);
            }
        }
        self.told().urls.retain(|id, url| listed.staying.get(id) == Some(url));
        for (id, url) in &listed.staying {
            let is_new = !self.told().urls.contains_key(id);
            let is_known = ours.iter().any(|endpoint| same_address(&endpoint.url, url));
            // One that was about to stay may have begun to leave since it was listed.
            if (is_new || !is_known) && !self.is_leaving(id) {
                // A gateway that began anew has lost what it was told; one from which somebody drained it has not.
                outcome = outcome.and(self.send_put(id, url, !is_new).await);
            }
        }
        outcome
    }

    async fn send_put(&self, id: &str, url: &str, unless_drained: bool) -> Result<(), ClientError> {
        let body = json!({ "url": url, "owner": self.owner, "unless_drained": unless_drained });
        let reply = self.client.send_json(Method::PUT, &self.endpoints_url, &body, TIMEOUT).await;
        reply.and_then(Reply::ok)?;
        self.told().urls.insert(id.to_owned(), url.to_owned());
        Ok(())
    }

    async fn send_delete(&self, url: &str, wait: Duration) -> Result<(), ClientError> {
        let request = format!("{}?url={url}&wait={}s", self.endpoints_url, wait.as_secs());
        let reply = self.client.send(Method::DELETE, &request, None, wait + TIMEOUT).await?;
        // One that it does not know is out of rotation.
        if reply.status == StatusCode::NOT_FOUND { Ok(()) } else { reply.ok().map(drop) }
    }

    /// Logs when the gateway falls silent and when it answers again, not at each attempt.
    fn hear(&self, outcome: Result<(), ClientError>) {
        let was_silent = std::mem::replace(&mut self.told().is_silent, outcome.is_err());
        match outcome {
            Err(error) if !was_silent => {
                warn!("the gateway cannot be told of replicas, and will be when it can: {error}");
            }
            Ok(()) if was_silent => info!("the gateway is told of replicas again"),
            Err(_) | Ok(()) => {}
        }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        lock(&self.told)
    }
}

impl Told {
    /// What is to be compared now; none where that was begun a moment ago.
    fn begin_comparison(&mut self, entries: &[ReplicaEntry]) -> Option<Listed> {
        let mut listed = Listed::default();
        for entry in entries {
            let Some(url) = entry.url.clone() else { continue };
            if self.leaving.contains(&entry.id) {
                listed.leaving.insert(url);
            } else if !entry.is_stopping {
                listed.staying.insert(entry.id.clone(), url);
            }
        }
        let was_just_compared = self
            .compared
            .as_ref()
            .is_some_and(|(at, staying)| at.elapsed() < COMPARE_EVERY && *staying == listed.staying);
        if was_just_compared {
            return None;
        }
        self.compared = Some((Instant::now(), listed.staying.clone()));
        Some(listed)
    }
}

fn lock(told: &Mutex<Told>) -> MutexGuard<'_, Told> {
    told.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use gateway::{Gateway, GatewayConfig};
    use serde_json::Value;
    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;
    use tokio::time::{sleep, timeout};

    use super::*;

    /// Longest wait for anything; a machine under load needs some of it.
    const PATIENCE: Duration = Duration::from_secs(30);

    const OWNER: &str = "shop/webapp";

    /// A real gateway, whose endpoints nobody answers for: they are `starting`.
    struct RunningGateway {
        admin: SocketAddr,
        client: HttpClient,
        stop: oneshot::Sender<()>,
        serving: JoinHandle<()>,
    }

    impl RunningGateway {
        fn start_at(admin: SocketAddr) -> Self {
            let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            let gateway = Gateway::bind(GatewayConfig { listen, admin, ..GatewayConfig::default() }).unwrap();
            let (admin, (stop, stopped)) = (gateway.admin_address(), oneshot::channel());
            let serving =
                tokio::spawn(async move { gateway.serve(async { drop(stopped.await) }).await.unwrap() });
            Self { admin, client: HttpClient::new(), stop, serving }
        }

        fn start() -> Self {
            Self::start_at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
        }

        /// Ends it, and starts another that knows nothing at the same address.
        async fn restart(self) -> Self {
            self.stop.send(()).unwrap();
            timeout(PATIENCE, self.serving).await.expect("the gateway ends").unwrap();
            Self::start_at(self.admin)
        }

        fn url(&self) -> String {
            format!("http://{}", self.admin)
        }

        async fn ask(&self, method: Method, query: &str, body: Option<Value>) -> Reply {
            let body = body.map(|body| body.to_string().into());
            let url = format!("{}/endpoints{query}", self.url());
            self.client.send(method, &url, body, PATIENCE).await.unwrap().ok().unwrap()
        }

        async fn put(&self, body: Value) {
            self.ask(Method::PUT, "", Some(body)).await;
        }

        async fn drain(&self, url: &str) {
            self.ask(Method::DELETE, &format!("?url={url}"), None).await;
        }

        async fn urls(&self) -> Vec<String> {
            let known: Vec<KnownEndpoint> = self.ask(Method::GET, "", None).await.json().unwrap();
            let mut urls: Vec<String> = known.into_iter().map(|endpoint| endpoint.url).collect();
            urls.sort();
            urls
        }
    }

    fn entry(number: u16) -> ReplicaEntry {
        ReplicaEntry {
            id: format!("webapp-{number}"),
            url: Some(url(number)),
            pid: None,
            is_stopping: false,
            ..ReplicaEntry::default()
        }
    }

    /// Where nobody listens.
    fn url(number: u16) -> String {
        format!("http://127.0.0.1:{number}")
    }

    /// Looks again and again, as a scaler does, until the gateway lists these.
    async fn until_listed(
        endpoints: &GatewayEndpoints,
        entries: &[ReplicaEntry],
        gateway: &RunningGateway,
        wanted: &[u16],
    ) {
        let wanted: Vec<String> = wanted.iter().map(|number| url(*number)).collect();
        let mut last = Vec::new();
        let listed = async {
            while last != wanted {
                endpoints.follow(entries);
                sleep(Duration::from_millis(20)).await;
                last = gateway.urls().await;
            }
        };
        assert!(timeout(PATIENCE, listed).await.is_ok(), "the gateway lists {last:?}, expected {wanted:?}");
    }

    #[tokio::test]
    async fn who_went_while_the_scaler_was_away_is_deleted_and_nobody_elses() {
        let gateway = RunningGateway::start();
        let before = GatewayEndpoints::new(&gateway.url(), OWNER);
        until_listed(&before, &[entry(1), entry(2), entry(3)], &gateway, &[1, 2, 3]).await;
        drop(before);
        gateway.put(json!({ "url": url(4) })).await;
        gateway.put(json!({ "url": url(5), "owner": "shop/other" })).await;

        let after = GatewayEndpoints::new(&gateway.url(), OWNER);
        until_listed(&after, &[entry(2)], &gateway, &[2, 4, 5]).await;
        until_listed(&after, &[], &gateway, &[4, 5]).await;
    }

    #[tokio::test]
    async fn a_gateway_that_began_anew_is_told_all() {
        let gateway = RunningGateway::start();
        let endpoints = GatewayEndpoints::new(&gateway.url(), OWNER);
        let entries = [entry(1), entry(2)];
        until_listed(&endpoints, &entries, &gateway, &[1, 2]).await;
        let gateway = gateway.restart().await;
        until_listed(&endpoints, &entries, &gateway, &[1, 2]).await;
        until_listed(&endpoints, &entries[..1], &gateway, &[1]).await;
    }

    #[tokio::test]
    async fn what_was_put_by_another_hand_is_taken_over_with_its_replica() {
        let gateway = RunningGateway::start();
        gateway.put(json!({ "url": url(1) })).await;
        let endpoints = GatewayEndpoints::new(&gateway.url(), OWNER);
        until_listed(&endpoints, &[entry(1), entry(2)], &gateway, &[1, 2]).await;
        until_listed(&endpoints, &[entry(2)], &gateway, &[2]).await;
    }

    #[tokio::test]
    async fn what_somebody_drained_stays_out_until_its_address_is_anothers() {
        let gateway = RunningGateway::start();
        let endpoints = GatewayEndpoints::new(&gateway.url(), OWNER);
        until_listed(&endpoints, &[entry(1), entry(2)], &gateway, &[1, 2]).await;
        gateway.drain(&url(1)).await;
        // The comparison that puts the third has had the first before.
        until_listed(&endpoints, &[entry(1), entry(2), entry(3)], &gateway, &[2, 3]).await;
        let reuses = ReplicaEntry { id: "webapp-4".to_owned(), ..entry(1) };
        until_listed(&endpoints, &[entry(2), entry(3), reuses], &gateway, &[1, 2, 3]).await;
    }

    #[tokio::test]
    async fn a_replica_on_its_way_out_is_not_put_and_one_that_stays_after_all_is() {
        let gateway = RunningGateway::start();
        let endpoints = GatewayEndpoints::new(&gateway.url(), OWNER);
        let entries = [entry(1), entry(2)];
        until_listed(&endpoints, &entries, &gateway, &[1, 2]).await;
        let leaving = endpoints.drain(&entries[1]).await;
        assert!(endpoints.is_leaving("webapp-2"));
        let with_another = [entry(1), entry(2), entry(3)];
        until_listed(&endpoints, &with_another, &gateway, &[1, 3]).await;
        drop(leaving);
        assert!(!endpoints.is_leaving("webapp-2"));
        until_listed(&endpoints, &with_another, &gateway, &[1, 2, 3]).await;
    }

    #[tokio::test]
    async fn a_drain_that_is_cut_off_leaves_nobody_on_the_way_out() {
        // Takes connections, and never answers.
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoints = GatewayEndpoints::new(&format!("http://{}", silent.local_addr().unwrap()), OWNER);
        let replica = entry(1);
        let mut drain = Box::pin(endpoints.drain(&replica));
        assert!(timeout(Duration::from_millis(50), &mut drain).await.is_err(), "nobody has answered");
        assert!(endpoints.is_leaving(&replica.id));
        drop(drain);
        assert!(!endpoints.is_leaving(&replica.id));
    }

    #[tokio::test(start_paused = true)]
    async fn an_unchanged_list_is_compared_now_and_then_and_a_changed_one_at_once() {
        let mut told = Told::default();
        assert!(told.begin_comparison(&[entry(1)]).is_some());
        assert!(told.begin_comparison(&[entry(1)]).is_none());
        assert!(told.begin_comparison(&[entry(1), entry(2)]).is_some());
        tokio::time::advance(COMPARE_EVERY).await;
        assert!(told.begin_comparison(&[entry(1), entry(2)]).is_some());
    }
}
