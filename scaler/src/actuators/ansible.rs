//! Leaves scaling to an Ansible playbook, which is given the target count, and reads the count back by itself.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::compose_cli::{drain_surplus, list_and_tell, must_exist};
use super::docker::ComposeService;
use super::gateway_endpoints::GatewayEndpoints;
use super::platform::{Journal, Platform};
use super::replica_count::ReplicaCount;
use super::{ActuatorError, Listing, program};
use crate::command_template::CommandTemplate;

/// Longest wait for the playbook: it starts Python for each of its steps.
const PLAY_WITHIN: Duration = Duration::from_mins(5);

/// Longest wait for Ansible to say that the playbook is one.
const CHECK_WITHIN: Duration = Duration::from_secs(60);

/// What is said besides the play's own words would hide them when it fails: colours, and the surprise that nobody named
/// other machines.
const QUIET: [(&str, &str); 3] = [
    ("ANSIBLE_NOCOLOR", "1"),
    ("ANSIBLE_LOCALHOST_WARNING", "False"),
    ("ANSIBLE_INVENTORY_UNPARSED_WARNING", "False"),
];

/// The platform of the actuator `ansible`.
#[derive(Clone, Debug)]
pub(super) struct Ansible {
    service: ComposeService,
    gateway: GatewayEndpoints,
    /// The program with all arguments but the count.
    playbook: Vec<String>,
    /// Counts in the engine's place.
    count: Option<ReplicaCount>,
}

impl Ansible {
    /// Has Ansible check the playbook's syntax.
    pub(super) async fn new(
        service: ComposeService,
        gateway: GatewayEndpoints,
        playbook: &Path,
        files: &[PathBuf],
        count: Option<&CommandTemplate>,
    ) -> Result<Self, ActuatorError> {
        must_exist(playbook, "--ansible-playbook")?;
        let mut words = vec!["ansible-playbook".to_owned()];
        let mut set = |name: &str, value: &str| words.extend(["-e".to_owned(), format!("{name}={value}")]);
        set("service", service.service());
        set("compose_project", service.project());
        if !files.is_empty() {
            files.iter().try_for_each(|file| must_exist(file, "--compose-file"))?;
            // Ansible's modules run in the playbook's folder, where a relative path would mean another file.
            let absolute = |file: &PathBuf| std::path::absolute(file).unwrap_or_else(|_| file.clone());
            let names: Vec<String> = files.iter().map(|file| absolute(file).display().to_string()).collect();
            set("compose_file", &names.join(","));
        }
        words.push(playbook.display().to_string());
        let check: Vec<String> = words.iter().cloned().chain(["--syntax-check".to_owned()]).collect();
        program::run(&check, &QUIET, CHECK_WITHIN).await?;
        let count = count.map(|count| ReplicaCount::new(count, service.service()));
        Ok(Self { service, gateway, playbook: words, count })
    }
}

impl Platform for Ansible {
    const CHANGE_WITHIN: Duration = Duration::from_secs(340);

    const REACHED_WITHIN: Duration = Duration::from_secs(10);

    async fn look(&self) -> Result<Listing, ActuatorError> {
        match &self.count {
            Some(count) => count.observe().await,
            None => self.list().await,
        }
    }

    async fn list(&self) -> Result<Listing, ActuatorError> {
        match &self.count {
            Some(count) => count.read().await,
            None => list_and_tell(&self.service, &self.gateway).await,
        }
    }

    async fn explain(&self) -> Vec<String> {
        self.service.explain().await
    }

    async fn change(&self, seen: &Listing, asked: u32, journal: &Journal) -> Result<(), ActuatorError> {
        if seen.count() == Some(asked) {
            return Ok(());
        }
        self.count.iter().for_each(ReplicaCount::outdate);
        let _leaving = drain_surplus(&self.gateway, seen, asked).await;
        let mut words = self.playbook.clone();
        words.extend(["-e".to_owned(), format!("target_replicas={asked}")]);
        let variables: Vec<_> =
            QUIET.into_iter().chain([("DOCKER_HOST", self.service.engine().host())]).collect();
        let outcome = program::run(&words, &variables, PLAY_WITHIN).await;
        self.count.iter().for_each(ReplicaCount::outdate);
        outcome?;
        journal.add(format!("ran `{}`", words.join(" ")));
        Ok(())
    }
}
