//! One service of one Compose project on a Docker engine: finds it, lists its containers, touches nothing else.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bollard::models::ContainerSummary;
use bollard::query_parameters::ListContainersOptionsBuilder;
use scaler_engine::ResourceRequests;

use super::super::{ActuatorError, Listing};
use super::containers::{ONE_OFF, PROJECT, SERVICE, ServiceContainer, requests_of};
use super::engine::{DockerEngine, is_missing};

/// New containers whose reservation is asked for at one look; a look has little time.
const INSPECTED_AT_ONCE: usize = 16;

/// A service of a Compose project.
#[derive(Clone, Debug)]
pub(crate) struct ComposeService {
    pub(super) engine: DockerEngine,
    pub(super) project: String,
    pub(super) service: String,
    /// Where its replicas take requests, inside their containers.
    port: u16,
    /// What containers reserve, by their id; a container's reservation does not change while it is there.
    reserved: Arc<Mutex<BTreeMap<String, ResourceRequests>>>,
}

impl ComposeService {
    /// Finds the service; without a project's name, in the project that the scaler's own container belongs to.
    pub(crate) async fn find(
        engine: DockerEngine,
        project: Option<&str>,
        service: &str,
        port: u16,
    ) -> Result<Self, ActuatorError> {
        let project = match project {
            Some(project) => project.to_owned(),
            None => own_project(&engine).await?,
        };
        let reserved = Arc::default();
        let found = Self { engine, project, service: service.to_owned(), port, reserved };
        let containers = found.containers().await?;
        if containers.is_empty() {
            return Err(found.unknown_service().await?);
        }
        let folders: BTreeSet<&str> =
            containers.iter().filter_map(|container| container.working_folder.as_deref()).collect();
        if folders.len() > 1 {
            return Err(ActuatorError::Setting(format!(
                "two projects are called `{}`: their Compose files are in {}; hint: give one of them another name, \
                 with COMPOSE_PROJECT_NAME or `docker compose -p NAME`",
                found.project,
                folders.into_iter().collect::<Vec<_>>().join(" and "),
            )));
        }
        Ok(found)
    }

    /// The project's name.
    pub(crate) fn project(&self) -> &str {
        &self.project
    }

    /// The service's name.
    pub(crate) fn service(&self) -> &str {
        &self.service
    }

    /// The engine it runs on.
    pub(crate) fn engine(&self) -> &DockerEngine {
        &self.engine
    }

    /// Its replicas, as the engine lists them.
    pub(crate) async fn list(&self) -> Result<Listing, ActuatorError> {
        self.list_with(|_| false).await
    }

    /// The same, where the caller knows which of them, by their name, it is taking out.
    pub(super) async fn list_with(
        &self,
        is_leaving: impl Fn(&str) -> bool,
    ) -> Result<Listing, ActuatorError> {
        let mut containers = self.containers().await?;
        self.ask_for_reservations(&mut containers).await;
        let entries =
            containers.iter().filter_map(|container| container.as_entry(is_leaving(&container.name)));
        let not_running = containers.iter().filter_map(ServiceContainer::as_entry_that_does_not_run);
        Ok(Listing { not_running: not_running.collect(), ..Listing::of_each(entries.collect()) })
    }

    /// Asks the engine what containers reserve that are new, some of them at each look.
    async fn ask_for_reservations(&self, containers: &mut [ServiceContainer]) {
        let mut known = std::mem::take(&mut *self.reserved());
        known.retain(|id, _| containers.iter().any(|container| container.id == *id));
        let mut asked = 0;
        for container in containers {
            if !known.contains_key(&container.id) && asked < INSPECTED_AT_ONCE {
                asked += 1;
                // One that is gone by now, or an engine that does not say, leaves the reservation unknown.
                if let Ok(found) = self.engine.docker.inspect_container(&container.id, None).await {
                    let requests = found.host_config.as_ref().map(requests_of).unwrap_or_default();
                    known.insert(container.id.clone(), requests);
                }
            }
            container.requests = known.get(&container.id).copied().unwrap_or_default();
        }
        *self.reserved() = known;
    }

