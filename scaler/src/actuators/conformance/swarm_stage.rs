//! The actuator `swarm`, on a swarm of one node that is begun for the test and left after it.

use std::process::Command;

use super::super::Actuator;
use super::super::docker::{DockerEngine, Swarm};
use super::super::platform::OnPlatform;
use super::docker_test::{EngineSocket, TestImage, docker, has_engine};
use super::{Stage, conforms};

/// A swarm with a service of one replica.
struct SwarmStage {
    actuator: OnPlatform<Swarm>,
    socket: EngineSocket,
    // Dropped before the image, which its containers use.
    _swarm: OwnSwarm,
    image: TestImage,
}

/// Left when dropped, with what its service left behind.
struct OwnSwarm {
    service: String,
    /// Whether the network that a swarm makes on each node was there before.
    had_bridge: bool,
}

/// The network that joins a node's containers to the outside, which leaving a swarm does not remove.
const BRIDGE: &str = "docker_gwbridge";

impl OwnSwarm {
    /// None where the engine is part of a swarm already, which is nobody's to play with.
    fn begin(service: &str) -> Option<Self> {
        let state = docker(&["info", "--format", "{{.Swarm.LocalNodeState}}"]);
        if state.trim() != "inactive" {
            println!("skipped: the engine is part of a swarm already");
            return None;
        }
        let networks = docker(&["network", "ls", "--format", "{{.Name}}"]);
        let had_bridge = networks.lines().any(|name| name == BRIDGE);
        docker(&["swarm", "init", "--advertise-addr", "127.0.0.1"]);
        Some(Self { service: service.to_owned(), had_bridge })
    }
}

impl Drop for OwnSwarm {
    fn drop(&mut self) {
        drop(Command::new("docker").args(["swarm", "leave", "--force"]).output());
        let label = format!("label=com.docker.swarm.service.name={}", self.service);
        let left = Command::new("docker").args(["ps", "-aq", "--filter", &label]).output();
        let left =
            left.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        drop(Command::new("docker").args(["rm", "-f"]).args(left.split_whitespace()).output());
        if !self.had_bridge {
            drop(Command::new("docker").args(["network", "rm", BRIDGE]).output());
        }
    }
}

impl Stage for SwarmStage {
    fn actuator(&self) -> &dyn Actuator {
        &self.actuator
    }

    async fn lose_one(&self) {
        // A swarm replaces a task that ends, so only another count takes one away.
        docker(&["service", "scale", "--detach", &format!("{}=1", self.image.name)]);
    }

    async fn set_dead(&self, is_dead: bool) {
        self.socket.set_cut(is_dead);
    }

    async fn set_failing(&self, is_failing: bool) {
        self.image.set_failing(is_failing);
    }
}

#[tokio::test]
async fn swarm_conforms() {
    if !has_engine() {
        return;
    }
    let image = TestImage::import().await;
    let Some(swarm) = OwnSwarm::begin(&image.name) else { return };
    let socket = EngineSocket::open();
    let engine = DockerEngine::connect(&socket.host().as_str().into()).await.unwrap();
    let unknown = Swarm::new(engine.clone(), "nowhere").await.unwrap_err().to_string();
    assert!(unknown.contains("no service `nowhere`") && unknown.contains("--swarm-service"), "{unknown}");

    let mount = format!("type=bind,src={},dst=/flags,ro", image.flags().display());
    let create = ["service", "create", "--quiet", "--name", &image.name, "--mount", &mount];
    docker(&[&create[..], &["--restart-delay", "1s", "--stop-grace-period", "5s", &image.tag()]].concat());
    let actuator = OnPlatform::new(Swarm::new(engine, &image.name).await.unwrap());
    conforms(&SwarmStage { actuator, socket, image, _swarm: swarm }).await;
}
