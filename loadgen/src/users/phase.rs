//! Where a run is, told to all users at once.

use std::time::Instant;

use tokio::sync::watch;

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Users are being started.
    Starting,
    /// The load is as it should be since then.
    Running(Instant),
    /// Nobody begins anything any more.
    Over,
    /// Requests that are still unanswered are given up.
    GivenUp,
}

impl Phase {
    fn step(self) -> u8 {
        match self {
            Self::Starting => 0,
            Self::Running(_) => 1,
            Self::Over => 2,
            Self::GivenUp => 3,
        }
    }
}

/// Tells the phase.
#[derive(Debug)]
pub(crate) struct PhaseTeller(watch::Sender<Phase>);

impl PhaseTeller {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(Phase::Starting))
    }

    /// Goes on to a later phase; never back.
    pub(crate) fn enter(&self, phase: Phase) {
        self.0.send_if_modified(|now| {
            let later = phase.step() > now.step();
            if later {
                *now = phase;
            }
            later
        });
    }

    pub(crate) fn listen(&self) -> Phases {
        Phases(self.0.subscribe())
    }
}

/// One user's view of the phase.
#[derive(Clone, Debug)]
pub(crate) struct Phases(watch::Receiver<Phase>);

impl Phases {
    /// Whether nobody begins anything any more.
    pub(crate) fn is_over(&self) -> bool {
        self.0.borrow().step() >= Phase::Over.step()
    }

    /// Waits until the phase is `phase` or later, or the run is gone.
    pub(crate) async fn reach(&mut self, phase: Phase) {
        // An error means that nobody tells any more, and so that all is over.
        let _gone = self.0.wait_for(|now| now.step() >= phase.step()).await;
    }

    /// Waits for the load to begin; since when it runs, or none where the run is over before.
    pub(crate) async fn running(&mut self) -> Option<Instant> {
        match self.0.wait_for(|now| now.step() >= 1).await.map(|now| *now) {
            Ok(Phase::Running(since)) => Some(since),
            _ => None,
        }
    }
}
