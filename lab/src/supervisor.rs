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

use std::path::{Path, PathBuf};
use std::time::Duration;

use http_client::{HttpClient, Reply};
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

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
    /// Flags of `lab webapp` for every replica.
    pub(crate) replica_flags: Vec<String>,
    /// Flags of `lab webapp` for the dependency, where the addresses have one.
    pub(crate) dependency_flags: Vec<String>,
    /// Flags of `lab scaler` that name the policy.
    pub(crate) policy_flags: Vec<String>,
    /// Flags of `lab scaler` that name the source of its signals.
    pub(crate) source_flags: Vec<String>,
    /// Host names other than localhost under which the page may be used and changes are taken.
    pub(crate) allowed_hosts: Vec<String>,
    /// Flags of logs and traces for every process.
    pub(crate) telemetry_flags: Vec<String>,
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
        let start = |name: &'static str, arguments: Vec<String>| {
            let (program, telemetry, notices, journal) =
                (program.clone(), config.telemetry_flags.clone(), notices.clone(), journal.clone());
            async move {
                let arguments = arguments.into_iter().chain(telemetry).collect();
                KeptProcess::start(name, &program, arguments, (notices, journal))
                    .await
                    .map_err(Failure::could_not_run)
            }
        };

        let gateway = start("gateway", gateway_arguments(&config)).await?;
        let (service, admin) = parse_announcement(&gateway.announcement()).map_err(Failure::could_not_run)?;
        let dependency = match &config.addresses.dependency {
            Some(address) => Some(start("dependency", dependency_arguments(address, &config)).await?),
            None => None,
        };
        let plan = ReplicaPlan {
            program: program.clone(),
            flags: replica_flags(&config, dependency.as_ref().map(KeptProcess::announcement)),
        };
        let gateway_admin = GatewayAdmin::new(&admin);
        let replicas = ReplicaSet::new(plan, gateway_admin.clone(), notices.clone(), journal.clone());
        let socket = socket::serve(&folder.socket(), replicas.clone(), journal.clone())?;
        let reconciliation =
            tokio::spawn(reconciliation::run(gateway_admin, replicas.clone(), gateway.restarts()));
        let (socket, reconciliation) =
            (AbortOnDropHandle::new(socket), AbortOnDropHandle::new(reconciliation));
        replicas.start_first(config.replicas).await.map_err(Failure::could_not_run)?;

        let arguments = scaler_arguments(&config, &folder.socket(), folder.path(), &service, &admin);
        let scaler = start("scaler", arguments).await?;
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

fn gateway_arguments(config: &SupervisorConfig) -> Vec<String> {
    let Addresses { gateway, admin, .. } = &config.addresses;
    let fixed = ["gateway", "--listen", gateway, "--admin", admin].map(str::to_owned);
    fixed.into_iter().chain(allowed_hosts_flag(&config.allowed_hosts)).collect()
}

fn dependency_arguments(address: &str, config: &SupervisorConfig) -> Vec<String> {
    let fixed = ["webapp", "--id", "dependency-1", "--listen", address].map(str::to_owned);
    fixed
        .into_iter()
        .chain(config.dependency_flags.iter().cloned())
        .chain(allowed_hosts_flag(&config.allowed_hosts))
        .collect()
}

fn replica_flags(config: &SupervisorConfig, dependency: Option<String>) -> Vec<String> {
    let mut flags = config.replica_flags.clone();
    if let Some(url) = dependency {
        flags.extend(["--dependency".to_owned(), url]);
    }
    // The gateway has drained a replica before it is told to stop; it need not wait for that again.
    flags.extend(["--drain-wait".to_owned(), "0s".to_owned()]);
    flags.extend(allowed_hosts_flag(&config.allowed_hosts));
    flags.extend(config.telemetry_flags.clone());
    flags
}

fn scaler_arguments(
    config: &SupervisorConfig,
    socket: &Path,
    folder: &Path,
    service: &str,
    admin: &str,
) -> Vec<String> {
    let path = |path: PathBuf| path.to_string_lossy().into_owned();
    let fixed = [
        ("--listen", config.addresses.page.clone()),
        ("--gateway", service.to_owned()),
        ("--gateway-admin", admin.to_owned()),
        ("--actuator", "processes".to_owned()),
        ("--supervisor", path(socket.to_path_buf())),
        ("--state", path(folder.join("scaler-state.json"))),
    ];
    std::iter::once("scaler".to_owned())
        .chain(fixed.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]))
        .chain(allowed_hosts_flag(&config.allowed_hosts))
        .chain(config.source_flags.clone())
        .chain(config.policy_flags.clone())
        .collect()
}

fn allowed_hosts_flag(names: &[String]) -> Vec<String> {
    if names.is_empty() { Vec::new() } else { vec!["--allowed-hosts".to_owned(), names.join(",")] }
}
