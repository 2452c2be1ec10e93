//! The actuators `compose` and `compose-cli`, on a real engine, with both versions of Compose.

use super::super::Actuator;
use super::super::compose_cli::ComposeCli;
use super::super::docker::{Compose, ComposeService, DockerEngine};
use super::super::gateway_endpoints::GatewayEndpoints;
use super::super::platform::OnPlatform;
use super::docker_test::{ComposeVersion, EngineSocket, TestProject, docker, has_engine};
use super::{Stage, conforms};

/// Where no gateway listens: whatever it is told is lost, and nothing waits for it.
pub(super) const NO_GATEWAY: &str = "http://127.0.0.1:1";

/// The list of the gateway with this admin address.
pub(super) fn endpoints_of(gateway: &str) -> GatewayEndpoints {
    GatewayEndpoints::new(gateway, "test/webapp")
}

/// A Compose project behind a socket that can be cut.
pub(super) struct ComposeStage {
    pub(super) project: TestProject,
    pub(super) socket: EngineSocket,
    actuator: Box<dyn Actuator>,
}

impl ComposeStage {
    pub(super) fn new(project: TestProject, socket: EngineSocket, actuator: Box<dyn Actuator>) -> Self {
        Self { project, socket, actuator }
    }
}

/// The project's service, seen through the socket.
pub(super) async fn service_of(project: &TestProject, socket: &EngineSocket) -> ComposeService {
    let engine = DockerEngine::connect(&socket.host().as_str().into()).await.unwrap();
    ComposeService::find(engine, Some(&project.name), "webapp", 8000).await.unwrap()
}

impl Stage for ComposeStage {
    fn actuator(&self) -> &dyn Actuator {
        &*self.actuator
    }

    async fn lose_one(&self) {
        docker(&["rm", "-f", self.project.ids().first().unwrap()]);
    }

    async fn set_dead(&self, is_dead: bool) {
        self.socket.set_cut(is_dead);
    }

    async fn set_failing(&self, is_failing: bool) {
        self.project.image.set_failing(is_failing);
    }
}

async fn compose_conforms(version: ComposeVersion) {
    if !has_engine() || !version.is_installed() {
        return;
    }
    let (project, socket) = (TestProject::up(version, "").await, EngineSocket::open());
    let service = service_of(&project, &socket).await;
    let compose = Compose::new(service, endpoints_of(NO_GATEWAY)).await.unwrap();
    conforms(&ComposeStage::new(project, socket, Box::new(OnPlatform::new(compose)))).await;
}

#[tokio::test]
async fn compose_conforms_on_a_project_of_version_1() {
    compose_conforms(ComposeVersion::V1).await;
}

#[tokio::test]
async fn compose_conforms_on_a_project_of_version_2() {
    compose_conforms(ComposeVersion::V2).await;
}

async fn compose_cli_conforms(version: ComposeVersion) {
    if !has_engine() || !version.is_installed() {
        return;
    }
    let (project, socket) = (TestProject::up(version, "").await, EngineSocket::open());
    let service = service_of(&project, &socket).await;
    let (gateway, files) = (endpoints_of(NO_GATEWAY), [project.file()]);
    let cli = ComposeCli::new(service, gateway, &files, Some(version.program())).await.unwrap();
    conforms(&ComposeStage::new(project, socket, Box::new(OnPlatform::new(cli)))).await;
}

#[tokio::test]
async fn compose_cli_conforms_with_version_1() {
    compose_cli_conforms(ComposeVersion::V1).await;
}

#[tokio::test]
async fn compose_cli_conforms_with_version_2() {
    compose_cli_conforms(ComposeVersion::V2).await;
}
