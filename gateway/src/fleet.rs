//! Joins the balancer's rotation with the connections to its endpoints, under one lock.
//!
//! The lock is held for well under a microsecond and never across a wait; a pick, a record and a release each
//! take it once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use gateway_balancer::{EndpointId, Outcome, Pick, ProbeAnswer, Rotation, State};
use prometheus_client::metrics::gauge::Gauge;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};
use serde::Serialize;
use tokio::sync::Notify;
use tokio::time::timeout;
use tracing::{info, warn};

use crate::target::EndpointUrl;
use crate::upstream::readiness::Readiness;
use crate::upstream::{Upstream, UpstreamLimits};

/// How often a waiting request looks by itself, because an ejection ends without anybody's call.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

#[derive(Debug)]
struct Member {
    upstream: Arc<Upstream>,
    pid: Option<u32>,
    owner: Option<String>,
    /// What the last probe found wrong with the server at the address.
    problem: Option<String>,
}

#[derive(Debug)]
struct Inner {
    rotation: Rotation,
    members: BTreeMap<EndpointId, Member>,
    rng: Xoshiro256PlusPlus,
}

/// The endpoints of the service and the connections to them.
#[derive(Debug)]
pub(crate) struct Fleet {
    origin: Instant,
    inner: Mutex<Inner>,
    admitted: Notify,
    probes_changed: Notify,
    limits: UpstreamLimits,
    open_connections: Gauge,
}

/// What `GET /endpoints` says of one endpoint.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct EndpointReport {
    pub(crate) url: String,
    pub(crate) state: State,
    pub(crate) in_flight: u32,
    pub(crate) ewma_ms: f64,
    pub(crate) pid: Option<u32>,
    pub(crate) owner: Option<String>,
    /// The replica that was announced at the address.
    pub(crate) replica: Option<String>,
    /// Why it gets no requests although a server answers at its address.
    pub(crate) problem: Option<String>,
    pub(crate) picked: u64,
    pub(crate) succeeded: u64,
    /// How many of those were 4xx.
    pub(crate) client_errors: u64,
    pub(crate) refused: u64,
    pub(crate) failed: u64,
    pub(crate) ejections: u64,
}

/// What is said of an endpoint that is put.
#[derive(Debug, Default)]
pub(crate) struct PutOrder {
    /// Its process; replaces the one known.
    pub(crate) pid: Option<u32>,
    /// Whose it is to take out again; replaces the one known.
    pub(crate) owner: Option<String>,
    /// The id that the server at the address gives itself; replaces the one known. Where none is known, any server that
    /// is ready is admitted.
    pub(crate) replica: Option<String>,
    /// Whether one that somebody drained stays out.
    pub(crate) unless_drained: bool,
}

/// What became of an endpoint that was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PutOutcome {
    /// It is new.
    Added,
    /// It was there.
    Confirmed,
    /// Somebody drained it, and so it stays out.
    Drained,
}

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drained {
    /// Forgotten, with so many requests still in flight.
    Forgotten { in_flight: u32 },
    /// Put again while it drained.
    PutAgain,
}

impl Fleet {
    pub(crate) fn new(
        rotation: Rotation,
        seed: u64,
        limits: UpstreamLimits,
        open_connections: Gauge,
    ) -> Arc<Self> {
        Arc::new(Self {
            origin: Instant::now(),
            inner: Mutex::new(Inner {
                rotation,
                members: BTreeMap::new(),
                rng: Xoshiro256PlusPlus::seed_from_u64(seed),
            }),
            admitted: Notify::new(),
            probes_changed: Notify::new(),
            limits,
            open_connections,
        })
    }

