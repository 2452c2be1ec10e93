//! Drives one search: asks it for the next level, has the engine measure it, and tells how it went.

use std::io::IsTerminal;
use std::time::Duration;

use loadgen::baseline::report::level_line;
use loadgen::baseline::{Level, Outcome, PlannedLevel, Search, SearchPlan, Step};
use loadgen::{LevelPlan, LevelProgress, Measurement, OpenModel, OpenModelError, Target, WeightedRequest};
use tokio_util::sync::CancellationToken;
use workload::{Arrivals, Streams};

use super::tell;
use crate::failure::Failure;

/// How to measure, whomever.
#[derive(Clone, Debug)]
pub(crate) struct Measuring {
    pub(crate) plan: SearchPlan,
    pub(crate) requests: Vec<WeightedRequest>,
    pub(crate) arrivals: Arrivals,
    pub(crate) timeout: Duration,
    pub(crate) seed: u64,
    /// Cancelled when it is to end early.
    pub(crate) stop: CancellationToken,
}

impl Measuring {
    /// Measures the service at this address; after `stop`, what was found until then.
    pub(crate) async fn search(&self, base_url: &str) -> Result<(Outcome, Vec<Level>), Failure> {
        let mut engine = self.connect(base_url).await?;
        let mut search = Search::new(self.plan.clone());
        loop {
            let level = match search.next_step() {
                Step::Finished(outcome) => return Ok((outcome, search.into_levels())),
                Step::Measure(level) => level,
            };
            let measurement = match self.measure(&mut engine, &level).await {
                Ok(measurement) if !self.stop.is_cancelled() => measurement,
                Err(error) if !self.stop.is_cancelled() => return Err(engine_failure(error)),
                // The level was cut short: it says less than the search takes it for.
                Ok(_) | Err(_) => return Ok((search.stop(), search.into_levels())),
            };
            tell(&level_line(search.record(measurement)));
        }
    }

    /// Opens connections to the service at this address.
    pub(crate) async fn connect(&self, base_url: &str) -> Result<OpenModel, Failure> {
        let target = Target {
            base_url: base_url.to_owned(),
            requests: self.requests.clone(),
            connections: self.plan.allowance.connections,
            timeout: self.timeout,
        };
        OpenModel::connect(target).await.map_err(engine_failure)
    }

    /// Measures one level.
    pub(crate) async fn measure(
        &self,
        engine: &mut OpenModel,
        level: &PlannedLevel,
    ) -> Result<Measurement, OpenModelError> {
        let plan = LevelPlan {
            rate_rps: level.rate_rps,
            warm_up: level.warm_up,
            hold: level.hold,
            arrivals: self.arrivals,
            seed: Streams::from_seed(self.seed).derive(&format!("level-{}", level.number)).seed(),
        };
        let number = level.number;
        // In a file one line for each level is enough.
        let is_watched = std::io::stderr().is_terminal();
        let told = |progress: LevelProgress| {
            if is_watched {
                tell(&format!("level {number}: {progress}"));
            }
        };
        engine.run_level(&plan, self.stop.cancelled(), told).await
    }
}

/// A setting that cannot be is the user's to correct.
pub(crate) fn engine_failure(error: OpenModelError) -> Failure {
    match error {
        OpenModelError::Setting { .. } => Failure::bad_input(error),
        error => Failure::could_not_run(error),
    }
}
