//! Makes the actuator that the settings ask for, and checks before anything runs that it can work.

use std::sync::Arc;

use super::ansible::Ansible;
use super::command::CommandPlatform;
use super::compose_cli::ComposeCli;
use super::docker::{Compose, ComposeService, DockerEngine, Swarm};
use super::gateway_endpoints::GatewayEndpoints;
use super::observe_only::ObserveOnly;
use super::platform::OnPlatform;
use super::processes::Processes;
use super::{Actuator, ActuatorError};
use crate::config::{ActuatorKind, ComposeTarget};

/// The actuator of this kind, for the service that the gateway with this admin address fronts.
pub(crate) async fn choose(
    kind: &ActuatorKind,
    service: &str,
    gateway_admin: &str,
) -> Result<Arc<dyn Actuator>, ActuatorError> {
    // The owner is the service, not this scaler: whoever scales it next finds what was put before.
    let gateway = |service: &ComposeService| {
        GatewayEndpoints::new(gateway_admin, &format!("{}/{}", service.project(), service.service()))
    };
    Ok(match kind {
        ActuatorKind::None => Arc::new(ObserveOnly),
        ActuatorKind::Processes { supervisor } => Arc::new(OnPlatform::new(Processes::new(supervisor))),
        ActuatorKind::Compose(target) => {
            let compose_service = find(target, service).await?;
            let gateway = gateway(&compose_service);
            Arc::new(OnPlatform::new(Compose::new(compose_service, gateway).await?))
        }
        ActuatorKind::ComposeCli { target, files, program } => {
            let compose_service = find(target, service).await?;
            let gateway = gateway(&compose_service);
            let cli = ComposeCli::new(compose_service, gateway, files, program.as_deref()).await?;
            Arc::new(OnPlatform::new(cli))
        }
        ActuatorKind::Swarm { docker_host, service: swarm_service } => {
            let engine = DockerEngine::connect(docker_host).await?;
            let name = swarm_service.as_deref().unwrap_or(service);
            Arc::new(OnPlatform::new(Swarm::new(engine, name).await?))
        }
        ActuatorKind::Command { scale, count } => {
            Arc::new(OnPlatform::new(CommandPlatform::new(service, scale, count).await?))
        }
        ActuatorKind::Ansible { target, playbook, files, count } => {
            let compose_service = find(target, service).await?;
            let gateway = gateway(&compose_service);
            let ansible = Ansible::new(compose_service, gateway, playbook, files, count.as_ref()).await?;
            Arc::new(OnPlatform::new(ansible))
        }
    })
}

async fn find(target: &ComposeTarget, service: &str) -> Result<ComposeService, ActuatorError> {
    let engine = DockerEngine::connect(&target.docker_host).await?;
    let service = target.service.as_deref().unwrap_or(service);
    ComposeService::find(engine, target.project.as_deref(), service, target.port).await
}
