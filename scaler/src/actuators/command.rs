//! Leaves scaling to any program, and counting to another.

use std::time::Duration;

use tracing::info;

use super::platform::{Journal, Platform};
use super::replica_count::ReplicaCount;
use super::{ActuatorError, Listing, program};
use crate::command_template::CommandTemplate;

/// Longest wait for the program that scales.
const SCALE_WITHIN: Duration = Duration::from_mins(2);

/// The platform of the actuator `command`.
#[derive(Clone, Debug)]
pub(super) struct CommandPlatform {
    service: String,
    scale: CommandTemplate,
    count: ReplicaCount,
}

impl CommandPlatform {
    /// Checks by counting that the service can be counted.
    pub(super) async fn new(
        service: &str,
        scale: &CommandTemplate,
        count: &CommandTemplate,
    ) -> Result<Self, ActuatorError> {
        let count = ReplicaCount::new(count, service);
        count.read().await?;
        Ok(Self { service: service.to_owned(), scale: scale.clone(), count })
    }
}

impl Platform for CommandPlatform {
    const CHANGE_WITHIN: Duration = Duration::from_secs(130);

    const REACHED_WITHIN: Duration = Duration::from_secs(30);

    async fn look(&self) -> Result<Listing, ActuatorError> {
        self.count.observe().await
    }

    async fn list(&self) -> Result<Listing, ActuatorError> {
        self.count.read().await
    }

    async fn change(&self, seen: &Listing, asked: u32, journal: &Journal) -> Result<(), ActuatorError> {
        if seen.count() == Some(asked) {
            return Ok(());
        }
        self.count.outdate();
        let words = self.scale.fill(&self.service, Some(asked));
        let outcome = program::run(&words, &[], SCALE_WITHIN).await;
        self.count.outdate();
        let printed = outcome?;
        info!("`{}` ended well: {}", words.join(" "), printed.trim());
        journal.add(format!("ran `{}`", words.join(" ")));
        Ok(())
    }
}
