//! Notices a replica that has work and completes none of it, by comparing its scrapes with each other.

use core::time::Duration;

use scaler_engine::Standstill;

/// What one replica showed at one scrape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// When it was scraped, by whatever clock the scrapes of this replica are dated with.
    pub at: Duration,
    /// Jobs completed since its start.
    pub completed: f64,
    /// Jobs waiting or being worked on.
    pub jobs: f64,
}

/// How long one replica has completed nothing although it had work at every scrape.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ReplicaStandstill {
    newest: Option<Progress>,
    since: Option<Duration>,
}

impl ReplicaStandstill {
    /// Takes the next scrape; one that is not newer than the last is left out.
    pub fn see(&mut self, progress: Progress) {
        let before = self.newest;
        if before.is_some_and(|before| progress.at <= before.at) {
            return;
        }
        let stands = before.is_some_and(|before| before.completed.to_bits() == progress.completed.to_bits());
        self.since = match self.since {
            _ if progress.jobs <= 0.0 => None,
            Some(since) if stands => Some(since),
            _ => Some(progress.at),
        };
        self.newest = Some(progress);
    }

    /// For how long, at least: a job that was there at the first of these scrapes is there at the newest. Zero while
    /// jobs complete.
    pub fn at_least(&self) -> Duration {
        let (Some(since), Some(newest)) = (self.since, self.newest) else { return Duration::ZERO };
        newest.at.saturating_sub(since)
    }

    /// Jobs waiting or being worked on at the newest scrape.
    pub fn jobs(&self) -> f64 {
        self.newest.map_or(0.0, |newest| newest.jobs)
    }
}

/// The replicas that stand still, taken together: of each its standstill, its requests in flight as the gateway counts
/// them, and the rate per second at which it refuses. None if none does.
pub fn standing_still<'a>(
    replicas: impl Iterator<Item = (&'a ReplicaStandstill, f64, f64)>,
) -> Option<Standstill> {
    let standing = replicas.filter(|(own, ..)| !own.at_least().is_zero());
    standing.fold(None, |sum: Option<Standstill>, (own, in_flight, refused_per_second)| {
        let sum = sum.unwrap_or_default();
        Some(Standstill {
            replicas: sum.replicas + 1,
            jobs: sum.jobs + own.jobs().max(in_flight),
            refused_per_second: sum.refused_per_second + refused_per_second,
            at_least: sum.at_least.max(own.at_least()),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(scrapes: &[(u64, f64, f64)]) -> u64 {
        let mut standstill = ReplicaStandstill::default();
        for &(at, completed, jobs) in scrapes {
            standstill.see(Progress { at: Duration::from_secs(at), completed, jobs });
        }
        standstill.at_least().as_secs()
    }

    #[test]
    fn work_that_stays_while_nothing_completes_stands_still() {
        assert_eq!(after(&[]), 0);
        assert_eq!(after(&[(10, 5.0, 3.0)]), 0, "one scrape tells nothing");
        assert_eq!(after(&[(10, 5.0, 3.0), (11, 5.0, 4.0), (13, 5.0, 9.0)]), 3);
        assert_eq!(after(&[(10, 5.0, 0.0), (11, 5.0, 0.0), (12, 5.0, 0.0)]), 0, "an idle one does not");
        assert_eq!(after(&[(10, 5.0, 0.0), (11, 5.0, 1.0), (12, 5.0, 1.0)]), 1, "not before there was work");
    }

    #[test]
    fn a_completed_job_a_restart_or_the_end_of_the_work_ends_it() {
        assert_eq!(after(&[(10, 5.0, 3.0), (12, 5.0, 3.0), (13, 6.0, 3.0)]), 0);
        assert_eq!(after(&[(10, 5.0, 3.0), (12, 5.0, 3.0), (13, 0.0, 3.0)]), 0);
        assert_eq!(after(&[(10, 5.0, 3.0), (12, 5.0, 3.0), (13, 5.0, 0.0)]), 0);
        assert_eq!(after(&[(10, 5.0, 3.0), (12, 6.0, 3.0), (14, 6.0, 3.0)]), 2, "and it can begin again");
    }

    #[test]
    fn a_scrape_that_is_not_newer_changes_nothing() {
        assert_eq!(after(&[(10, 5.0, 3.0), (12, 5.0, 3.0), (12, 9.0, 0.0), (11, 9.0, 0.0)]), 2);
    }
}
