//! The replicas of a run: one process each, started and stopped on request, replaced when they die.
//!
//! How many there are is decided by whoever asks; a replica that dies without having been asked to is replaced,
//! so that the number stays what was asked for.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::join_all;
use http::Method;
use http_client::{ClientError, HttpClient};
use parking_lot::Mutex;
use scaler::ServiceEvent;
use serde::Serialize;
use serde_json::json;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Notice;
use super::gateway_admin::{Announced, GatewayAdmin, Wanted};
use super::journal::Journal;
use crate::child_command::ChildCommand;
use crate::child_process::ChildProcess;
use crate::commands::webapp::WebappArguments;

/// Most replicas that one run starts; more than one machine can use.
const MAX_REPLICAS: usize = 100;

/// Longest that a replica may take to end: its own bound of 30 s and a little.
const STOP_GRACE: Duration = Duration::from_secs(32);

/// Longest that the first replicas may take until they are in the gateway's list.
const FIRST_START_TIMEOUT: Duration = Duration::from_secs(15);

/// A replica that died younger than this is replaced after a delay of this length.
const DIED_YOUNG: Duration = Duration::from_secs(1);

/// Time between two attempts to tell a gateway that does not answer, because it is being started again.
const RETRY: Duration = Duration::from_millis(100);

/// Longest that a replica may take to take note of another; a hung one must not hold a new one back.
const INTRODUCTION_TIMEOUT: Duration = Duration::from_millis(50);

/// How to start a replica.
#[derive(Clone, Debug)]
pub(super) struct ReplicaPlan {
    pub(super) program: PathBuf,
    /// What each replica gets, besides its id and peers.
    pub(super) arguments: WebappArguments,
}

/// Where a replica is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ReplicaState {
    /// Its process runs and the gateway has not been told of it yet, or another one is about to take its place.
    Starting,
    /// The gateway knows it.
    Running,
    /// It is being drained and ended.
    Stopping,
}

/// A replica as the socket shows it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ReplicaEntry {
    pub(crate) id: String,
    pub(super) url: Option<String>,
    pub(crate) pid: u32,
    pub(super) state: ReplicaState,
    pub(super) started_at_epoch_seconds: f64,
    #[serde(skip)]
    stop: CancellationToken,
}

#[derive(Debug, Default)]
struct Members {
    /// By number, so that the newest is the last.
    entries: BTreeMap<u64, ReplicaEntry>,
    last_number: u64,
    closed: bool,
}

/// Why a replica could not be started or stopped.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReplicaError {
    #[error("there are {MAX_REPLICAS} replicas already, which is the most that one run starts")]
    TooMany,
    #[error("the run is ending")]
    Closed,
    #[error("there is no replica `{id}`")]
    Unknown { id: String },
    #[error("cannot start a replica: {0}")]
    Spawn(#[from] std::io::Error),
}

/// The replicas of a run; clones are handles to the same set.
#[derive(Clone, Debug)]
pub(super) struct ReplicaSet {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    plan: ReplicaPlan,
    gateway: GatewayAdmin,
    client: HttpClient,
    notices: mpsc::UnboundedSender<Notice>,
    journal: Journal,
    members: Mutex<Members>,
    /// Told whenever an entry changes.
    changed: Notify,
}

