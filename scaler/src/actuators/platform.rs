//! Scales any platform the same way: reads the count, gives orders, reads the count again.
//!
//! What differs from platform to platform is how replicas are listed and how orders are given. That no count is
//! believed that was not read back, that two actions never overlap and that each is bounded in time is said here once.

use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::{Instant, timeout};

use super::{Actuator, ActuatorError, Listing, ScaleReport};
use crate::service_event::News;

/// Time between two looks at the list.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A count has been reached when it is the same after this time: what ends as soon as it is started never was there.
const SETTLES_FOR: Duration = Duration::from_millis(250);

/// Longest wait for one answer of the list within an action.
const LIST_WITHIN: Duration = Duration::from_secs(10);

/// A platform that runs replicas.
pub(super) trait Platform: Debug + Send + Sync {
    /// Longest wait for all orders of one action.
    const CHANGE_WITHIN: Duration;

    /// Longest wait, after the orders, for the list to show the count that was asked for.
    const REACHED_WITHIN: Duration;

    /// The replicas that exist, as known at this moment or a moment ago; asked each second.
    fn look(&self) -> impl Future<Output = Result<Listing, ActuatorError>> + Send {
        self.list()
    }

    /// The replicas that exist, found out now.
    fn list(&self) -> impl Future<Output = Result<Listing, ActuatorError>> + Send;

    /// What happened to the replicas lately, where the platform keeps that.
    fn news(&self) -> impl Future<Output = Vec<News>> + Send {
        std::future::ready(Vec::new())
    }

    /// What the platform says of replicas that were started and are not there.
    fn explain(&self) -> impl Future<Output = Vec<String>> + Send {
        std::future::ready(Vec::new())
    }

    /// Gives the orders that lead from what was seen to `asked`, and writes down each that was carried out. Stops at the
    /// first that is refused.
    fn change(
        &self,
        seen: &Listing,
        asked: u32,
        journal: &Journal,
    ) -> impl Future<Output = Result<(), ActuatorError>> + Send;
}

/// What has been done so far; it survives the orders that were cut off.
#[derive(Debug, Default)]
pub(super) struct Journal(Mutex<Vec<String>>);

impl Journal {
    /// Writes down one order that was carried out.
    pub(super) fn add(&self, done: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(done);
    }

    fn into_entries(self) -> Vec<String> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The actuator of a platform.
#[derive(Debug)]
pub(super) struct OnPlatform<P> {
    platform: P,
    one_at_a_time: tokio::sync::Mutex<()>,
}

impl<P: Platform> OnPlatform<P> {
    pub(super) fn new(platform: P) -> Self {
        Self { platform, one_at_a_time: tokio::sync::Mutex::default() }
    }

    async fn list(&self) -> Result<Listing, ActuatorError> {
        timeout(LIST_WITHIN, self.platform.list()).await.unwrap_or_else(|_| {
            Err(ActuatorError::Platform(format!(
                "the platform did not list its replicas within {LIST_WITHIN:?}"
            )))
        })
    }

    /// Reads the list until it shows `asked`, and still does a moment later, or time is up.
    async fn read_back(&self, asked: u32) -> (Option<u32>, Option<ActuatorError>) {
        let started = Instant::now();
        let mut reached_at = None;
        loop {
            let seen = self.list().await.map(|listing| listing.count());
            if seen == Ok(Some(asked)) {
                let reached_at = *reached_at.get_or_insert_with(Instant::now);
                if reached_at.elapsed() >= SETTLES_FOR {
                    return (Some(asked), None);
                }
                tokio::time::sleep(SETTLES_FOR).await;
                continue;
            }
            reached_at = None;
            let waited = started.elapsed();
            if waited >= P::REACHED_WITHIN {
                return match seen {
                    Ok(Some(found)) => {
                        let because = timeout(LIST_WITHIN, self.platform.explain()).await.unwrap_or_default();
                        (Some(found), Some(ActuatorError::NotReached { asked, found, waited, because }))
                    }
                    Ok(None) => (None, Some(ActuatorError::ObservesOnly)),
                    Err(error) => (None, Some(error)),
                };
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn change(&self, seen: &Listing, asked: u32, journal: &Journal) -> Result<(), ActuatorError> {
        let within = P::CHANGE_WITHIN;
        timeout(within, self.platform.change(seen, asked, journal)).await.unwrap_or_else(|_| {
            Err(ActuatorError::Platform(format!("the orders were not carried out within {within:?}")))
        })
    }

    async fn scale(&self, asked: u32) -> ScaleReport {
        let _turn = self.one_at_a_time.lock().await;
        let started = Instant::now();
        let journal = Journal::default();
        let (before, after, problem) = match self.list().await {
            Err(error) => (None, None, Some(error)),
            Ok(seen) => {
                let (after, problem) = match self.change(&seen, asked, &journal).await {
                    // Nothing had to be done.
                    Ok(()) if seen.count() == Some(asked) => (seen.count(), None),
                    Ok(()) => self.read_back(asked).await,
                    // What was refused will not come by waiting, but what was granted before counts.
                    Err(error) => (self.list().await.ok().and_then(|listing| listing.count()), Some(error)),
                };
                (seen.count(), after, problem)
            }
        };
        ScaleReport { before, asked, after, took: started.elapsed(), did: journal.into_entries(), problem }
    }
}

impl<P: Platform> Actuator for OnPlatform<P> {
    fn observe(&self) -> BoxFuture<'_, Result<Listing, ActuatorError>> {
        self.platform.look().boxed()
    }

    fn scale_to(&self, asked: u32) -> BoxFuture<'_, ScaleReport> {
        self.scale(asked).boxed()
    }

    fn news(&self) -> BoxFuture<'_, Vec<News>> {
        self.platform.news().boxed()
    }
}
