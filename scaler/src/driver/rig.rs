//! A driver with a service that only pretends: its value, count and failures are what the test says.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use scaler_engine::{ControlLoop, Engine, Reading, ReplicaObservation, ResourceRequests, Signal};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::command::{ByHandOutcome, Command, CommandError};
use super::{Driver, DriverParts, Published};
use crate::actuators::{Actuator, ActuatorError, Listing, ReplicaEntry, ScaleReport};
use crate::clock::Clock;
use crate::policy_file::{NamedPolicy, PolicyOverrides};
use crate::sighting::{Looking, keep_looking};
use crate::sources::{Endpoint, EndpointState, Sample, ScrapeCount, Source, Wanted};
use crate::state_file::StateFile;
use crate::status::{DecisionStatus, Status};

/// What is pretended.
#[derive(Debug)]
pub(crate) struct Pretence {
    /// Mean response time; none for no data.
    pub(crate) value: Option<f64>,
    /// Replicas that exist.
    pub(crate) count: u32,
    /// Whether the platform refuses to scale.
    pub(crate) refuses: bool,
    /// Whether the platform does not tell its replicas.
    pub(crate) is_hidden: bool,
    /// Whether decisions are to be carried out.
    pub(crate) acts: bool,
    /// What somebody else makes of the count during the next action.
    pub(crate) interference: Option<u32>,
    /// How long an action takes.
    pub(crate) takes: Duration,
    /// How long a look takes; the count is of its beginning.
    pub(crate) look_takes: Duration,
    /// Counts that were asked for.
    pub(crate) orders: Vec<u32>,
    /// How long the gateway has not said which replicas are in rotation.
    pub(crate) rotation_unknown_for: Option<Duration>,
    /// What the source measures over.
    pub(crate) window: Duration,
}

impl Default for Pretence {
    fn default() -> Self {
        Self {
            value: Some(0.4),
            count: 1,
            refuses: false,
            is_hidden: false,
            acts: true,
            interference: None,
            takes: Duration::from_millis(80),
            look_takes: Duration::from_millis(5),
            orders: Vec::new(),
            rotation_unknown_for: None,
            window: Duration::from_secs(30),
        }
    }
}

#[derive(Clone, Debug)]
struct FakeService(Arc<Mutex<Pretence>>);

impl Source for FakeService {
    fn sample(&mut self) -> BoxFuture<'_, Sample> {
        let pretence = self.0.lock().unwrap();
        let signal = Signal::ResponseTimeMeanSeconds;
        let url = |index: u32| format!("http://127.0.0.1:{}", 9000 + index);
        let replica = |index: u32| ReplicaObservation {
            id: url(index),
            ready: true,
            signals: [(signal, pretence.value)].into(),
            ..ReplicaObservation::default()
        };
        let endpoint = |index: u32| Endpoint {
            url: url(index),
            state: EndpointState::Ready,
            in_flight: 1,
            ewma_ms: Some(50.0),
            pid: Some(index),
        };
        let sample = Sample {
            window: pretence.window,
            service: pretence.value.map(|value| (signal, Reading::fresh(value))).into_iter().collect(),
            replicas: (1..=pretence.count).map(replica).collect(),
            endpoints: (1..=pretence.count).map(endpoint).collect(),
            rotation_unknown_for: pretence.rotation_unknown_for,
            standstill: None,
            load_factor: Some(1.0),
            scrapes: ScrapeCount { ok: pretence.count, failed: 0, took: Duration::from_millis(5) },
            list_age: Some(Duration::ZERO),
            spacing: Duration::from_secs(1),
            ..Sample::default()
        };
        let look_takes = pretence.look_takes;
        async move {
            tokio::time::sleep(look_takes).await;
            sample
        }
        .boxed()
    }

    fn set_wanted(&mut self, wanted: Wanted) {
        self.0.lock().unwrap().window = wanted.window();
    }
}

