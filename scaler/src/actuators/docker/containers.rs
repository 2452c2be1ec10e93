//! The containers of one service of one Compose project, as the engine lists them.

use std::time::Duration;

use bollard::models::{ContainerSummary, ContainerSummaryStateEnum, HostConfig};
use scaler_engine::{Phase, ResourceRequests};

use super::super::ReplicaEntry;

/// Compose's labels that say what a container belongs to.
pub(super) const PROJECT: &str = "com.docker.compose.project";
pub(super) const SERVICE: &str = "com.docker.compose.service";
pub(super) const ONE_OFF: &str = "com.docker.compose.oneoff";
pub(super) const NUMBER: &str = "com.docker.compose.container-number";
pub(super) const WORKING_FOLDER: &str = "com.docker.compose.project.working_dir";
/// Set where Compose replaced a container: the name of the one before.
pub(super) const REPLACES: &str = "com.docker.compose.replace";
/// Our own: the container was made by a scaler, and is a scaler's to clean up.
pub(super) const MADE_BY_SCALER: &str = "autoscale-lab.replica";

/// A container of the service.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ServiceContainer {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) number: u32,
    pub(super) state: ContainerState,
    /// The state in the engine's words, such as `Exited (7) 2 seconds ago`.
    pub(super) status: String,
    /// Where it takes requests; none before it has an address.
    pub(super) url: Option<String>,
    /// Whether a scaler made it.
    pub(super) is_ours: bool,
    /// The folder of the Compose file that it came from.
    pub(super) working_folder: Option<String>,
    created_epoch_seconds: u64,
    /// What it reserves, as far as the engine was asked.
    pub(super) requests: ResourceRequests,
}

/// What an engine's states mean for a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ContainerState {
    /// Made and never started.
    Created,
    /// Its process runs, is paused, or is brought back by the engine.
    Lives,
    /// The engine is removing it.
    Leaves,
    /// Its process has ended.
    Ended,
}

impl ServiceContainer {
    /// Reads the engine's words; none if it has no id.
    pub(super) fn from_summary(summary: ContainerSummary, port: u16) -> Option<Self> {
        let labels = summary.labels.clone().unwrap_or_default();
        let name = summary.names.iter().flatten().next().map(|name| name.trim_start_matches('/').to_owned());
        Some(Self {
            url: address_of(&summary).map(|address| format!("http://{address}:{port}")),
            id: summary.id?,
            name: name.unwrap_or_default(),
            number: labels.get(NUMBER).and_then(|number| number.parse().ok()).unwrap_or(0),
            state: match summary.state {
                Some(ContainerSummaryStateEnum::CREATED) => ContainerState::Created,
                Some(ContainerSummaryStateEnum::REMOVING | ContainerSummaryStateEnum::STOPPING) => {
                    ContainerState::Leaves
                }
                Some(ContainerSummaryStateEnum::EXITED | ContainerSummaryStateEnum::DEAD) => {
                    ContainerState::Ended
                }
                _ => ContainerState::Lives,
            },
            status: summary.status.unwrap_or_default(),
            is_ours: labels.contains_key(MADE_BY_SCALER),
            working_folder: labels.get(WORKING_FOLDER).cloned(),
            created_epoch_seconds: summary.created.and_then(|seconds| seconds.try_into().ok()).unwrap_or(0),
            requests: ResourceRequests::default(),
        })
    }

    /// Larger is newer.
    pub(super) fn newness(&self) -> (u64, u32) {
        (self.created_epoch_seconds, self.number)
    }

    /// Why it is no replica, if it could be one.
    pub(super) fn why_it_is_none(&self) -> Option<String> {
        matches!(self.state, ContainerState::Created | ContainerState::Ended)
            .then(|| format!("{} is `{}`", self.name, self.status))
    }

    /// As a replica; none if it is not one, or no longer.
    pub(super) fn as_entry(&self, is_leaving: bool) -> Option<ReplicaEntry> {
        let is_stopping = match self.state {
            ContainerState::Lives => is_leaving,
            ContainerState::Leaves => true,
            ContainerState::Created | ContainerState::Ended => return None,
        };
        Some(ReplicaEntry {
            url: self.url.clone(),
            is_stopping,
            is_ready: self.is_healthy(),
            requests: self.requests,
            ..self.named()
        })
    }

    /// As a replica that does not run; none if it does, or is being removed.
    pub(super) fn as_entry_that_does_not_run(&self) -> Option<ReplicaEntry> {
        let phase = match self.state {
            ContainerState::Created => Phase::Pending,
            ContainerState::Ended => Phase::Failed,
            ContainerState::Lives | ContainerState::Leaves => return None,
        };
        Some(ReplicaEntry { phase, is_ready: Some(false), requests: self.requests, ..self.named() })
    }

    fn named(&self) -> ReplicaEntry {
        let started_at = Some(Duration::from_secs(self.created_epoch_seconds));
        ReplicaEntry { id: self.name.clone(), started_at, ..ReplicaEntry::default() }
    }

