//! Decides for a trace that begins here whether it is recorded: users up to a rate, synthetic jobs one in a hundred.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::MonotonicClock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

// The system's clock: governor's default one spins for a tenth of a second to calibrate itself when it is created.
type TraceLimiter = RateLimiter<NotKeyed, InMemoryState, MonotonicClock, NoOpMiddleware<std::time::Instant>>;

/// One in so many jobs of the synthetic demand is traced.
const SYNTHETIC_ONE_IN: u64 = 100;

/// Who asks for what a trace is about to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// A request from outside, or one that a load generator sends.
    User,
    /// A job of the synthetic demand.
    Synthetic,
    /// What the lab does by itself, such as a decision; rare, so all of it is traced.
    Own,
}

/// Who decides.
#[derive(Debug)]
pub(super) enum Sampling {
    /// The lab's own rules, before a span exists; a sampled parent is followed.
    Lab {
        /// None if no trace begins here for users.
        users: Option<Box<TraceLimiter>>,
        synthetic_jobs: AtomicU64,
    },
    /// The SDK's sampler, as `OTEL_TRACES_SAMPLER` names it.
    Standard,
}

impl Sampling {
    /// The lab's rules, with so many traces per second for users; as many may begin at once.
    pub(super) fn lab(traces_per_second: f64) -> Self {
        let quota = (traces_per_second > 0.0)
            .then(|| Duration::try_from_secs_f64(1.0 / traces_per_second).ok())
            .flatten()
            .and_then(Quota::with_period);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates, and is 1 to 10^6"
        )]
        let burst = (traces_per_second.ceil() as u32).try_into().unwrap_or(std::num::NonZeroU32::MIN);
        let users = quota
            .map(|quota| Box::new(RateLimiter::direct_with_clock(quota.allow_burst(burst), MonotonicClock)));
        Self::Lab { users, synthetic_jobs: AtomicU64::new(0) }
    }

    /// Whether what a parent decided is final, so that a parent who is not sampled need not be read.
    pub(super) const fn follows_parents(&self) -> bool {
        matches!(self, Self::Lab { .. })
    }

    /// Whether a trace may begin.
    pub(super) fn begins(&self, demand: Demand) -> bool {
        match (self, demand) {
            (Self::Standard, _) | (Self::Lab { .. }, Demand::Own) => true,
            (Self::Lab { users, .. }, Demand::User) => {
                users.as_ref().is_some_and(|users| users.check().is_ok())
            }
            (Self::Lab { synthetic_jobs, .. }, Demand::Synthetic) => {
                synthetic_jobs.fetch_add(1, Ordering::Relaxed).is_multiple_of(SYNTHETIC_ONE_IN)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Demand, Sampling};

    fn begun(sampling: &Sampling, demand: Demand, asked: usize) -> usize {
        (0..asked).filter(|_| sampling.begins(demand)).count()
    }

    #[test]
    fn users_are_traced_up_to_the_rate() {
        // One in ten thousand seconds: nothing is refilled while the test runs.
        for (rate, expected) in [(0.0, 0), (0.0001, 1)] {
            assert_eq!(begun(&Sampling::lab(rate), Demand::User, 1000), expected, "{rate} per second");
        }
        let ten = begun(&Sampling::lab(10.0), Demand::User, 1000);
        assert!((10..100).contains(&ten), "{ten} traces began at once at 10 per second");
    }

    #[test]
    fn one_in_a_hundred_synthetic_jobs_is_traced_whatever_users_do() {
        let sampling = Sampling::lab(0.0);
        assert_eq!(begun(&sampling, Demand::Synthetic, 1000), 10);
        assert_eq!(begun(&sampling, Demand::Own, 1000), 1000, "decisions are always traced");
        assert_eq!(begun(&Sampling::Standard, Demand::Synthetic, 1000), 1000, "the SDK decides later");
    }
}