impl Actuator for FakeService {
    fn observe(&self) -> BoxFuture<'_, Result<Listing, ActuatorError>> {
        let pretence = self.0.lock().unwrap();
        let entry = |index: u32| ReplicaEntry {
            id: format!("webapp-{index}"),
            url: None,
            pid: Some(index),
            ..ReplicaEntry::default()
        };
        let listed = if pretence.is_hidden {
            Err(ActuatorError::Platform("hidden".to_owned()))
        } else if pretence.acts {
            Ok(Listing::of_each((1..=pretence.count).map(entry).collect()))
        } else {
            Ok(Listing::default())
        };
        async move { listed }.boxed()
    }

    fn scale_to(&self, asked: u32) -> BoxFuture<'_, ScaleReport> {
        async move {
            let took = self.0.lock().unwrap().takes;
            tokio::time::sleep(took).await;
            let mut pretence = self.0.lock().unwrap();
            pretence.orders.push(asked);
            let before = Some(pretence.count);
            if pretence.refuses {
                let problem = Some(ActuatorError::Platform("no port is free".to_owned()));
                return ScaleReport { before, asked, after: before, took, did: Vec::new(), problem };
            }
            if let Some(found) = pretence.interference.take() {
                pretence.count = found;
                let problem = Some(ActuatorError::Platform(format!("{found} were found")));
                return ScaleReport { before, asked, after: Some(found), took, did: Vec::new(), problem };
            }
            pretence.count = asked;
            ScaleReport { before, asked, after: Some(asked), took, did: Vec::new(), problem: None }
        }
        .boxed()
    }

    fn acts(&self) -> bool {
        self.0.lock().unwrap().acts
    }
}

/// A running driver.
pub(crate) struct Rig {
    pub(crate) pretence: Arc<Mutex<Pretence>>,
    pub(crate) published: Arc<Published>,
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) stop: CancellationToken,
    started_at: Duration,
    driving: JoinHandle<()>,
}

impl Rig {
    /// A driver of the default policy, with this engine if one is given.
    pub(crate) fn start(pretence: Pretence, engine: Option<Engine>, state_file: Option<StateFile>) -> Self {
        let pretence = Arc::new(Mutex::new(pretence));
        let service = FakeService(pretence.clone());
        let actuator: Arc<dyn Actuator> = Arc::new(service.clone());
        let policy = NamedPolicy::load("moderate", &PolicyOverrides::default()).unwrap();
        let clock = Clock::start();
        let published = Arc::new(Published::new(None));
        let stop = CancellationToken::new();
        let (sightings, seen) = watch::channel(None);
        let (commands, asked) = mpsc::channel(4);
        let every = Duration::from_secs(1);
        let (wanted, asked_for) = watch::channel(Wanted::of(&policy.policy));
        tokio::spawn(keep_looking(
            Box::new(service),
            actuator.clone(),
            clock,
            Looking { every, wanted: asked_for, requests: ResourceRequests::default() },
            sightings,
            stop.clone(),
        ));
        let driver = Driver::new(DriverParts {
            service: "webapp".to_owned(),
            control: ControlLoop::new(
                engine.unwrap_or_else(|| Engine::new(policy.policy.clone())),
                actuator.acts(),
            ),
            policy,
            source_name: "fake",
            actuator_name: "fake",
            actuator,
            state_file,
            clock,
            published: published.clone(),
            looks_each: every,
            wanted,
        });
        let driving = tokio::spawn(driver.run(seen, asked, stop.clone()));
        Self { pretence, published, commands, stop, started_at: clock.now(), driving }
    }

    /// Changes what is pretended.
    pub(crate) fn pretend(&self, change: impl FnOnce(&mut Pretence)) {
        change(&mut self.pretence.lock().unwrap());
    }

    pub(crate) fn status(&self) -> Arc<Status> {
        self.published.status.borrow().clone()
    }

    /// The decisions so far, oldest first.
    pub(crate) fn decisions(&self) -> Vec<DecisionStatus> {
        let mut decisions = self.published.history(|history| history.decisions());
        decisions.reverse();
        decisions
    }

    /// The decisions so far as `seconds since the start, action, count, reason`.
    pub(crate) fn told(&self) -> Vec<String> {
        // To the nearest second, half a one downwards.
        let seconds = |decision: &DecisionStatus| {
            (decision.at.saturating_sub(self.started_at).as_millis() + 499) / 1000
        };
        let tell = |decision: &DecisionStatus| {
            format!("{}s {} {} {}", seconds(decision), decision.action.name(), decision.to, decision.reason)
        };
        self.decisions().iter().map(tell).collect()
    }

    pub(crate) async fn set_by_hand(&self, asked: u32) -> Result<ByHandOutcome, CommandError> {
        let (answer, answered) = oneshot::channel();
        self.commands.send(Command::SetReplicas { asked, answer }).await.unwrap();
        answered.await.unwrap()
    }

    /// Waits, bounded, until the status is as wanted.
    pub(crate) async fn until(&self, wanted: impl Fn(&Status) -> bool) {
        let mut status = self.published.status.subscribe();
        tokio::time::timeout(Duration::from_secs(60), status.wait_for(|status| wanted(status)))
            .await
            .expect("the status never became what was waited for")
            .unwrap();
    }

    /// Stops the driver and waits for its end.
    pub(crate) async fn end(self) {
        self.stop.cancel();
        self.driving.await.unwrap();
    }
}