    /// What its health check says, which the engine tells in the container's status; none without one.
    fn is_healthy(&self) -> Option<bool> {
        let (_, health) = self.status.split_once('(').filter(|_| self.state == ContainerState::Lives)?;
        match health.trim_end_matches(')') {
            "healthy" => Some(true),
            "unhealthy" | "health: starting" => Some(false),
            _ => None,
        }
    }
}

/// What a container reserves. As in Kubernetes, a limit without a reservation is one.
pub(super) fn requests_of(config: &HostConfig) -> ResourceRequests {
    let quota = config.cpu_quota.zip(config.cpu_period).filter(|(quota, period)| *quota > 0 && *period > 0);
    ResourceRequests {
        cpu_cores: config
            .nano_cpus
            .and_then(cores_of)
            .or_else(|| quota.map(|(quota, period)| quota as f64 / period as f64)),
        memory_bytes: config
            .memory_reservation
            .and_then(bytes_of)
            .or_else(|| config.memory.and_then(bytes_of)),
    }
}

/// Cores of an engine's number of billionths of them; none of 0, by which it means that nothing is set.
pub(super) fn cores_of(nano_cpus: i64) -> Option<f64> {
    (nano_cpus > 0).then(|| nano_cpus as f64 / 1e9)
}

/// Bytes; none of 0, by which an engine means that nothing is set.
pub(super) fn bytes_of(bytes: i64) -> Option<f64> {
    (bytes > 0).then_some(bytes as f64)
}

/// The container's address in the network that it was made in; where it is in several, this is the one that Compose
/// joined first.
fn address_of(summary: &ContainerSummary) -> Option<String> {
    let networks = summary.network_settings.as_ref()?.networks.as_ref()?;
    let mode =
        summary.host_config.as_ref().and_then(|config| config.network_mode.as_deref()).unwrap_or_default();
    let first = networks.get(mode).or_else(|| {
        networks.values().find(|network| network.network_id.as_deref().is_some_and(|id| id == mode))
    });
    let by_name = || networks.iter().min_by_key(|(name, _)| *name).map(|(_, network)| network);
    let address = first.or_else(by_name)?.ip_address.clone()?;
    (!address.is_empty()).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(state: ContainerSummaryStateEnum, status: &str) -> ServiceContainer {
        let summary = ContainerSummary {
            id: Some("id".to_owned()),
            names: Some(vec!["/shop-webapp-2".to_owned()]),
            state: Some(state),
            status: Some(status.to_owned()),
            ..ContainerSummary::default()
        };
        ServiceContainer::from_summary(summary, 8000).unwrap()
    }

    #[test]
    fn a_container_is_ready_as_its_health_check_says() {
        for (status, expected) in [
            ("Up 5 seconds (healthy)", Some(true)),
            ("Up 5 seconds (unhealthy)", Some(false)),
            ("Up 1 second (health: starting)", Some(false)),
            ("Up 5 seconds", None),
            ("Up 5 minutes (Paused)", None),
        ] {
            let entry = container(ContainerSummaryStateEnum::RUNNING, status).as_entry(false).unwrap();
            assert_eq!((entry.is_ready, entry.phase), (expected, Phase::Running), "{status}");
        }
    }

    #[test]
    fn containers_that_do_not_run_are_pending_or_failed() {
        for (state, status, phase) in [
            (ContainerSummaryStateEnum::CREATED, "Created", Some(Phase::Pending)),
            (ContainerSummaryStateEnum::EXITED, "Exited (7) 2 seconds ago", Some(Phase::Failed)),
            (ContainerSummaryStateEnum::RUNNING, "Up 5 seconds", None),
        ] {
            let container = container(state, status);
            let idle = container.as_entry_that_does_not_run();
            assert_eq!(idle.as_ref().map(|entry| entry.phase), phase, "{status}");
            assert_eq!(container.as_entry(false).is_some(), phase.is_none(), "one or the other");
            assert!(idle.is_none_or(|entry| entry.id == "shop-webapp-2" && entry.url.is_none()));
        }
    }

    #[test]
    fn a_limit_without_a_reservation_is_one() {
        let config = |nano_cpus, memory, reservation| HostConfig {
            nano_cpus: Some(nano_cpus),
            memory: Some(memory),
            memory_reservation: Some(reservation),
            ..HostConfig::default()
        };
        for (config, cpu_cores, memory_bytes) in [
            (config(500_000_000, 1000, 400), Some(0.5), Some(400.0)),
            (config(0, 1000, 0), None, Some(1000.0)),
            (
                HostConfig { cpu_quota: Some(25_000), cpu_period: Some(100_000), ..HostConfig::default() },
                Some(0.25),
                None,
            ),
            (HostConfig::default(), None, None),
        ] {
            assert_eq!(requests_of(&config), ResourceRequests { cpu_cores, memory_bytes });
        }
    }
}
