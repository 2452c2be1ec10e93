//! Says what a scaler watches, whom it commands and where it listens.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use scaler_engine::ResourceRequests;

use crate::command_template::CommandTemplate;
use crate::docker_host::DockerHost;
use crate::policy_file::{NamedPolicy, PolicySource};

/// The settings of one scaler.
#[derive(Clone, Debug, PartialEq)]
pub struct ScalerConfig {
    /// Where page, API and metrics are served. Default: `127.0.0.1:8080`.
    pub listen: SocketAddr,
    /// Host names, besides loopback addresses and `localhost`, under which requests that change something are taken.
    /// Default: none. It keeps a page of another site from steering the scaler through a name that it points here.
    pub allowed_hosts: Vec<String>,
    /// The services it watches, each with a name of its own; at least one. The first is meant where none is named.
    pub services: Vec<ServiceConfig>,
}

/// What a scaler knows of one service.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceConfig {
    /// The service's name, for logs, paths, labels and the page: letters, digits, `-`, `_` and `.`. Default: `webapp`.
    pub name: String,
    /// The gateway's admin address, which knows who is in rotation. Default: `http://127.0.0.1:8001`.
    pub gateway_admin: String,
    /// The gateway's own address, where `/api/load/…` is passed on to. Default: `http://127.0.0.1:8000`.
    pub gateway_url: String,
    /// The policy followed.
    pub policy: NamedPolicy,
    /// Where that policy is read from again when the file has changed or [`Reload`](crate::Reload) is asked for; none
    /// keeps it as it is. Default: none.
    pub policy_source: Option<PolicySource>,
    /// Where signals come from. Default: scrape.
    pub source: SourceKind,
    /// Who starts and stops replicas. Default: nobody.
    pub actuator: ActuatorKind,
    /// Where the engine's memory is kept over a restart; none keeps none. Default: none.
    pub state_file: Option<PathBuf>,
    /// Time between two looks at the service, 100 ms up to the policy's window. Default: 1 s.
    pub scrape_interval: Duration,
    /// What replicas use and ask for.
    pub resources: ReplicaResources,
    /// The Prometheus that queries of policies are put to; none puts them to those that the policies name. The source
    /// `prometheus` takes its own. Default: none.
    pub queries_url: Option<String>,
}

/// What replicas use of a CPU, and ask their platform for where it does not say; for policies that look at resources.
///
/// A simulated replica waits its service times out, so its process uses almost no CPU. Counting each busy worker as a part
/// of a core makes its CPU what it would be if it worked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReplicaResources {
    /// CPU cores that a busy worker counts as; 0 takes what the process uses. Default: 0.25.
    pub cpu_cores_per_worker: f64,
    /// CPU cores asked for. Default: 1.
    pub cpu_request_cores: f64,
    /// Memory asked for, in bytes. Default: 64 MiB.
    pub memory_request_bytes: f64,
}

impl Default for ReplicaResources {
    fn default() -> Self {
        Self {
            cpu_cores_per_worker: 0.25,
            cpu_request_cores: 1.0,
            memory_request_bytes: 64.0 * 1024.0 * 1024.0,
        }
    }
}

impl ReplicaResources {
    /// What a replica asks for.
    pub(crate) fn requests(&self) -> ResourceRequests {
        ResourceRequests {
            cpu_cores: Some(self.cpu_request_cores),
            memory_bytes: Some(self.memory_request_bytes),
        }
    }
}

/// Where signals come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceKind {
    /// Each replica's own `/metrics`.
    #[default]
    Scrape,
    /// A Prometheus that scrapes the replicas under their `host:port`.
    Prometheus {
        /// Where it is: `http://` or `https://`, with a path prefix if it has one.
        url: String,
    },
}

/// Who starts and stops replicas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActuatorKind {
    /// Nobody: decisions are shown and not carried out.
    #[default]
    None,
    /// The supervisor of `lab up`.
    Processes {
        /// Its Unix socket.
        supervisor: PathBuf,
    },
    /// The Docker engine: the service's own container is cloned.
    Compose(ComposeTarget),
    /// Compose itself, called as a program.
    ComposeCli {
        /// What is scaled.
        target: ComposeTarget,
        /// The Compose files; none leaves it to Compose to find them.
        files: Vec<PathBuf>,
        /// The program, such as `docker compose`; none takes the first that answers.
        program: Option<String>,
    },
    /// A Docker swarm.
    Swarm {
        /// A manager's engine.
        docker_host: DockerHost,
        /// The service; none means the one that is watched.
        service: Option<String>,
    },
    /// Any program.
    Command {
        /// Sets the count.
        scale: CommandTemplate,
        /// Prints the count on the last line of its output.
        count: CommandTemplate,
    },
    /// An Ansible playbook.
    Ansible {
        /// What is scaled.
        target: ComposeTarget,
        /// The playbook; it is given `target_replicas`, `service`, `compose_project` and `compose_file`.
        playbook: PathBuf,
        /// The Compose files, for the playbook.
        files: Vec<PathBuf>,
        /// Prints the count; none asks the engine.
        count: Option<CommandTemplate>,
    },
}

/// A service of a Compose project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComposeTarget {
    /// The engine.
    pub docker_host: DockerHost,
    /// The project; none means the one that the scaler's own container belongs to.
    pub project: Option<String>,
    /// The service; none means the one that is watched.
    pub service: Option<String>,
    /// The port where a replica takes requests, inside its container.
    pub port: u16,
}

impl SourceKind {
    /// The kind as flags name it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Scrape => "scrape",
            Self::Prometheus { .. } => "prometheus",
        }
    }
}

impl ActuatorKind {
    /// The kind as flags name it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Processes { .. } => "processes",
            Self::Compose(_) => "compose",
            Self::ComposeCli { .. } => "compose-cli",
            Self::Swarm { .. } => "swarm",
            Self::Command { .. } => "command",
            Self::Ansible { .. } => "ansible",
        }
    }
}

impl ScalerConfig {
    /// The defaults with these services.
    pub fn new(services: Vec<ServiceConfig>) -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)), allowed_hosts: Vec::new(), services }
    }
}

impl ServiceConfig {
    /// The defaults with this policy.
    pub fn new(policy: NamedPolicy) -> Self {
        Self {
            name: "webapp".to_owned(),
            gateway_admin: "http://127.0.0.1:8001".to_owned(),
            gateway_url: "http://127.0.0.1:8000".to_owned(),
            policy,
            policy_source: None,
            source: SourceKind::default(),
            actuator: ActuatorKind::default(),
            state_file: None,
            scrape_interval: Duration::from_secs(1),
            resources: ReplicaResources::default(),
            queries_url: None,
        }
    }
}
