//! Makes of a configuration a Goose attack that leaves the process alone, and what all its users share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use goose::GooseAttack;
use goose::GooseError;
use goose::client::GooseClientBuilder;
use goose::config::GooseConfiguration;
use goose::goose::{Scenario as GooseScenario, Transaction, TransactionFunction};
use loadgen_baseline::LevelPlan;
use workload::Streams;

use crate::client::Client;
use crate::config::{Load, LoadConfig};
use crate::error::LoadError;
use crate::exchange::Sender;
use crate::gates::Gates;
use crate::pacer::Pacer;
use crate::phase::PhaseTeller;
use crate::player::Player;
use crate::recorder::Recorder;
use crate::scenario::{Scenario, UserType};
use crate::schedule::Schedule;
use crate::spans::Traces;

/// Goose starts so many users a second; all wait until they are let in.
const LAUNCHES_PER_SECOND: usize = 1_000_000;

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
    /// For a run of this configuration, which is valid.
    pub(crate) fn new(config: &LoadConfig) -> Result<Self, LoadError> {
        let scheduled = matches!(config.load, Load::Rate { .. });
        let recorder = Recorder::new(config.scenario.request_names().len(), scheduled);
        Self::with(config, config.run_time(), recorder)
    }

    /// For one level of a baseline, with the configuration made of its plan.
    pub(crate) fn of_level(config: &LoadConfig, plan: &LevelPlan) -> Result<Self, LoadError> {
        let recorder = Recorder::of_level(config.scenario.request_names().len(), plan);
        Self::with(config, plan.warm_up + plan.hold, recorder)
    }

    /// Nothing is due after `scheduled_until`, counted from when the load is as it should be.
    fn with(config: &LoadConfig, scheduled_until: Duration, recorder: Recorder) -> Result<Self, LoadError> {
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
                let metrics = config.metrics.clone();
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
                metrics: config.metrics.clone(),
                traces: Traces::new(),
                exhausted: AtomicBool::new(false),
            },
            streams,
            launched: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            scenario,
        })
    }
}

/// The attack, ready to be executed.
pub(crate) fn build(config: &LoadConfig, shared: &Arc<Shared>) -> Result<GooseAttack, GooseError> {
    let arguments = [
        // Goose is never asked to send anything, but wants a host.
        format!("--host={}", shared.sender.service.text),
        format!("--users={}", config.pool()),
        format!("--increase-rate={LAUNCHES_PER_SECOND}"),
        "--no-telnet".to_owned(),
        "--no-print-metrics".to_owned(),
        "--no-metrics".to_owned(),
        "--quiet".to_owned(),
    ];
    let configuration = GooseConfiguration::parse_args_default(&arguments)?;
    // Goose's own clients are not used; one for all is the cheapest to build.
    let mut attack = GooseAttack::initialize_with_config(configuration)?
        .set_client_builder_without_cookies(GooseClientBuilder::new().without_cookies())?;
    for (kind, user_type) in shared.scenario.user_types().iter().enumerate() {
        attack = attack.register_scenario(scenario(kind, user_type, config, shared)?);
    }
    Ok(attack)
}

/// One kind of user as Goose runs it: a single transaction, in which the user itself chooses what to do.
fn scenario(
    kind: usize,
    user_type: &UserType,
    config: &LoadConfig,
    shared: &Arc<Shared>,
) -> Result<GooseScenario, GooseError> {
    let starting = Arc::clone(shared);
    let start: TransactionFunction = Arc::new(move |user| {
        let shared = Arc::clone(&starting);
        Box::pin(async move {
            let player = Player::new(&shared, kind, user);
            user.set_session_data(player);
            shared.launched.fetch_add(1, Ordering::Release);
            Ok(())
        })
    });
    let act: TransactionFunction = Arc::new(move |user| {
        Box::pin(async move {
            if let Some(player) = user.get_session_data_mut::<Player>() {
                player.act().await;
            }
            Ok(())
        })
    });
    let stop: TransactionFunction = Arc::new(move |user| {
        Box::pin(async move {
            if let Some(player) = user.get_session_data_mut::<Player>() {
                player.leave().await;
            }
            Ok(())
        })
    });
    // With a schedule each kind has as many users, and the schedule knows the shares: few users of a rare kind could
    // be none.
    let weight = match config.load {
        Load::Users(_) => user_type.weight as usize,
        Load::Rate { .. } => 1,
    };
    GooseScenario::new(&user_type.name)
        .register_transaction(Transaction::new(start).set_on_start())
        .register_transaction(Transaction::new(act).set_name("act"))
        .register_transaction(Transaction::new(stop).set_on_stop())
        .set_weight(weight)
}
