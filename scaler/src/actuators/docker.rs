//! Commands a Docker engine through its API.

mod clone;
mod compose;
mod containers;
mod engine;
mod project;
mod swarm;

pub(super) use compose::Compose;
pub(super) use engine::DockerEngine;
pub(super) use project::ComposeService;
pub(super) use swarm::Swarm;
