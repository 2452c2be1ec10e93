//! Turns a configuration into a Goose attack that leaves the process alone and reports to our recorder.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use goose::GooseAttack;
use goose::GooseError;
use goose::client::GooseClientBuilder;
use goose::config::GooseConfiguration;
use goose::goose::{
    GooseUser, Scenario as GooseScenario, Transaction, TransactionFunction, TransactionResult,
};
use tokio::sync::watch;
use workload::{Stream, Streams};

use crate::config::LoadConfig;
use crate::exchange::{Exchange, Outcome, exchange};
use crate::metrics::LoadMetrics;
use crate::recorder::Recorder;
use crate::report;
use crate::scenario::{Action, UserType};

/// The shortest ramp-up that Goose is given: it wants a rate, and "all at once" is none.
const SHORTEST_RAMP_UP: Duration = Duration::from_millis(100);

/// Sent with every request.
const USER_AGENT: &str = concat!("autoscale-lab-loadgen/", env!("CARGO_PKG_VERSION"));

/// What all users of a run share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Counts what came of their requests.
    pub(crate) recorder: Recorder,
    /// Turns true when requests that are still unanswered are given up.
    pub(crate) give_up: watch::Sender<bool>,
    metrics: LoadMetrics,
    streams: Streams,
    /// Whether Goose writes reports and so wants to know of each request.
    goose_reports: bool,
}

impl Shared {
    /// For a run of this configuration.
    pub(crate) fn new(config: &LoadConfig) -> Self {
        let user_types = config.scenario.user_types();
        let names = user_types.iter().flat_map(|user_type| user_type.actions.iter().map(Action::name));
        Self {
            recorder: Recorder::new(config.users, config.run_time, names),
            give_up: watch::Sender::new(false),
            metrics: config.metrics.clone(),
            streams: Streams::from_seed(config.seed),
            goose_reports: config.reports.iter().any(|path| report::is_by_goose(path)),
        }
    }
}

/// The random stream of one user, kept in its Goose session.
#[derive(Clone, Debug)]
struct UserStream(Stream);

/// The attack, ready to be executed.
pub(crate) fn build(config: &LoadConfig, shared: &Arc<Shared>) -> Result<GooseAttack, GooseError> {
    let configuration = GooseConfiguration::parse_args_default(&arguments(config))?;
    // One client for all: 100,000 clients of their own would cost minutes to build and gigabytes to keep. Users who
    // act at the same time still have a connection each.
    let client = GooseClientBuilder::new().without_cookies().timeout(config.timeout).user_agent(USER_AGENT);
    let mut attack =
        GooseAttack::initialize_with_config(configuration)?.set_client_builder_without_cookies(client)?;
    for user_type in config.scenario.user_types() {
        attack = attack.register_scenario(scenario(user_type, shared)?);
    }
    Ok(attack)
}

/// Goose's settings: its own process-wide habits off, its numbers only where it writes a report.
fn arguments(config: &LoadConfig) -> Vec<String> {
    let ramp_up = config.ramp_up.max(SHORTEST_RAMP_UP);
    // Goose counts in whole seconds from the end of the ramp-up; our window is over by then.
    let run_time_seconds = config.run_time.as_secs() + u64::from(config.run_time.subsec_nanos() > 0);
    let mut arguments = vec![
        format!("--host={}", config.host),
        format!("--users={}", config.users),
        format!("--increase-rate={}", config.users as f64 / ramp_up.as_secs_f64()),
        format!("--run-time={run_time_seconds}"),
        "--no-telnet".to_owned(),
        "--no-print-metrics".to_owned(),
        "--no-transaction-metrics".to_owned(),
        "--no-scenario-metrics".to_owned(),
        "--quiet".to_owned(),
    ];
    let by_goose: Vec<_> = config
        .reports
        .iter()
        .filter(|path| report::is_by_goose(path))
        .filter_map(|path| Path::to_str(path))
        .map(|path| format!("--report-file={path}"))
        .collect();
    if by_goose.is_empty() {
        arguments.push("--no-metrics".to_owned());
    }
    arguments.extend(by_goose);
    arguments
}

/// One user type as Goose runs it: a single transaction, in which the user itself chooses what to do.
fn scenario(user_type: UserType, shared: &Arc<Shared>) -> Result<GooseScenario, GooseError> {
    let (starting, stopping, acting) = (Arc::clone(shared), Arc::clone(shared), Arc::clone(shared));
    let start: TransactionFunction = Arc::new(move |user| {
        let shared = Arc::clone(&starting);
        Box::pin(async move {
            let stream = shared.streams.stream(&format!("user-{}", number_of(user)));
            user.set_session_data(UserStream(stream));
            shared.metrics.user_started();
            shared.recorder.user_started(Instant::now());
            Ok(())
        })
    });
    let stop: TransactionFunction = Arc::new(move |_user| {
        let shared = Arc::clone(&stopping);
        Box::pin(async move {
            shared.metrics.user_stopped();
            shared.recorder.user_stopped();
            Ok(())
        })
    });
    let (name, pause_min, pause_max) = (user_type.name, user_type.pause_min, user_type.pause_max);
    let user_type = Arc::new(user_type);
    let act: TransactionFunction = Arc::new(move |user| {
        let (shared, user_type) = (Arc::clone(&acting), Arc::clone(&user_type));
        Box::pin(async move { act(user, &user_type, &shared).await })
    });
    GooseScenario::new(name)
        .register_transaction(Transaction::new(start).set_on_start())
        .register_transaction(Transaction::new(act).set_name(name))
        .register_transaction(Transaction::new(stop).set_on_stop())
        .set_wait_time(pause_min, pause_max)
}

/// Users count from 1.
fn number_of(user: &GooseUser) -> u64 {
    user.weighted_users_index as u64 + 1
}

/// The user does one thing.
async fn act(user: &mut GooseUser, user_type: &UserType, shared: &Shared) -> TransactionResult {
    // Goose takes up to a second to stop its users; what they do after the end counts for nothing.
    if shared.recorder.end().is_some_and(|end| end <= Instant::now()) {
        return Ok(());
    }
    let number = number_of(user);
    let Some(UserStream(stream)) = user.get_session_data_mut::<UserStream>() else {
        return Err("a user acts before it has started".into());
    };
    let action = user_type.choose(stream);
    let body = action.body(stream, number);
    let mut give_up = shared.give_up.subscribe();
    let exchange = tokio::select! {
        exchange = exchange(user, action, body.as_ref(), &shared.metrics) => exchange,
        // An error means that the run is over and gone, too.
        _ = give_up.wait_for(|&give_up| give_up) => return Ok(()),
    };
    shared.recorder.record(&action.name(), &exchange);
    if shared.goose_reports { tell_goose(user, action, &exchange).await } else { Ok(()) }
}

/// Feeds Goose's reports: what has no response time goes under a name of its own, out of the others' percentiles.
async fn tell_goose(user: &mut GooseUser, action: &Action, exchange: &Exchange) -> TransactionResult {
    let (suffix, error) = match exchange.outcome {
        Outcome::Succeeded => ("", None),
        Outcome::Refused => (" (refused)", Some("503 with Retry-After".to_owned())),
        Outcome::Failed(kind) if exchange.outcome.has_latency() => ("", Some(kind.to_string())),
        Outcome::Failed(kind) => (" (no answer)", Some(kind.to_string())),
    };
    user.record_custom_request_duration(
        &action.method.to_string(),
        &format!("{}{suffix}", action.path),
        exchange.duration,
        error.is_none(),
        exchange.status,
        error.as_deref(),
    )
    .await
}
