//! Drives one search: asks it for the next level, has an engine measure it, and tells how it went.

use std::io::IsTerminal;
use std::time::Duration;

use loadgen::{
    LevelPlan, LevelProgress, LoadError, Measurement, OpenModel, OpenModelError, Scenario, ScenarioModel,
    ScenarioTarget, Target, WeightedRequest,
};
use loadgen_baseline::report::level_line;
use loadgen_baseline::{Level, Outcome, PlannedLevel, Search, SearchPlan, Step};
use tokio_util::sync::CancellationToken;
use workload::{Arrivals, Streams};

use super::tell;
use crate::failure::Failure;

/// How often the first level tells how it goes where the output is not a terminal.
const FIRST_LEVEL_EVERY_SECONDS: f64 = 5.0;

/// What is sent at each level.
#[derive(Clone, Debug)]
pub(crate) enum Traffic {
    /// One or a few requests, drawn by weight.
    Requests(Vec<WeightedRequest>),
    /// What the users of a scenario send.
    Scenario(Scenario),
}

/// How to measure, whomever.
#[derive(Clone, Debug)]
pub(crate) struct Measuring {
    pub(crate) plan: SearchPlan,
    pub(crate) traffic: Traffic,
    pub(crate) arrivals: Arrivals,
    pub(crate) timeout: Duration,
    pub(crate) seed: u64,
    /// Cancelled when it is to end early.
    pub(crate) stop: CancellationToken,
}

/// What sends to one service.
#[derive(Debug)]
pub(crate) enum Engine {
    Requests(OpenModel),
    Scenario(Box<ScenarioModel>),
}

impl Measuring {
    /// Measures the service at this address; after `stop`, what was found until then. `check` is asked after each level
    /// whether there is sense in going on.
    pub(crate) async fn search(
        &self,
        base_url: &str,
        check: impl AsyncFn() -> Result<(), Failure>,
    ) -> Result<(Outcome, Vec<Level>), Failure> {
        let mut search = Search::new(self.plan.clone());
        let Some(connected) = self.stop.run_until_cancelled(self.connect(base_url)).await else {
            return Ok((search.stop(), Vec::new()));
        };
        let mut engine = connected?;
        loop {
            let level = match search.next_step() {
                Step::Finished(outcome) => return Ok((outcome, search.into_levels())),
                Step::Measure(level) => level,
            };
            let measurement = match self.measure(&mut engine, &level).await {
                Ok(measurement) if !self.stop.is_cancelled() => measurement,
                Err(failure) if !self.stop.is_cancelled() => return Err(failure),
                // The level was cut short: it says less than the search takes it for.
                Ok(_) | Err(_) => return Ok((search.stop(), search.into_levels())),
            };
            tell(&level_line(search.record(measurement)));
            check().await?;
        }
    }

    /// Gets ready to send to the service at this address.
    pub(crate) async fn connect(&self, base_url: &str) -> Result<Engine, Failure> {
        let (base_url, timeout) = (base_url.to_owned(), self.timeout);
        let connections = self.plan.allowance.connections;
        Ok(match &self.traffic {
            Traffic::Requests(requests) => {
                let target = Target { base_url, requests: requests.clone(), connections, timeout };
                Engine::Requests(OpenModel::connect(target).await.map_err(open_model_failure)?)
            }
            Traffic::Scenario(scenario) => {
                let scenario = scenario.clone();
                let target = ScenarioTarget { base_url, scenario, users_of_a_kind: connections, timeout };
                let model = ScenarioModel::connect(target).await.map_err(scenario_failure)?;
                Engine::Scenario(Box::new(model))
            }
        })
    }

    /// Measures one level.
    pub(crate) async fn measure(
        &self,
        engine: &mut Engine,
        level: &PlannedLevel,
    ) -> Result<Measurement, Failure> {
        let plan = LevelPlan {
            rate_rps: level.rate_rps,
            warm_up: level.warm_up,
            hold: level.hold,
            arrivals: self.arrivals,
            seed: Streams::from_seed(self.seed).derive(&format!("level-{}", level.number)).seed(),
        };
        let number = level.number;
        // In a file one line for each level is enough, once the first one has shown that it goes on.
        let is_watched = std::io::stderr().is_terminal();
        let told = |progress: LevelProgress| {
            let is_fifth = progress.elapsed.as_secs_f64().round() % FIRST_LEVEL_EVERY_SECONDS == 0.0;
            if is_watched || (number == 1 && is_fifth) {
                tell(&format!("level {number}: {progress}"));
            }
        };
        let stop = self.stop.cancelled();
        match engine {
            Engine::Requests(engine) => engine.run_level(&plan, stop, told).await.map_err(open_model_failure),
            Engine::Scenario(engine) => engine.run_level(&plan, stop, told).await.map_err(scenario_failure),
        }
    }
}

/// A setting that cannot be is the user's to correct.
fn open_model_failure(error: OpenModelError) -> Failure {
    match error {
        OpenModelError::Setting { .. } => Failure::bad_input(error),
        error => Failure::could_not_run(error),
    }
}

/// As above.
fn scenario_failure(error: LoadError) -> Failure {
    match error {
        LoadError::Config(error) => Failure::bad_input(error),
        LoadError::Level(error) => Failure::bad_input(error),
        error => Failure::could_not_run(error),
    }
}
