//! What carries the scaler's decisions out, and how it is reached.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use scaler::{ActuatorKind, CommandTemplate, ComposeTarget, DockerHost};
use serde::{Deserialize, Serialize};

use super::defaults;
use crate::failure::Failure;

/// What carries decisions out.
#[derive(Clone, Copy, Debug, ValueEnum, Serialize, Deserialize)]
enum ActuatorName {
    /// The processes of a `lab up`, through its socket.
    Processes,
    /// A Compose service's containers, through the Docker Engine's API.
    Compose,
    /// The same, by calling Compose.
    ComposeCli,
    /// A service of a Docker swarm.
    Swarm,
    /// Any program.
    Command,
    /// An Ansible playbook.
    Ansible,
    /// Nothing: decisions are only recorded.
    None,
}

/// Which actuator, and what it commands.
#[derive(Clone, Debug, Args, Serialize, Deserialize)]
pub(crate) struct ActuatorArguments {
    /// What carries decisions out
    #[arg(long, value_enum, value_name = "NAME", default_value_t = ActuatorName::None)]
    actuator: ActuatorName,
    /// The socket of the supervisor, for the actuator `processes`
    #[arg(long, value_name = "PATH")]
    supervisor: Option<PathBuf>,
    /// The Docker engine; also `DOCKER_HOST`, with `DOCKER_TLS_VERIFY` and `DOCKER_CERT_PATH` as Docker reads them
    /// [default: `unix:///var/run/docker.sock`]
    #[arg(long, value_name = "URL")]
    docker_host: Option<String>,
    /// The Compose project [default: the one that the scaler's own container belongs to]
    #[arg(long, value_name = "NAME")]
    compose_project: Option<String>,
    /// The Compose service [default: the service's name]
    #[arg(long, value_name = "NAME")]
    compose_service: Option<String>,
    /// Port where a replica takes requests, inside its container
    #[arg(long, value_name = "PORT", default_value_t = 8000)]
    replica_port: u16,
    /// Compose files, separated by commas, for `compose-cli` and `ansible` [default: what Compose finds]
    #[arg(long, value_name = "FILE,…", value_delimiter = ',')]
    compose_file: Vec<PathBuf>,
    /// How Compose is called: `docker compose` or `docker-compose` [default: whichever answers]
    #[arg(long, value_name = "PROGRAM")]
    compose_command: Option<String>,
    /// The service of the swarm [default: the service's name]
    #[arg(long, value_name = "NAME")]
    swarm_service: Option<String>,
    /// What sets the count, for the actuator `command`; split without a shell: `./scale.sh {service} {replicas}`
    #[arg(long, value_name = "COMMAND", value_parser = CommandTemplate::to_scale)]
    scale_command: Option<CommandTemplate>,
    /// What prints the count, for `command` and, in the engine's place, `ansible`: `./count.sh {service}`
    #[arg(long, value_name = "COMMAND", value_parser = CommandTemplate::to_count)]
    count_command: Option<CommandTemplate>,
    /// The playbook of the actuator `ansible`
    #[arg(long, value_name = "FILE", default_value = "compose/ansible/playbook-scale.yml")]
    ansible_playbook: PathBuf,
}

impl ActuatorArguments {
    /// The processes of the run whose supervisor listens at this socket.
    pub(crate) fn processes(supervisor: PathBuf) -> Self {
        Self { actuator: ActuatorName::Processes, supervisor: Some(supervisor), ..defaults() }
    }

    /// The actuator, as the scaler takes it.
    pub(crate) fn kind(&self) -> Result<ActuatorKind, Failure> {
        let missing = |actuator: &str, flag: &str| {
            Failure::bad_input(format!("the actuator `{actuator}` needs {flag}; hint: see lab scaler --help"))
        };
        Ok(match self.actuator {
            ActuatorName::None => ActuatorKind::None,
            ActuatorName::Processes => ActuatorKind::Processes {
                supervisor: self.supervisor.clone().ok_or_else(|| missing("processes", "--supervisor"))?,
            },
            ActuatorName::Compose => ActuatorKind::Compose(self.compose_target()?),
            ActuatorName::ComposeCli => ActuatorKind::ComposeCli {
                target: self.compose_target()?,
                files: self.compose_file.clone(),
                program: self.compose_command.clone(),
            },
            ActuatorName::Swarm => {
                ActuatorKind::Swarm { docker_host: self.docker_host()?, service: self.swarm_service.clone() }
            }
            ActuatorName::Command => ActuatorKind::Command {
                scale: self.scale_command.clone().ok_or_else(|| missing("command", "--scale-command"))?,
                count: self.count_command.clone().ok_or_else(|| missing("command", "--count-command"))?,
            },
            ActuatorName::Ansible => ActuatorKind::Ansible {
                target: self.compose_target()?,
                playbook: self.ansible_playbook.clone(),
                files: self.compose_file.clone(),
                count: self.count_command.clone(),
            },
        })
    }

    fn compose_target(&self) -> Result<ComposeTarget, Failure> {
        Ok(ComposeTarget {
            docker_host: self.docker_host()?,
            project: self.compose_project.clone(),
            service: self.compose_service.clone(),
            port: self.replica_port,
        })
    }

    /// The engine's address from the flag, Docker's own variables or the default.
    fn docker_host(&self) -> Result<DockerHost, Failure> {
        DockerHost::from_environment(self.docker_host.as_deref(), |name| std::env::var(name).ok())
            .map_err(Failure::bad_input)
    }
}