    /// Adds or confirms an endpoint.
    pub(crate) fn put(&self, url: &EndpointUrl, order: PutOrder) -> PutOutcome {
        let PutOrder { pid, owner, replica, unless_drained } = order;
        let mut inner = self.lock();
        if unless_drained && inner.rotation.is_drained(url.as_str()) {
            return PutOutcome::Drained;
        }
        let put = inner.rotation.put(self.now(), url.as_str());
        self.member(&mut inner, put.id, url);
        if replica.is_some() {
            self.expect_replica(&mut inner, put.id, replica);
        }
        let member = self.member(&mut inner, put.id, url);
        member.pid = pid.or(member.pid);
        if owner.is_some() {
            member.owner = owner;
        }
        drop(inner);
        self.probes_changed.notify_one();
        if put.added {
            info!(%url, pid, "endpoint added");
            PutOutcome::Added
        } else {
            PutOutcome::Confirmed
        }
    }

    /// Lets the endpoint be this replica alone. If it was another one's so far, it is probed as if it were new, and no
    /// connection of that one is used again.
    fn expect_replica(&self, inner: &mut Inner, id: EndpointId, replica: Option<String>) {
        let member = inner.members.get_mut(&id).expect("each endpoint has its connections");
        if member.upstream.replica == replica {
            return;
        }
        member.upstream.close();
        let url = member.upstream.url.clone();
        *member = self.new_member(url, replica);
        inner.rotation.restart(self.now(), id);
    }

    /// Takes in one answer of DNS.
    pub(crate) fn sync_discovered(&self, urls: &[EndpointUrl]) {
        let mut inner = self.lock();
        let texts: Vec<&str> = urls.iter().map(EndpointUrl::as_str).collect();
        let discovered = inner.rotation.sync_discovered(self.now(), &texts);
        for id in discovered.added {
            let Some(url) = self.url_of(&inner, id, urls) else { continue };
            info!(%url, "endpoint discovered");
            self.member(&mut inner, id, url);
        }
        for id in discovered.absent {
            if let Some(member) = inner.members.get(&id) {
                info!(url = %member.upstream.url, "endpoint is absent from DNS and leaves");
            }
        }
        self.drop_forgotten(&mut inner);
        drop(inner);
        self.probes_changed.notify_one();
    }

    /// Takes an endpoint out of rotation and waits until its requests are over, at most for `wait`; then forgets
    /// it. Returns nothing if it is not there, or another one than `replica` where that is given. It goes on when the
    /// caller goes away.
    pub(crate) async fn drain(
        self: &Arc<Self>,
        url: &EndpointUrl,
        replica: Option<&str>,
        wait: Duration,
    ) -> Option<Drained> {
        let id = self.begin_drain(url, replica)?;
        info!(%url, "endpoint drains");
        let fleet = Arc::clone(self);
        let draining = tokio::spawn(async move { fleet.finish_drain(id, wait).await });
        Some(draining.await.unwrap_or(Drained::Forgotten { in_flight: 0 }))
    }

    fn begin_drain(&self, url: &EndpointUrl, replica: Option<&str>) -> Option<EndpointId> {
        let mut inner = self.lock();
        let is_meant =
            |member: &Member| member.upstream.url == *url && member.upstream.replica.as_deref() == replica;
        if replica.is_some() && !inner.members.values().any(is_meant) {
            return None;
        }
        inner.rotation.drain(self.now(), url.as_str())
    }

