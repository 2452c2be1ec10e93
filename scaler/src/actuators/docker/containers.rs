//! The containers of one service of one Compose project, as the engine lists them.

use std::time::Duration;

use bollard::models::{ContainerSummary, ContainerSummaryStateEnum};

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServiceContainer {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) number: u32,
    pub(super) state: ContainerState,
    /// Where it takes requests; none before it has an address.
    pub(super) url: Option<String>,
    /// Whether a scaler made it.
    pub(super) is_ours: bool,
    /// The folder of the Compose file that it came from.
    pub(super) working_folder: Option<String>,
    created_epoch_seconds: u64,
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
            is_ours: labels.contains_key(MADE_BY_SCALER),
            working_folder: labels.get(WORKING_FOLDER).cloned(),
            created_epoch_seconds: summary.created.and_then(|seconds| seconds.try_into().ok()).unwrap_or(0),
        })
    }

    /// Larger is newer.
    pub(super) fn newness(&self) -> (u64, u32) {
        (self.created_epoch_seconds, self.number)
    }

    /// As a replica; none if it is not one, or no longer.
    pub(super) fn as_entry(&self, is_leaving: bool) -> Option<ReplicaEntry> {
        let is_stopping = match self.state {
            ContainerState::Lives => is_leaving,
            ContainerState::Leaves => true,
            ContainerState::Created | ContainerState::Ended => return None,
        };
        Some(ReplicaEntry {
            id: self.name.clone(),
            url: self.url.clone(),
            pid: None,
            is_stopping,
            started_at: Some(Duration::from_secs(self.created_epoch_seconds)),
        })
    }
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