impl ReplicaSet {
    pub(super) fn new(
        plan: ReplicaPlan,
        gateway: GatewayAdmin,
        notices: mpsc::UnboundedSender<Notice>,
        journal: Journal,
    ) -> Self {
        let shared = Shared {
            plan,
            gateway,
            client: HttpClient::new(),
            notices,
            journal,
            members: Mutex::default(),
            changed: Notify::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Starts the first replicas and waits until the gateway knows them all.
    pub(super) async fn start_first(&self, count: u32) -> Result<(), String> {
        for _ in 0..count {
            self.start_one().map_err(|error| error.to_string())?;
        }
        let all_running = async {
            loop {
                let changed = self.shared.changed.notified();
                let running = self.list().iter().filter(|entry| entry.state == ReplicaState::Running).count();
                if running >= count as usize {
                    return;
                }
                changed.await;
            }
        };
        tokio::time::timeout(FIRST_START_TIMEOUT, all_running)
            .await
            .map_err(|_| format!("the first {count} replicas did not start within {FIRST_START_TIMEOUT:?}"))
    }

    /// Starts one more replica; it joins the gateway's rotation by itself.
    pub(super) fn start_one(&self) -> Result<ReplicaEntry, ReplicaError> {
        self.start_within(&mut self.shared.members.lock())
    }

    fn start_within(&self, members: &mut Members) -> Result<ReplicaEntry, ReplicaError> {
        if members.closed {
            return Err(ReplicaError::Closed);
        }
        if members.entries.len() >= MAX_REPLICAS {
            return Err(ReplicaError::TooMany);
        }
        let number = members.last_number + 1;
        let id = format!("webapp-{number}");
        let child = ChildProcess::spawn(&id, &self.shared.plan.program, &self.command(&id, members))?;
        let entry = ReplicaEntry {
            id,
            url: None,
            pid: child.pid(),
            state: ReplicaState::Starting,
            started_at_epoch_seconds: epoch_seconds(),
            stop: CancellationToken::new(),
        };
        members.last_number = number;
        members.entries.insert(number, entry.clone());
        tokio::spawn(self.clone().live(number, entry.clone(), child));
        Ok(entry)
    }

    /// Settings of a new replica: its id, and as peers those that have an address and stay.
    fn command(&self, id: &str, members: &Members) -> ChildCommand {
        let peers = members
            .entries
            .values()
            .filter(|entry| entry.state != ReplicaState::Stopping)
            .filter_map(|entry| entry.url.clone())
            .collect();
        let common = self.shared.plan.arguments.clone();
        ChildCommand::Webapp(Box::new(WebappArguments { id: Some(id.to_owned()), peers, ..common }))
    }

    /// Drains and ends the replica with this id, in the background.
    pub(super) fn stop_one(&self, id: &str) -> Result<ReplicaEntry, ReplicaError> {
        let mut members = self.shared.members.lock();
        let entry = members
            .entries
            .values_mut()
            .find(|entry| entry.id == id)
            .ok_or_else(|| ReplicaError::Unknown { id: id.to_owned() })?;
        entry.state = ReplicaState::Stopping;
        entry.stop.cancel();
        Ok(entry.clone())
    }

    /// All replicas, oldest first.
    pub(super) fn list(&self) -> Vec<ReplicaEntry> {
        self.shared.members.lock().entries.values().cloned().collect()
    }

    /// From here on nothing is started or replaced.
    pub(super) fn close(&self) {
        self.shared.members.lock().closed = true;
    }

    /// Ends all replicas and waits until they are gone.
    pub(super) async fn stop_all(&self) {
        self.close();
        loop {
            let changed = self.shared.changed.notified();
            let entries = self.list();
            if entries.is_empty() {
                return;
            }
            for entry in entries {
                entry.stop.cancel();
            }
            changed.await;
        }
    }

    /// The replicas as the gateway should know them.
    pub(super) fn wanted(&self) -> Wanted {
        let mut wanted = Wanted::default();
        for ReplicaEntry { id, url, pid, state, .. } in self.list() {
            match (url, state) {
                (Some(url), ReplicaState::Running) => wanted.running.push(Announced { id, url, pid }),
                (Some(url), ReplicaState::Starting | ReplicaState::Stopping) => wanted.changing.push(url),
                (None, _) => {}
            }
        }
        wanted
    }

    /// One replica from its start to its end.
    async fn live(self, number: u64, entry: ReplicaEntry, mut child: ChildProcess) {
        let began = Instant::now();
        let announced = tokio::select! {
            announced = child.announcement() => announced,
            () = entry.stop.cancelled() => Err("it was stopped before it listened".to_owned()),
        };
        let url = match announced {
            Ok(url) => url,
            Err(problem) => {
                child.stop(Duration::ZERO).await;
                self.ended(number, &entry, &problem, began.elapsed()).await;
                return;
            }
        };
        self.update(number, |entry| entry.url = Some(url.clone()));
        self.introduce(&entry.id, &url).await;
        let announced = Announced { id: entry.id.clone(), url: url.clone(), pid: entry.pid };
        self.announce(&announced, &entry.stop).await;
        self.update(number, |entry| {
            if entry.state == ReplicaState::Starting {
                entry.state = ReplicaState::Running;
            }
        });
        tokio::select! {
            end = child.wait() => {
                // From here on it is not put back where it is missing.
                self.update(number, |entry| entry.state = ReplicaState::Starting);
                self.tell_if(self.shared.gateway.remove(&url, Some(&entry.id)).await.err());
                self.ended(number, &entry, &end, began.elapsed()).await;
            }
            () = entry.stop.cancelled() => {
                // While everything ends the gateway has gone first, and has drained all of them by that.
                if !self.is_closed() {
                    self.tell_if(self.shared.gateway.drain(&announced).await.err());
                }
                child.stop(STOP_GRACE).await;
                self.remove(number);
            }
        }
    }

    /// Starts another replica in the place of one that ended by itself. Until then the dead one stays on the list, as
    /// one that is starting: whoever reads the list would otherwise start one as well.
    async fn ended(&self, number: u64, entry: &ReplicaEntry, end: &str, age: Duration) {
        if entry.stop.is_cancelled() || self.is_closed() {
            self.remove(number);
            return;
        }
        self.update(number, |entry| {
            entry.state = ReplicaState::Starting;
            entry.url = None;
        });
        if age < DIED_YOUNG {
            tokio::select! {
                () = tokio::time::sleep(DIED_YOUNG) => {}
                () = entry.stop.cancelled() => {
                    self.remove(number);
                    return;
                }
            }
        }
        let replacement = {
            let mut members = self.shared.members.lock();
            members.entries.remove(&number);
            let replacement = self.start_within(&mut members);
            // Before the list can be read without it, so that its reader finds why it left.
            self.shared.journal.record(ServiceEvent::ReplicaDied {
                replica: entry.id.clone(),
                end: end.to_owned(),
                replacement: replacement.as_ref().ok().map(|replacement| replacement.id.clone()),
            });
            replacement
        };
        self.shared.changed.notify_waiters();
        match replacement {
            Ok(replacement) => {
                self.tell(format!("{} died ({end}), {} takes its place", entry.id, replacement.id));
            }
            Err(ReplicaError::Closed) => {}
            Err(error) => self.tell(format!("{} died ({end}) and could not be replaced: {error}", entry.id)),
        }
    }

    /// Tells the others of a new replica. It was started with those that had an address by then, and of replicas
    /// that were started at the same time none had.
    async fn introduce(&self, id: &str, url: &str) {
        let greeting = json!({"id": id, "url": url, "version": {"counter": 0, "replica": ""}});
        let others = self.list().into_iter().filter(|other| other.id != id).filter_map(|other| other.url);
        let greetings = others.map(|other| {
            let (client, greeting, target) = (&self.shared.client, &greeting, format!("{other}/peers"));
            async move { client.send_json(Method::POST, &target, greeting, INTRODUCTION_TIMEOUT).await }
        });
        for error in join_all(greetings).await.into_iter().filter_map(Result::err) {
            tracing::debug!(%error, "a replica was not told of a new one; it learns of it from another");
        }
    }

    /// Puts a replica into the gateway's list, however long the gateway takes to come back.
    async fn announce(&self, replica: &Announced, stop: &CancellationToken) {
        while let Err(error) = self.shared.gateway.put(replica).await {
            tracing::debug!(%error, "the gateway does not answer, trying again");
            tokio::select! {
                () = tokio::time::sleep(RETRY) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    fn is_closed(&self) -> bool {
        self.shared.members.lock().closed
    }

    fn update(&self, number: u64, change: impl FnOnce(&mut ReplicaEntry)) {
        if let Some(entry) = self.shared.members.lock().entries.get_mut(&number) {
            change(entry);
        }
        self.shared.changed.notify_waiters();
    }

    fn remove(&self, number: u64) {
        self.shared.members.lock().entries.remove(&number);
        self.shared.changed.notify_waiters();
    }

    fn tell_if(&self, error: Option<ClientError>) {
        if let Some(error) = error
            && !self.is_closed()
        {
            self.tell(format!("the gateway could not be told that a replica goes: {error}"));
        }
    }

    fn tell(&self, text: String) {
        // Nobody listens any more while everything ends.
        let _ending = self.shared.notices.send(Notice(text));
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the supervisor's one look at the wall clock: when a replica started"
)]
fn epoch_seconds() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}