    async fn finish_drain(&self, id: EndpointId, wait: Duration) -> Drained {
        let deadline = Instant::now() + wait;
        loop {
            if let Some(drained) = self.forget_if_drained(id, deadline) {
                return drained;
            }
            // Looked at now and then, so that a request pays nothing for a drain that is hardly ever going on.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn forget_if_drained(&self, id: EndpointId, deadline: Instant) -> Option<Drained> {
        let mut inner = self.lock();
        let Some(endpoint) = inner.rotation.endpoint(self.now(), id) else {
            return Some(Drained::Forgotten { in_flight: 0 });
        };
        let (state, in_flight) = (endpoint.state, endpoint.in_flight);
        if state != State::Draining {
            return Some(Drained::PutAgain);
        }
        if in_flight > 0 && Instant::now() < deadline {
            return None;
        }
        inner.rotation.remove(id);
        self.drop_forgotten(&mut inner);
        Some(Drained::Forgotten { in_flight })
    }

    /// Picks an endpoint that is not one of `exclude`. The time is the caller's, who needs it as well.
    pub(crate) fn pick(self: &Arc<Self>, at: Instant, exclude: &[EndpointId]) -> Option<Stay> {
        let mut guard = self.lock();
        let inner = &mut *guard;
        let now = at.saturating_duration_since(self.origin);
        let id = match inner.rotation.pick(now, &mut inner.rng, exclude) {
            Pick::Endpoint(id) => id,
            Pick::NoneReady => return None,
        };
        let upstream =
            Arc::clone(&inner.members.get(&id).expect("each endpoint has its connections").upstream);
        Some(Stay { fleet: Arc::clone(self), id, upstream })
    }

    /// Waits for an endpoint to come into rotation, however long that takes, and picks it.
    pub(crate) async fn pick_when_ready(self: &Arc<Self>) -> Stay {
        loop {
            // Created before looking, so that an admission in between is not missed.
            let admitted = self.admitted.notified();
            if let Some(stay) = self.pick(tokio::time::Instant::now().into_std(), &[]) {
                return stay;
            }
            let _either = timeout(LOOK_AGAIN, admitted).await;
        }
    }

    /// An endpoint whose probe is due, and its connections.
    pub(crate) fn begin_probe(&self) -> Option<(EndpointId, Arc<Upstream>)> {
        let mut inner = self.lock();
        let id = inner.rotation.begin_probe(self.now())?;
        let member = inner.members.get(&id).expect("each endpoint has its connections");
        Some((id, Arc::clone(&member.upstream)))
    }

    /// Time until the next probe is due, if one is to be sent.
    pub(crate) fn until_next_probe(&self) -> Option<Duration> {
        let next = self.lock().rotation.next_probe_at()?;
        Some(next.saturating_sub(self.now()))
    }

    /// Takes in what a probe over `upstream` found; nothing is no answer.
    pub(crate) fn record_probe(&self, id: EndpointId, upstream: &Arc<Upstream>, found: Option<&Readiness>) {
        let mut inner = self.lock();
        let now = self.now();
        let Some(member) =
            inner.members.get_mut(&id).filter(|member| Arc::ptr_eq(&member.upstream, upstream))
        else {
            // Another replica was announced at the address while the probe was under way.
            return;
        };
        let problem = found.and_then(|readiness| upstream.check_replica(readiness).err());
        let answer = match found {
            Some(_) if problem.is_some() => ProbeAnswer::OtherReplica,
            Some(readiness) => readiness.answer,
            None => ProbeAnswer::NotReady,
        };
        let is_news = problem.is_some() && member.problem != problem;
        member.problem.clone_from(&problem);
        let state = |inner: &Inner| inner.rotation.endpoint(now, id).map(|endpoint| endpoint.state);
        let before = state(&inner);
        let admitted = inner.rotation.record_probe(now, id, answer);
        let after = state(&inner);
        drop(inner);
        self.probes_changed.notify_one();
        let url = &upstream.url;
        if let Some(problem) = problem.filter(|_| is_news) {
            warn!(%url, problem, "endpoint is not admitted");
        } else if admitted {
            info!(%url, "endpoint is in rotation");
            self.admitted.notify_waiters();
        } else if before != after {
            warn!(%url, "endpoint left the rotation: its probes fail");
        }
    }

    /// Waits until the set of endpoints or their probes changed.
    pub(crate) async fn probes_changed(&self) {
        self.probes_changed.notified().await;
    }

    /// Drops connections that ended or have been idle for long, to all endpoints.
    pub(crate) fn sweep_connections(&self) {
        let upstreams: Vec<Arc<Upstream>> =
            self.lock().members.values().map(|member| Arc::clone(&member.upstream)).collect();
        for upstream in upstreams {
            upstream.sweep();
        }
    }

    /// All endpoints as they stand, in the order in which they were added.
    pub(crate) fn report(&self) -> Vec<EndpointReport> {
        let mut inner = self.lock();
        let now = self.now();
        inner.rotation.advance(now);
        let report = |endpoint: gateway_balancer::EndpointView<'_>| {
            let member = inner.members.get(&endpoint.id);
            EndpointReport {
                url: endpoint.url.to_owned(),
                state: endpoint.state,
                in_flight: endpoint.in_flight,
                ewma_ms: (endpoint.ewma_seconds * 1e6).round() / 1e3,
                pid: member.and_then(|member| member.pid),
                owner: member.and_then(|member| member.owner.clone()),
                replica: member.and_then(|member| member.upstream.replica.clone()),
                problem: member.and_then(|member| member.problem.clone()),
                picked: endpoint.picked,
                succeeded: endpoint.answers.succeeded,
                client_errors: endpoint.answers.client_errors,
                refused: endpoint.answers.refused,
                failed: endpoint.answers.failed,
                ejections: endpoint.ejections,
            }
        };
        inner.rotation.endpoints(now).map(report).collect()
    }

