//! What all users of a run share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use loadgen_baseline::LevelPlan;
use workload::Streams;

use crate::config::{Load, LoadConfig};
use crate::error::LoadError;
use crate::metrics::LoadMetrics;
use crate::recorder::Recorder;
use crate::scenario::Scenario;
use crate::users::client::Client;
use crate::users::exchange::Sender;
use crate::users::gates::Gates;
use crate::users::pacer::Pacer;
use crate::users::phase::PhaseTeller;
use crate::users::schedule::Schedule;
use crate::users::spans::Traces;

/// What all users of a run share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) scenario: Scenario,
    /// Counts what came of their requests.
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) phase: PhaseTeller,
    pub(crate) gates: Gates,
    /// Hands out the slots of the schedule, where there is one.
    pub(crate) pacer: Option<Pacer>,
    pub(crate) sender: Sender,
    pub(crate) streams: Streams,
    /// How many users Goose has started.
    pub(crate) launched: AtomicUsize,
    /// How many requests are unanswered.
    pub(crate) in_flight: AtomicUsize,
}

impl Shared {
    /// For a run of this configuration, which is valid, counted in `metrics`.
    pub(crate) fn new(config: &LoadConfig, metrics: &LoadMetrics) -> Result<Self, LoadError> {
        let scheduled = matches!(config.load, Load::Rate { .. });
        let recorder = Recorder::new(config.scenario.request_names().len(), scheduled);
        Self::with(config, metrics, config.run_time(), recorder)
    }

    /// For one level of a baseline, with the configuration made of its plan.
    pub(crate) fn of_level(
        config: &LoadConfig,
        metrics: &LoadMetrics,
        plan: &LevelPlan,
    ) -> Result<Self, LoadError> {
        let recorder = Recorder::of_level(config.scenario.request_names().len(), plan);
        Self::with(config, metrics, plan.warm_up + plan.hold, recorder)
    }

    /// Nothing is due after `scheduled_until`, counted from when the load is as it should be.
    fn with(
        config: &LoadConfig,
        metrics: &LoadMetrics,
        scheduled_until: Duration,
        recorder: Recorder,
    ) -> Result<Self, LoadError> {
        let service = config.service()?;
        let scenario = config.scenario.clone();
        let kinds = scenario.user_types().len();
        let streams = Streams::from_seed(config.seed);
        let recorder = Arc::new(recorder);
        let pacer = match &config.load {
            Load::Users(_) => None,
            Load::Rate { levels, arrivals, .. } => {
                let weights = scenario.user_types().iter().map(|user_type| user_type.weight).collect();
                let schedule = Schedule::new(levels.clone(), *arrivals, scheduled_until, weights, streams);
                let metrics = metrics.clone();
                Some(Pacer::new(schedule, kinds, config.timeout, Arc::clone(&recorder), metrics))
            }
        };
        let client = Client::new(&service).map_err(|failure| LoadError::Client(failure.reason))?;
        let fixed_urls = scenario.fixed_urls(&service.base);
        Ok(Self {
            recorder,
            phase: PhaseTeller::new(),
            gates: Gates::new(config.pool()),
            pacer,
            sender: Sender {
                client,
                service,
                fixed_urls,
                timeout: config.timeout,
                metrics: metrics.clone(),
                traces: Traces::new(),
                exhausted: AtomicBool::new(false),
            },
            streams,
            launched: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            scenario,
        })
    }

    /// How many users Goose has started.
    pub(crate) fn launched(&self) -> usize {
        self.launched.load(Ordering::Acquire)
    }
}
