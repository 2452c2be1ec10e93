//! `lab up`: the whole loop.

use std::time::Duration;

use clap::Args;
use scaler::policy_file::PolicyOverrides;
use scaler_engine::Policy as _;
use tokio::sync::mpsc;
use webapp::Role;

use super::gateway::GatewayArguments;
use super::scaler::ScalerArguments;
use super::webapp::WebappArguments;
use crate::arguments::defaults;
use crate::arguments::log::LogArguments;
use crate::arguments::physics::PhysicsArguments;
use crate::arguments::policy::PolicyArguments;
use crate::arguments::source::SourceArguments;
use crate::arguments::telemetry::TelemetryArguments;
use crate::arguments::values::listen_address;
use crate::event_stream::{self, ServerSentEvent};
use crate::failure::{ExitStatus, Failure};
use crate::output::say;
use crate::runtime;
use crate::stop_signal::{Hangups, StopSignals};
use crate::supervisor::{Addresses, Notice, Supervisor, SupervisorConfig, usable_here, who_may_change};

/// Run the whole loop on this machine.
///
/// Starts the gateway, the first replicas and the scaler as processes of their own, and starts again what dies. The
/// scaler adds and removes replicas as the policy says; one line is printed for each of its decisions.
///
/// A changed policy file is followed within about 2 s, or at once on SIGHUP; one that cannot be followed leaves the last
/// good policy in force. Settings from flags and the environment stay as they are.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Example:\n  lab up --policy aggressive --max-replicas 8\n  curl http://127.0.0.1:8000/load/spike"
)]
pub(crate) struct UpArguments {
    #[command(flatten)]
    pub(crate) loop_arguments: LoopArguments,
    #[command(flatten)]
    pub(crate) log: LogArguments,
}

/// What `lab up` and `lab demo` have in common.
#[derive(Clone, Debug, Args)]
pub(crate) struct LoopArguments {
    /// Where the gateway takes requests
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8000", value_parser = listen_address)]
    gateway: String,
    /// Where the gateway itself is asked and told
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8001", value_parser = listen_address)]
    admin: String,
    /// Where the scaler's page and API are
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", value_parser = listen_address)]
    page: String,
    /// Host names other than localhost under which the page may be used and changes are taken, separated by commas
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    allowed_hosts: Vec<String>,
    /// Also run a dependency, a database with 8 workers of 20 ms, that every request needs
    #[arg(long)]
    with_dependency: bool,
    /// Where that dependency listens; Prometheus' configuration looks for it there
    #[arg(
        long,
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8002",
        value_parser = listen_address,
        requires = "with_dependency"
    )]
    dependency_address: String,
    #[command(flatten)]
    source: SourceArguments,
    #[command(flatten)]
    pub(crate) policy: PolicyArguments,
    #[command(flatten)]
    pub(crate) physics: PhysicsArguments,
    #[command(flatten)]
    pub(crate) telemetry: TelemetryArguments,
}

/// How long a request waits for the first replica of a service that may have none: until the policy has noticed it and a
/// replica has started.
const WAIT_AT_ZERO: Duration = Duration::from_secs(30);

/// The dependency of `--with-dependency`, a database.
pub(crate) fn dependency() -> WebappArguments {
    WebappArguments {
        id: Some("dependency-1".to_owned()),
        role: Role::Database,
        physics: PhysicsArguments::of_a_dependency(),
        ..defaults()
    }
}

/// The settings of a gateway before a service that starts with so many replicas.
fn gateway_before(replicas: u32) -> GatewayArguments {
    let gateway: GatewayArguments = defaults();
    match replicas {
        0 => GatewayArguments { endpoint_wait: WAIT_AT_ZERO, ..gateway },
        _ => gateway,
    }
}

