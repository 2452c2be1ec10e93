//! Scales a Compose service by cloning its own container, so that Compose takes the replicas for its own.
//!
//! The newest replica leaves first: drained by the gateway, then told to end, then removed. A container that a scaler
//! made and that does not run is a leftover, of a crash or of a start that failed, and is removed at the next action.

use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::{ContainerInspectResponse, NetworkConnectRequest};
use bollard::query_parameters::{CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;
use tracing::{info, warn};

use super::super::gateway_endpoints::GatewayEndpoints;
use super::super::platform::{Journal, Platform};
use super::super::{ActuatorError, Listing, ReplicaEntry};
use super::clone::{CloneOrder, clone_order};
use super::containers::{ContainerState, ServiceContainer};
use super::engine::{DockerEngine, TIMEOUT_SECONDS, is_conflict, is_missing};
use super::project::ComposeService;

/// Containers started, or ended, at the same time; an engine gains nothing from more.
const CONCURRENCY: usize = 4;

/// What an engine allows a container to end in that says nothing about it.
const DEFAULT_GRACE_SECONDS: u64 = 10;

/// The platform of the actuator `compose`.
#[derive(Clone, Debug)]
pub(in super::super) struct Compose {
    service: ComposeService,
    gateway: GatewayEndpoints,
}

impl Compose {
    /// Checks that the service can be cloned, and cleans up what a crash left behind.
    pub(in super::super) async fn new(
        service: ComposeService,
        gateway: GatewayEndpoints,
    ) -> Result<Self, ActuatorError> {
        let compose = Self { service, gateway };
        let containers = compose.service.containers().await?;
        compose.template(&containers).await?;
        compose.clean(&containers, &Journal::default()).await?;
        Ok(compose)
    }

    fn docker(&self) -> &Docker {
        &self.service.engine.docker
    }

    fn engine(&self) -> &DockerEngine {
        &self.service.engine
    }

    /// A container to clone, and the name of its image; rather one that Compose made, rather one that runs.
    async fn template(
        &self,
        containers: &[ServiceContainer],
    ) -> Result<(ContainerInspectResponse, String), ActuatorError> {
        let best = containers.iter().min_by_key(|container| {
            (container.state != ContainerState::Lives, container.is_ours, container.number)
        });
        let Some(best) = best else {
            return Err(ActuatorError::Setting(format!(
                "the service `{0}` of project `{1}` has no container left to make another like; hint: start it with \
                 `docker compose up -d {0}`",
                self.service.service, self.service.project
            )));
        };
        let original = self.docker().inspect_container(&best.id, None).await;
        let original =
            original.map_err(|error| self.engine().problem(&format!("asked for {}", best.name), &error))?;
        let image = self.image_of(&original).await?;
        Ok((original, image))
    }

    /// The image's name, where that still means the same image, and its id where it does not.
    async fn image_of(&self, original: &ContainerInspectResponse) -> Result<String, ActuatorError> {
        let id = original.image.clone().unwrap_or_default();
        let name = original.config.as_ref().and_then(|config| config.image.clone()).unwrap_or_default();
        for image in [name, id.clone()] {
            match self.docker().inspect_image(&image).await {
                Ok(found) if found.id.as_deref() == Some(id.as_str()) => return Ok(image),
                Ok(_) => {}
                Err(error) if is_missing(&error) => {}
                Err(error) => {
                    return Err(self.engine().problem(&format!("asked for the image {image}"), &error));
                }
            }
        }
        Err(ActuatorError::Platform(format!(
            "the image of service `{0}` ({id}) is not on the engine at {1} any more; hint: build or load it and start \
             the service again, with `docker compose up -d --build {0}`",
            self.service.service,
            self.engine().host()
        )))
    }

    /// Removes what scalers made and what does not run; but nothing where it would be the last to tell what the
    /// service's containers are like.
    async fn clean(&self, containers: &[ServiceContainer], journal: &Journal) -> Result<(), ActuatorError> {
        let is_leftover = |container: &ServiceContainer| {
            container.is_ours && matches!(container.state, ContainerState::Created | ContainerState::Ended)
        };
        if containers.iter().all(is_leftover) {
            return Ok(());
        }
        for leftover in containers.iter().filter(|container| is_leftover(container)) {
            self.remove(leftover).await?;
            info!(
                "removed {}, which did not run: a leftover of an earlier action or a replica that ended",
                leftover.name
            );
            journal.add(format!("removed {}, which did not run", leftover.name));
        }
        Ok(())
    }

    async fn start_more(
        &self,
        containers: &[ServiceContainer],
        missing: usize,
        journal: &Journal,
    ) -> Result<(), ActuatorError> {
        let (original, image) = self.template(containers).await?;
        self.clean(containers, journal).await?;
        // As Compose does it, one that has ended is started again before another is made.
        let ended =
            |container: &&ServiceContainer| container.state == ContainerState::Ended && !container.is_ours;
        let ended: Vec<&ServiceContainer> = containers.iter().filter(ended).take(missing).collect();
        for container in &ended {
            let began = Instant::now();
            self.start(&container.id, &container.name).await?;
            journal.add(format!("started {} again in {:?}", container.name, rounded(began.elapsed())));
        }
        let to_make = u32::try_from(missing - ended.len()).unwrap_or(u32::MAX);
        let last = containers.iter().map(|container| container.number).max().unwrap_or(0);
        let orders = (last + 1..=last + to_make).map(|number| clone_order(&original, &image, number));
        carry_out(orders.map(|order| self.make(order, journal)).collect()).await
    }

    async fn make(&self, order: CloneOrder, journal: &Journal) -> Result<(), ActuatorError> {
        let began = Instant::now();
        let CloneOrder { name, body, further_networks } = order;
        let options = CreateContainerOptionsBuilder::new().name(&name).build();
        let made = self.docker().create_container(Some(options), body).await;
        let id = made.map_err(|error| self.engine().problem(&format!("asked to make {name}"), &error))?.id;
        let started = async {
            for (network, endpoint) in further_networks {
                let request =
                    NetworkConnectRequest { container: id.clone(), endpoint_config: Some(endpoint) };
                let joined = self.docker().connect_network(&network, request).await;
                let when = format!("asked to connect {name} to {network}");
                joined.map_err(|error| self.engine().problem(&when, &error))?;
            }
            self.start(&id, &name).await
        };
        if let Err(error) = started.await {
            // Never started, it is of no use to anybody.
            if let Err(kept) = self.remove_by_id(&id).await {
                warn!("{name}, which could not be started, is left behind until the next action: {kept}");
            }
            return Err(error);
        }
        self.tell_gateway(&id, &name).await;
        journal.add(format!("started {name} in {:?}", rounded(began.elapsed())));
        Ok(())
    }

    async fn start(&self, id: &str, name: &str) -> Result<(), ActuatorError> {
        match self.docker().start_container(id, None).await {
            Ok(()) => Ok(()),
            Err(error) if is_conflict(&error) => Ok(()),
            Err(error) => Err(self.engine().problem(&format!("asked to start {name}"), &error)),
        }
    }

    /// At once, rather than at the next look.
    async fn tell_gateway(&self, id: &str, name: &str) {
        let found =
            self.service.containers().await.ok().into_iter().flatten().find(|container| container.id == id);
        if let Some(url) = found.and_then(|container| container.url) {
            self.gateway.put(name, &url).await;
        }
    }

    /// Drains, ends and removes a replica.
    async fn take_out(&self, entry: &ReplicaEntry, journal: &Journal) -> Result<(), ActuatorError> {
        let began = Instant::now();
        let _leaving = self.gateway.drain(entry).await;
        let drained = rounded(began.elapsed());
        let outcome = async {
            self.stop(&entry.id).await?;
            self.remove_by_id(&entry.id).await
        };
        let outcome = outcome.await;
        outcome.map_err(|error| self.engine().problem(&format!("asked to end {}", entry.id), &error))?;
        journal.add(format!(
            "drained {} in {drained:?}, ended and removed it after {:?}",
            entry.id,
            rounded(began.elapsed())
        ));
        Ok(())
    }

    /// Sends the container's own stop signal and waits for its own grace period.
    async fn stop(&self, name: &str) -> Result<(), Error> {
        let seen = match self.docker().inspect_container(name, None).await {
            Ok(seen) => seen,
            Err(error) if is_missing(&error) => return Ok(()),
            Err(error) => return Err(error),
        };
        let grace = seen
            .config
            .and_then(|config| config.stop_timeout)
            .and_then(|seconds| u64::try_from(seconds).ok());
        let within = Duration::from_secs(grace.unwrap_or(DEFAULT_GRACE_SECONDS) + TIMEOUT_SECONDS);
        let stopped = self.docker().clone().with_timeout(within).stop_container(name, None).await;
        stopped.or_else(|error| if is_missing(&error) || is_conflict(&error) { Ok(()) } else { Err(error) })
    }

    async fn remove(&self, container: &ServiceContainer) -> Result<(), ActuatorError> {
        let removed = self.remove_by_id(&container.id).await;
        removed.map_err(|error| self.engine().problem(&format!("asked to remove {}", container.name), &error))
    }

    /// With the volumes that nobody else can reach.
    async fn remove_by_id(&self, id: &str) -> Result<(), Error> {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        let removed = self.docker().remove_container(id, Some(options)).await;
        // Somebody else is removing it, or has.
        removed.or_else(|error| if is_missing(&error) || is_conflict(&error) { Ok(()) } else { Err(error) })
    }
}

impl Platform for Compose {
    /// Draining and grace period of some replicas, one after the other in the worst case.
    const CHANGE_WITHIN: Duration = Duration::from_mins(5);

    const REACHED_WITHIN: Duration = Duration::from_secs(10);

    async fn list(&self) -> Result<Listing, ActuatorError> {
        let listing = self.service.list_with(|name| self.gateway.is_leaving(name)).await?;
        self.gateway.follow(listing.entries());
        Ok(listing)
    }

    async fn explain(&self) -> Vec<String> {
        self.service.explain().await
    }

    async fn change(&self, seen: &Listing, asked: u32, journal: &Journal) -> Result<(), ActuatorError> {
        let containers = self.service.containers().await?;
        let before = seen.count().unwrap_or(0);
        let missing = asked.saturating_sub(before) as usize;
        if missing > 0 {
            return self.start_more(&containers, missing, journal).await;
        }
        self.clean(&containers, journal).await?;
        let newest_first = seen.entries().iter().rev().filter(|entry| !entry.is_stopping);
        let surplus = before.saturating_sub(asked) as usize;
        carry_out(newest_first.take(surplus).map(|entry| self.take_out(entry, journal)).collect()).await
    }
}

/// Carries out orders, some at a time. After the first that is refused no further one is begun, but those under way are
/// waited for: cut off, they would leave a replica half made or half removed.
async fn carry_out<F>(orders: Vec<F>) -> Result<(), ActuatorError>
where
    F: Future<Output = Result<(), ActuatorError>>,
{
    let mut waiting = orders.into_iter();
    let mut under_way: FuturesUnordered<F> = waiting.by_ref().take(CONCURRENCY).collect();
    let mut outcome = Ok(());
    while let Some(ended) = under_way.next().await {
        outcome = outcome.and(ended);
        if outcome.is_ok() {
            under_way.extend(waiting.next());
        }
    }
    outcome
}

fn rounded(time: Duration) -> Duration {
    Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn after_a_refusal_those_under_way_end_and_no_further_one_begins() {
        let (begun, ended) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
        let order = async |number: u32| {
            begun.borrow_mut().push(number);
            sleep(Duration::from_secs(number.into())).await;
            ended.borrow_mut().push(number);
            if matches!(number, 2 | 3) {
                Err(ActuatorError::Platform(format!("{number} is refused")))
            } else {
                Ok(())
            }
        };
        let outcome = carry_out((1..=8).map(order).collect()).await;
        assert_eq!(outcome, Err(ActuatorError::Platform("2 is refused".to_owned())), "the first is told");
        assert_eq!((begun.into_inner(), ended.into_inner()), (vec![1, 2, 3, 4, 5], vec![1, 2, 3, 4, 5]));
    }
}