    fn reserved(&self) -> MutexGuard<'_, BTreeMap<String, ResourceRequests>> {
        self.reserved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the engine says of its containers that do not run.
    pub(crate) async fn explain(&self) -> Vec<String> {
        let containers = self.containers().await.unwrap_or_default();
        containers.iter().filter_map(ServiceContainer::why_it_is_none).collect()
    }

    /// Its containers, whatever their state, oldest first.
    pub(super) async fn containers(&self) -> Result<Vec<ServiceContainer>, ActuatorError> {
        let labels = [(PROJECT, self.project.as_str()), (SERVICE, &self.service), (ONE_OFF, "False")];
        let summaries = summaries(&self.engine, &labels).await?;
        let mut containers: Vec<ServiceContainer> = summaries
            .into_iter()
            .filter_map(|summary| ServiceContainer::from_summary(summary, self.port))
            .collect();
        containers.sort_by_key(ServiceContainer::newness);
        Ok(containers)
    }

    /// Why there is no such service, with what there is.
    async fn unknown_service(&self) -> Result<ActuatorError, ActuatorError> {
        let Self { project, service, .. } = self;
        let services = label_values(&self.engine, &[(PROJECT, project)], SERVICE).await?;
        let (problem, there_is) = if services.is_empty() {
            let projects = label_values(&self.engine, &[], PROJECT).await?;
            (format!("there is no container of a Compose project `{project}`"), ("projects", projects))
        } else {
            (
                format!("the Compose project `{project}` has no container of a service `{service}`"),
                ("services", services),
            )
        };
        let (kind, names) = there_is;
        let names = if names.is_empty() {
            "none".to_owned()
        } else {
            names.into_iter().collect::<Vec<_>>().join(", ")
        };
        Ok(ActuatorError::Setting(format!(
            "{problem}, there are these {kind}: {names}; hint: start it first, with `docker compose up -d {service}`, \
             or correct --compose-project and --compose-service"
        )))
    }
}

async fn summaries(
    engine: &DockerEngine,
    labels: &[(&str, &str)],
) -> Result<Vec<ContainerSummary>, ActuatorError> {
    let wanted: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let filters = HashMap::from([("label", wanted)]);
    let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    let listed = engine.docker.list_containers(Some(options)).await;
    listed.map_err(|error| engine.problem("asked for its containers", &error))
}

async fn label_values(
    engine: &DockerEngine,
    labels: &[(&str, &str)],
    label: &str,
) -> Result<BTreeSet<String>, ActuatorError> {
    let found = summaries(engine, labels).await?;
    Ok(found.into_iter().filter_map(|summary| summary.labels?.remove(label)).collect())
}

/// The project of the container that this process runs in: an engine gives a container its short id as host name.
async fn own_project(engine: &DockerEngine) -> Result<String, ActuatorError> {
    let unknown = |why: String| {
        ActuatorError::Setting(format!(
            "which Compose project is to be scaled is not known: {why}; hint: name it with --compose-project"
        ))
    };
    let host_name = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_err(|error| unknown(format!("this machine's name cannot be read ({error})")))?;
    let host_name = host_name.trim();
    let own = match engine.docker.inspect_container(host_name, None).await {
        Ok(own) => own,
        Err(error) if is_missing(&error) => {
            return Err(unknown(format!(
                "the scaler runs in no container, there is none called `{host_name}`"
            )));
        }
        Err(error) => return Err(engine.problem("asked for the scaler's own container", &error)),
    };
    let labels: BTreeMap<String, String> =
        own.config.and_then(|config| config.labels).unwrap_or_default().into_iter().collect();
    labels
        .get(PROJECT)
        .cloned()
        .ok_or_else(|| unknown(format!("the scaler's own container, `{host_name}`, was not made by Compose")))
}
