//! Scales a service of a Docker swarm by changing its specification; the swarm does the rest.
//!
//! A task counts once it runs. Where tasks run, and so where they can be reached, is the swarm's affair: the gateway
//! finds them with `--discover dns:tasks.SERVICE:PORT`.

use std::collections::HashMap;
use std::time::Duration;

use bollard::errors::Error;
use bollard::models::{Service, ServiceSpec, Task, TaskState};
use bollard::query_parameters::{
    InspectServiceOptions, ListTasksOptionsBuilder, UpdateServiceOptionsBuilder,
};

use super::super::platform::{Journal, Platform};
use super::super::{ActuatorError, Listing};
use super::containers::{bytes_of, cores_of};
use super::engine::{DockerEngine, is_missing};
use scaler_engine::ResourceRequests;

/// How often a change is tried that somebody else's got in the way of.
const ATTEMPTS: usize = 3;

/// The platform of the actuator `swarm`.
#[derive(Clone, Debug)]
pub(in super::super) struct Swarm {
    engine: DockerEngine,
    service: String,
}

impl Swarm {
    /// Checks that the service is there and can be scaled.
    pub(in super::super) async fn new(engine: DockerEngine, service: &str) -> Result<Self, ActuatorError> {
        let swarm = Self { engine, service: service.to_owned() };
        let (_, spec) = swarm.inspect().await?;
        swarm.replicas_in(&spec)?;
        Ok(swarm)
    }

    async fn inspect(&self) -> Result<(i32, ServiceSpec), ActuatorError> {
        let asked = self.engine.docker.inspect_service(&self.service, None::<InspectServiceOptions>).await;
        let found = asked.map_err(|error| self.problem("asked for the service", &error))?;
        let Service { version, spec, .. } = found;
        let version = version.and_then(|version| version.index).and_then(|index| i32::try_from(index).ok());
        match (version, spec) {
            (Some(version), Some(spec)) => Ok((version, spec)),
            _ => Err(ActuatorError::Platform(format!(
                "the Docker engine, asked for the service {}, told neither its version nor what it is",
                self.service
            ))),
        }
    }

    /// How many the specification asks for.
    fn replicas_in(&self, spec: &ServiceSpec) -> Result<i64, ActuatorError> {
        let replicated = spec.mode.as_ref().and_then(|mode| mode.replicated.as_ref());
        replicated.and_then(|replicated| replicated.replicas).ok_or_else(|| {
            ActuatorError::Setting(format!(
                "the service `{}` has no count of replicas to change; hint: give it the mode `replicated`",
                self.service
            ))
        })
    }

    async fn update(&self, asked: u32) -> Result<bool, ActuatorError> {
        let mut attempts = 1;
        loop {
            let (version, mut spec) = self.inspect().await?;
            if self.replicas_in(&spec)? == i64::from(asked) {
                return Ok(false);
            }
            if let Some(replicated) = spec.mode.as_mut().and_then(|mode| mode.replicated.as_mut()) {
                replicated.replicas = Some(i64::from(asked));
            }
            let options = UpdateServiceOptionsBuilder::new().version(version).build();
            match self.engine.docker.update_service(&self.service, spec, options, None).await {
                Ok(_) => return Ok(true),
                Err(error) if attempts < ATTEMPTS && is_out_of_sequence(&error) => attempts += 1,
                Err(error) => return Err(self.problem("asked to scale the service", &error)),
            }
        }
    }

    /// Tasks that are to be in this state.
    async fn tasks(&self, desired_state: &str) -> Result<Vec<Task>, ActuatorError> {
        let wanted = [("service", self.service.clone()), ("desired-state", desired_state.to_owned())];
        let filters: HashMap<&str, Vec<String>> = wanted.map(|(filter, value)| (filter, vec![value])).into();
        let options = ListTasksOptionsBuilder::new().filters(&filters).build();
        let listed = self.engine.docker.list_tasks(Some(options)).await;
        listed.map_err(|error| self.problem("asked for the tasks of", &error))
    }

    fn problem(&self, when: &str, error: &Error) -> ActuatorError {
        if is_missing(error) {
            return ActuatorError::Setting(format!(
                "the swarm has no service `{}`; hint: deploy it first, or correct --swarm-service (`docker service ls` \
                 lists them)",
                self.service
            ));
        }
        self.engine.problem(&format!("{when} {}", self.service), error)
    }
}

/// What the specification reserves for each task.
fn requests_of(spec: &ServiceSpec) -> ResourceRequests {
    let template = spec.task_template.as_ref();
    let resources = template.and_then(|template| template.resources.as_ref());
    let reserved = resources.and_then(|resources| resources.reservations.as_ref());
    ResourceRequests {
        cpu_cores: reserved.and_then(|reserved| reserved.nano_cpus).and_then(cores_of),
        memory_bytes: reserved.and_then(|reserved| reserved.memory_bytes).and_then(bytes_of),
    }
}

/// Somebody else changed the service since it was read.
fn is_out_of_sequence(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { message, .. } if message.contains("out of sequence"))
}

impl Platform for Swarm {
    const CHANGE_WITHIN: Duration = Duration::from_secs(60);

    /// A swarm takes some seconds to place and start tasks.
    const REACHED_WITHIN: Duration = Duration::from_secs(60);

    async fn list(&self) -> Result<Listing, ActuatorError> {
        let tasks = self.tasks("running").await?;
        let runs = |state: Option<TaskState>| state == Some(TaskState::RUNNING);
        let running =
            tasks.into_iter().filter(|task| runs(task.status.as_ref().and_then(|status| status.state)));
        let running = u32::try_from(running.count()).unwrap_or(u32::MAX);
        let (_, spec) = self.inspect().await?;
        let desired = u32::try_from(self.replicas_in(&spec)?).ok();
        Ok(Listing { desired, requests: requests_of(&spec), ..Listing::of_count(running) })
    }

    async fn explain(&self) -> Vec<String> {
        let tasks = self.tasks("shutdown").await.unwrap_or_default();
        let newest = tasks.into_iter().filter_map(|task| {
            let status = task.status?;
            let problem = status.err.filter(|problem| !problem.is_empty())?;
            Some((status.timestamp, problem))
        });
        // An older task's problem may be a solved one.
        newest.max().map(|(_, problem)| format!("the last task ended with `{problem}`")).into_iter().collect()
    }

    async fn change(&self, _seen: &Listing, asked: u32, journal: &Journal) -> Result<(), ActuatorError> {
        if self.update(asked).await? {
            journal.add(format!("set the service {} to {asked} replicas", self.service));
        }
        Ok(())
    }
}
