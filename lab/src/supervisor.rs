//! Keeps the loop running: starts gateway, replicas and scaler as processes, restarts what dies, ends all in order.
//!
//! The scaler's actuator asks it over a socket in the run's own folder to start or stop replicas, and it tells the
//! gateway who comes and goes. It decides nothing about how many replicas there should be.

mod addresses;
mod gateway_admin;
mod journal;
mod kept_process;
mod reconciliation;
mod replica_set;
mod run_folder;
mod socket;
mod usable_here;

use std::time::Duration;

use http_client::{HttpClient, Reply};
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use crate::arguments::actuator::ActuatorArguments;
use crate::child_command::ChildCommand;
use crate::commands::gateway::GatewayArguments;
use crate::commands::scaler::ScalerArguments;
use crate::commands::webapp::WebappArguments;
use crate::failure::Failure;

use addresses::parse_announcement;
pub(crate) use addresses::{Addresses, check_free};
use gateway_admin::GatewayAdmin;
use journal::Journal;
use kept_process::KeptProcess;
use replica_set::{ReplicaPlan, ReplicaSet};
use run_folder::RunFolder;
pub(crate) use usable_here::{usable_here, who_may_change};

/// Longest that gateway and scaler may take to end; the gateway finishes what is in flight.
const STOP_GRACE: Duration = Duration::from_secs(12);

/// Longest that the scaler may take until it has seen the service for the first time.
const READY_TIMEOUT: Duration = Duration::from_secs(10);

/// What to run.
#[derive(Clone, Debug)]
pub(crate) struct SupervisorConfig {
    /// Where the gateway, its admin side, the scaler and the dependency listen, as `host:port`.
    pub(crate) addresses: Addresses,
    /// The gateway, with where it listens.
    pub(crate) gateway: GatewayArguments,
    /// Every replica; each gets an id, peers and the dependency besides.
    pub(crate) replica: WebappArguments,
    /// The dependency, where there is to be one.
    pub(crate) dependency: Option<WebappArguments>,
    /// The scaler, with where it listens; it gets the gateway, the actuator and the state file besides.
    pub(crate) scaler: ScalerArguments,
    /// Replicas at the start.
    pub(crate) replicas: u32,
}

/// Something that happened to a process, for whoever watches.
#[derive(Clone, Debug)]
pub(crate) struct Notice(pub(crate) String);

/// The running loop.
#[derive(Debug)]
pub(crate) struct Supervisor {
    addresses: Addresses,
    gateway: KeptProcess,
    scaler: KeptProcess,
    dependency: Option<KeptProcess>,
    replicas: ReplicaSet,
    _socket: AbortOnDropHandle<()>,
    _reconciliation: AbortOnDropHandle<()>,
    _folder: RunFolder,
}

impl Supervisor {
    /// Starts everything and returns when the first replicas are in the gateway's rotation and the scaler answers.
    /// When a part cannot start, what was started before it is ended.
    pub(crate) async fn start(
        config: SupervisorConfig,
        notices: mpsc::UnboundedSender<Notice>,
    ) -> Result<Self, Failure> {
        let program = std::env::current_exe()
            .map_err(|error| Failure::could_not_run(format!("cannot find the lab's own binary: {error}")))?;
        check_free(&config.addresses)?;
        let folder = RunFolder::create()?;
        let journal = Journal::default();
        let start = async |name: &'static str, command: ChildCommand| {
            KeptProcess::start(name, &program, command, (notices.clone(), journal.clone()))
                .await
                .map_err(Failure::could_not_run)
        };

        let gateway = start("gateway", ChildCommand::Gateway(Box::new(config.gateway))).await?;
        let (service, admin) = parse_announcement(&gateway.announcement()).map_err(Failure::could_not_run)?;
        let dependency = match config.dependency {
            Some(dependency) => Some(start("dependency", ChildCommand::Webapp(Box::new(dependency))).await?),
            None => None,
        };
        let plan = ReplicaPlan {
            program: program.clone(),
            arguments: WebappArguments {
                dependency: dependency.as_ref().map(KeptProcess::announcement),
                ..config.replica
            },
        };
        let gateway_admin = GatewayAdmin::new(&admin);
        let replicas = ReplicaSet::new(plan, gateway_admin.clone(), notices.clone(), journal.clone());
        let socket = socket::serve(&folder.socket(), replicas.clone(), journal.clone())?;
        let reconciliation =
            tokio::spawn(reconciliation::run(gateway_admin, replicas.clone(), gateway.restarts()));
        let (socket, reconciliation) =
            (AbortOnDropHandle::new(socket), AbortOnDropHandle::new(reconciliation));
        replicas.start_first(config.replicas).await.map_err(Failure::could_not_run)?;

        let scaler = ScalerArguments {
            gateway: service.clone(),
            gateway_admin: admin.clone(),
            actuator: ActuatorArguments::processes(folder.socket()),
            state: Some(folder.path().join("scaler-state.json")),
            ..config.scaler
        };
        let scaler = start("scaler", ChildCommand::Scaler(Box::new(scaler))).await?;
        let (page, _) = parse_announcement(&scaler.announcement()).map_err(Failure::could_not_run)?;
        wait_until_ready(&page).await?;
        let addresses = Addresses {
            gateway: service,
            admin,
            page,
            dependency: dependency.as_ref().map(KeptProcess::announcement),
        };
        Ok(Self {
            addresses,
            gateway,
            scaler,
            dependency,
            replicas,
            _socket: socket,
            _reconciliation: reconciliation,
            _folder: folder,
        })
    }

    /// Base URLs of gateway, its admin side, the scaler and the dependency.
    pub(crate) fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Name and process id of everything that runs.
    pub(crate) fn processes(&self) -> Vec<(String, u32)> {
        let kept = [Some(&self.gateway), Some(&self.scaler), self.dependency.as_ref()];
        kept.into_iter()
            .flatten()
            .map(|process| (process.name().to_owned(), process.pid()))
            .chain(self.replicas.list().into_iter().map(|replica| (replica.id, replica.pid)))
            .collect()
    }

    /// Has the scaler read its policy again, and says in words whether that was passed on.
    pub(crate) fn reload_policy(&self) -> String {
        let pid = i32::try_from(self.scaler.pid()).ok().and_then(Pid::from_raw);
        match pid.map(|pid| kill_process(pid, Signal::HUP)) {
            Some(Ok(())) => "the scaler reads its policy again".to_owned(),
            Some(Err(error)) => format!("the scaler could not be asked to read its policy again: {error}"),
            None => "the scaler is not running; it reads its policy when it starts".to_owned(),
        }
    }

    /// Ends the scaler, so that nobody decides any more; then the gateway, which finishes what is in flight; then
    /// replicas and dependency.
    pub(crate) async fn stop(self) {
        self.replicas.close();
        self.scaler.stop(STOP_GRACE).await;
        self.gateway.stop(STOP_GRACE).await;
        self.replicas.stop_all().await;
        if let Some(dependency) = self.dependency {
            dependency.stop(STOP_GRACE).await;
        }
    }
}

/// The scaler is ready once it has seen the service.
async fn wait_until_ready(page: &str) -> Result<(), Failure> {
    let (client, url) = (HttpClient::new(), format!("{page}/ready"));
    let until = Instant::now() + READY_TIMEOUT;
    loop {
        let Err(problem) = client.get(&url, READY_TIMEOUT).await.and_then(Reply::ok) else {
            return Ok(());
        };
        if Instant::now() > until {
            return Err(Failure::could_not_run(format!("the scaler saw no service in time: {problem}")));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