impl LoopArguments {
    /// Checks policy, physics and traces, so that a mistake is found before anything starts.
    pub(crate) fn supervisor_config(
        &self,
        log: &LogArguments,
        overrides: &PolicyOverrides,
    ) -> Result<SupervisorConfig, Failure> {
        let replicas = self.policy.load(overrides)?.policy.limits().min();
        self.physics.config(Role::Webapp).validate().map_err(Failure::bad_input)?;
        self.telemetry.check()?;
        let (telemetry, log) = (self.telemetry.clone(), log.clone());
        let allowed_hosts = self.allowed_hosts.clone();
        Ok(SupervisorConfig {
            addresses: Addresses {
                gateway: self.gateway.clone(),
                admin: self.admin.clone(),
                page: self.page.clone(),
                dependency: self.with_dependency.then(|| self.dependency_address.clone()),
            },
            gateway: GatewayArguments {
                listen: self.gateway.clone(),
                admin: self.admin.clone(),
                allowed_hosts: allowed_hosts.clone(),
                telemetry: telemetry.clone(),
                log: log.clone(),
                ..gateway_before(replicas)
            },
            replica: WebappArguments {
                physics: self.physics.clone(),
                // The gateway has drained a replica before it is told to stop; it need not wait for that again.
                drain_wait: Duration::ZERO,
                allowed_hosts: allowed_hosts.clone(),
                telemetry: telemetry.clone(),
                log: log.clone(),
                ..defaults()
            },
            dependency: self.with_dependency.then(|| WebappArguments {
                listen: self.dependency_address.clone(),
                allowed_hosts: allowed_hosts.clone(),
                telemetry: telemetry.clone(),
                log: log.clone(),
                ..dependency()
            }),
            scaler: ScalerArguments {
                listen: self.page.clone(),
                policy: self.policy.overridden(overrides),
                source: self.source.resolved()?,
                allowed_hosts,
                telemetry,
                log,
                ..defaults()
            },
            replicas,
        })
    }
}

pub(crate) fn run(arguments: UpArguments) -> Result<ExitStatus, Failure> {
    let log = arguments.log.clone();
    runtime::run(&log, async move {
        let overrides = arguments.loop_arguments.policy.overrides()?;
        let config = arguments.loop_arguments.supervisor_config(&arguments.log, &overrides)?;
        let mut signals = StopSignals::catch()?;
        let mut hangups = Hangups::catch()?;
        let (notices, mut happenings) = mpsc::unbounded_channel();
        let starting = Supervisor::start(config, notices);
        let supervisor = tokio::select! {
            started = starting => started?,
            // Dropping what has begun ends it: every process is killed with its handle.
            () = signals.next() => return Ok(ExitStatus::Held),
        };
        let loop_arguments = &arguments.loop_arguments;
        greet(&supervisor, loop_arguments.policy.name(), &loop_arguments.allowed_hosts);

        let (events, mut decided) = mpsc::unbounded_channel();
        tokio::spawn(event_stream::follow(format!("{}/api/events", supervisor.addresses().page), events));
        loop {
            tokio::select! {
                Some(Notice(text)) = happenings.recv() => say(&format!("! {text}")),
                Some(event) = decided.recv() => tell_decision(&event),
                () = hangups.next() => say(&format!("! SIGHUP: {}", supervisor.reload_policy())),
                () = signals.next() => break,
            }
        }
        say("stopping …");
        tokio::select! {
            () = supervisor.stop() => say("stopped"),
            () = signals.next() => say("ended at once"),
        }
        Ok(ExitStatus::Held)
    })
}

fn greet(supervisor: &Supervisor, policy: &str, allowed_hosts: &[String]) {
    let Addresses { gateway, admin, page, dependency } = supervisor.addresses();
    let dependency =
        dependency.as_ref().map(|url| format!("  dependency {}\n", usable_here(url))).unwrap_or_default();
    let others = who_may_change(page, allowed_hosts);
    let [gateway, admin, page] = [gateway, admin, page].map(|url| usable_here(url));
    let processes: Vec<String> =
        supervisor.processes().into_iter().map(|(name, pid)| format!("{name} ({pid})")).collect();
    say(&format!(
        "Autoscale Lab is running, with policy `{policy}`.\n\n  \
         service    {gateway}\n  \
         endpoints  {admin}/endpoints\n  \
         scaler     {page}\n\
         {dependency}  processes  {}\n\n\
         Try in a second terminal:\n  \
         curl {gateway}/load/spike      # five times the load for two minutes: watch it scale\n  \
         curl {admin}/endpoints       # who is in rotation\n  \
         open {page} in a browser     # curves, replicas and decisions, live\n{others}\n\
         Ctrl-C ends everything. A line for each decision follows.\n",
        processes.join(", ")
    ));
}

fn tell_decision(event: &ServerSentEvent) {
    if event.name != "decision" {
        return;
    }
    let Ok(decision) = serde_json::from_str::<serde_json::Value>(&event.data) else { return };
    let text = |field: &str| decision[field].as_str().unwrap_or_default().to_owned();
    say(&format!(
        "{}  {:<4}  {} -> {}  {}",
        text("at").get(11..19).unwrap_or_default(),
        text("action"),
        decision["from"],
        decision["to"],
        text("reason_text"),
    ));
}
