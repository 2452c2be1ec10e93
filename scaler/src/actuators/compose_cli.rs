//! Leaves scaling to Compose itself: `docker compose up -d --no-recreate --scale SERVICE=N SERVICE`.
//!
//! Which replicas leave is Compose's choice; both versions take the highest numbers, so those are drained beforehand.
//! The count is the engine's, not what Compose prints.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::docker::ComposeService;
use super::gateway_endpoints::{GatewayEndpoints, Leaving};
use super::platform::{Journal, Platform};
use super::{ActuatorError, Listing, ReplicaEntry, program};

/// What may be Compose, in the order in which it is tried.
const PROGRAMS: [&str; 2] = ["docker compose", "docker-compose"];

/// Longest wait for Compose to say its version, or that its files are right.
const ANSWERS_WITHIN: Duration = Duration::from_secs(20);

/// Longest wait for Compose to scale.
const SCALE_WITHIN: Duration = Duration::from_mins(2);

/// The platform of the actuator `compose-cli`.
#[derive(Clone, Debug)]
pub(super) struct ComposeCli {
    service: ComposeService,
    gateway: GatewayEndpoints,
    /// Compose with its files and its project.
    compose: Vec<String>,
}

impl ComposeCli {
    /// Finds Compose and has it check its files.
    ///
    /// `chosen` is the program to call, for example `docker-compose`; without it the first that answers.
    pub(super) async fn new(
        service: ComposeService,
        gateway: GatewayEndpoints,
        files: &[PathBuf],
        chosen: Option<&str>,
    ) -> Result<Self, ActuatorError> {
        let mut compose = find_compose(chosen).await?;
        for file in files {
            must_exist(file, "--compose-file")?;
            compose.extend(["-f".to_owned(), file.display().to_string()]);
        }
        compose.extend(["-p".to_owned(), service.project().to_owned()]);
        let found = Self { service, gateway, compose };
        let services = found.run(&["config", "--services"], ANSWERS_WITHIN).await?;
        if !services.lines().any(|line| line.trim() == found.service.service()) {
            let problem = ActuatorError::Setting(format!(
                "the Compose files have no service `{}`, there are: {}",
                found.service.service(),
                services.split_whitespace().collect::<Vec<_>>().join(", ")
            ));
            return Err(problem.with_hint("correct --compose-file or --compose-service"));
        }
        Ok(found)
    }

    async fn run(&self, arguments: &[&str], within: Duration) -> Result<String, ActuatorError> {
        let words: Vec<String> =
            self.compose.iter().cloned().chain(arguments.iter().map(|word| (*word).to_owned())).collect();
        program::run(&words, &[("DOCKER_HOST", self.service.engine().host())], within).await
    }
}

impl Platform for ComposeCli {
    const CHANGE_WITHIN: Duration = Duration::from_secs(170);

    const REACHED_WITHIN: Duration = Duration::from_secs(10);

    async fn list(&self) -> Result<Listing, ActuatorError> {
        list_and_tell(&self.service, &self.gateway).await
    }

    async fn explain(&self) -> Vec<String> {
        self.service.explain().await
    }

    async fn change(&self, seen: &Listing, asked: u32, journal: &Journal) -> Result<(), ActuatorError> {
        if seen.count() == Some(asked) {
            return Ok(());
        }
        let _leaving = drain_surplus(&self.gateway, seen, asked).await;
        let service = self.service.service();
        let scale = format!("{service}={asked}");
        let arguments = ["up", "-d", "--no-recreate", "--no-deps", "--scale", &scale, service];
        self.run(&arguments, SCALE_WITHIN).await?;
        journal.add(format!("ran `{} {}`", self.compose.join(" "), arguments.join(" ")));
        Ok(())
    }
}

/// The service's replicas; the gateway is told of those that came or went.
pub(super) async fn list_and_tell(
    service: &ComposeService,
    gateway: &GatewayEndpoints,
) -> Result<Listing, ActuatorError> {
    let listing = service.list().await?;
    gateway.follow(listing.entries());
    Ok(listing)
}

/// Drains those whom Compose will take out; they are on their way out until what is returned is dropped.
///
/// One that it leaves alone after all is put into rotation again, because it is forgotten here and found there.
pub(super) async fn drain_surplus(gateway: &GatewayEndpoints, seen: &Listing, asked: u32) -> Vec<Leaving> {
    let mut staying: Vec<&ReplicaEntry> = seen.entries().iter().filter(|entry| !entry.is_stopping).collect();
    staying.sort_by_key(|entry| std::cmp::Reverse(number_of(&entry.id)));
    let surplus = staying.len().saturating_sub(asked as usize);
    let drains = staying.into_iter().take(surplus).map(|entry| gateway.drain(entry));
    futures_util::future::join_all(drains).await
}

/// The number at the end of a container's name, in both versions' way of naming.
fn number_of(name: &str) -> u32 {
    name.rsplit(['-', '_']).next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// A file that a flag names.
pub(super) fn must_exist(file: &Path, flag: &str) -> Result<(), ActuatorError> {
    if file.is_file() {
        return Ok(());
    }
    let problem = ActuatorError::Setting(format!("there is no file {}", file.display()));
    Err(problem.with_hint(format!("correct {flag}")))
}

async fn find_compose(chosen: Option<&str>) -> Result<Vec<String>, ActuatorError> {
    let candidates = chosen.map_or_else(|| PROGRAMS.to_vec(), |chosen| vec![chosen]);
    let mut problems = Vec::new();
    for candidate in &candidates {
        let words: Vec<String> = candidate.split_whitespace().map(str::to_owned).collect();
        let asked: Vec<String> = words.iter().cloned().chain(["version".to_owned()]).collect();
        match program::run(&asked, &[], ANSWERS_WITHIN).await {
            Ok(_) => return Ok(words),
            // Each candidate's own hint would be to install it.
            Err(error) => problems.push(error.into_parts().0.to_string()),
        }
    }
    let problem = ActuatorError::Setting(format!(
        "Compose does not answer as {} ({})",
        candidates.join(" or "),
        problems.join("; ")
    ));
    Err(problem.with_hint("install Docker Compose, or name it with --compose-command"))
}