    /// Ejections since the start.
    pub(crate) fn ejections(&self) -> u64 {
        self.lock().rotation.ejections()
    }

    /// Endpoints in rotation.
    pub(crate) fn ready_count(&self) -> usize {
        self.lock().rotation.ready_count()
    }

    /// A random number, for whoever needs a stream of its own.
    pub(crate) fn random_seed(&self) -> u64 {
        self.lock().rng.next_u64()
    }

    fn record(&self, at: Instant, id: EndpointId, outcome: Outcome) {
        let mut inner = self.lock();
        let ejected = inner.rotation.record(at.saturating_duration_since(self.origin), id, outcome);
        if ejected {
            let url = inner.members.get(&id).map(|member| member.upstream.url.to_string());
            drop(inner);
            warn!(url, "endpoint ejected: its answers fail");
        }
    }

    fn release(&self, id: EndpointId) {
        let mut inner = self.lock();
        if inner.rotation.release(id) {
            self.drop_forgotten(&mut inner);
        }
    }

    fn member<'a>(&self, inner: &'a mut Inner, id: EndpointId, url: &EndpointUrl) -> &'a mut Member {
        inner.members.entry(id).or_insert_with(|| self.new_member(url.clone(), None))
    }

    fn new_member(&self, url: EndpointUrl, replica: Option<String>) -> Member {
        let upstream = Upstream::new(url, replica, self.limits, self.open_connections.clone());
        Member { upstream: Arc::new(upstream), pid: None, owner: None, problem: None }
    }

    fn url_of<'a>(&self, inner: &Inner, id: EndpointId, urls: &'a [EndpointUrl]) -> Option<&'a EndpointUrl> {
        let endpoint = inner.rotation.endpoint(self.now(), id)?;
        urls.iter().find(|url| url.as_str() == endpoint.url)
    }

    fn drop_forgotten(&self, inner: &mut Inner) {
        let now = self.now();
        let Inner { rotation, members, .. } = inner;
        members.retain(|&id, member| {
            let known = rotation.endpoint(now, id).is_some();
            if !known {
                member.upstream.close();
                info!(url = %member.upstream.url, "endpoint forgotten");
            }
            known
        });
    }

    fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // The rotation's own invariants hold after each of its calls, also where a later line panicked.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request's stay at an endpoint. Dropping it ends the stay.
#[derive(Debug)]
pub(crate) struct Stay {
    fleet: Arc<Fleet>,
    pub(crate) id: EndpointId,
    pub(crate) upstream: Arc<Upstream>,
}

impl Stay {
    /// Takes in how the request went, as known at this time.
    pub(crate) fn record(&self, at: Instant, outcome: Outcome) {
        self.fleet.record(at, self.id, outcome);
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        self.fleet.release(self.id);
    }
}
