//! Knows how many replicas there are where a program has to be run to find out.
//!
//! The program runs aside, at most once a second, so a slow one holds up no look; a count is used while it is at most
//! ten seconds old. One that was read before an action's end is never used after it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{ActuatorError, Listing, program};
use crate::command_template::CommandTemplate;

/// Age from which a count is read again.
const REFRESH_AFTER: Duration = Duration::from_secs(1);

/// Age up to which a count is used.
const USED_UP_TO: Duration = Duration::from_secs(10);

/// Longest wait for the program.
const COUNT_WITHIN: Duration = Duration::from_secs(10);

/// The count that a program prints.
#[derive(Clone, Debug)]
pub(super) struct ReplicaCount {
    command: Vec<String>,
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    last: Option<(Instant, Result<u32, ActuatorError>)>,
    is_reading: bool,
    /// Raised by each action; a reading that began before it is thrown away.
    age: u64,
}

impl ReplicaCount {
    /// The count of `service`, as this command prints it.
    pub(super) fn new(command: &CommandTemplate, service: &str) -> Self {
        Self { command: command.fill(service, None), known: Arc::default() }
    }

    /// Runs the program and reads the count from its answer.
    pub(super) async fn read(&self) -> Result<Listing, ActuatorError> {
        let printed = program::run(&self.command, &[], COUNT_WITHIN).await?;
        let last_line = printed.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
        last_line.parse().map(Listing::of_count).map_err(|_| {
            ActuatorError::Setting(format!(
                "`{}` printed `{last_line}`, expected a number of replicas on its last line",
                self.command.join(" ")
            ))
        })
    }

    /// The last count that was read, if it is fresh enough; starts to read the next one.
    pub(super) async fn observe(&self) -> Result<Listing, ActuatorError> {
        let now = Instant::now();
        let (known, is_due) = {
            let mut known = self.known();
            let age = known.last.as_ref().map(|(at, _)| now.saturating_duration_since(*at));
            let is_due = !known.is_reading && age.is_none_or(|age| age >= REFRESH_AFTER);
            known.is_reading |= is_due;
            let usable = age.is_some_and(|age| age <= USED_UP_TO);
            (known.last.clone().filter(|_| usable).map(|(_, count)| count), is_due)
        };
        let reading = is_due.then(|| tokio::spawn(self.clone().refresh()));
        match (known, reading) {
            (Some(count), _) => count.map(Listing::of_count),
            (None, Some(reading)) => reading.await.unwrap_or_else(|_| Err(not_yet())).map(Listing::of_count),
            (None, None) => Err(not_yet()),
        }
    }

    /// An action has begun or ended: what was read before says nothing any more.
    pub(super) fn outdate(&self) {
        let mut known = self.known();
        known.age += 1;
        known.last = None;
        known.is_reading = false;
    }

    async fn refresh(self) -> Result<u32, ActuatorError> {
        let age = self.known().age;
        let count = self.read().await.map(|listing| listing.count().unwrap_or(0));
        let mut known = self.known();
        if known.age == age {
            known.last = Some((Instant::now(), count.clone()));
            known.is_reading = false;
            count
        } else {
            Err(not_yet())
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_yet() -> ActuatorError {
    ActuatorError::Platform("the replicas are still being counted".to_owned())
}
