//! What is sent at each level of a baseline, how long, and what has to be kept.

use std::time::Duration;

use clap::Args;
use loadgen::{Scenario, Threshold};
use loadgen_baseline::{Rates, ScenarioDescription, SearchPlan, Slo, TargetDescription};
use tokio_util::sync::CancellationToken;
use workload::Arrivals;

use super::request::RequestSpec;
use super::values::duration;
use crate::baseline::{Measuring, Traffic};
use crate::failure::Failure;
use crate::stop_signal::StopSignals;

/// How levels are measured, for `lab baseline` and its comparison by turns.
#[derive(Clone, Debug, Args)]
pub(crate) struct MeasuringArguments {
    /// What has to be kept: p95=250ms, and errors=0.1% (failed, refused, unanswered and unsent requests)
    #[arg(long, value_name = "NAME=VALUE", value_delimiter = ',', default_value = "p95=250ms")]
    slo: Vec<Threshold>,
    /// What to send, as `METHOD PATH`, a weight before and a body in JSON after it if wanted; several are drawn by weight
    #[arg(long, value_name = "REQUEST", default_value = "GET /")]
    request: Vec<RequestSpec>,
    /// Send the requests of a scenario's users instead: a shipped one, or the path of a file, as for lab load
    #[arg(long, value_name = "SCENARIO", conflicts_with = "request")]
    scenario: Option<String>,
    /// Of the scenario, only the tasks and users that have one of these tags
    #[arg(long, value_name = "TAG", value_delimiter = ',', requires = "scenario")]
    tags: Vec<String>,
    /// Load before each level is measured
    #[arg(long, value_name = "DURATION", default_value = "3s", value_parser = duration)]
    warm_up: Duration,
    /// How long each level is measured
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = duration)]
    hold: Duration,
    /// How requests follow one another: poisson or constant
    #[arg(long, value_name = "NAME", default_value_t = Arrivals::Poisson)]
    arrivals: Arrivals,
    /// Connections, and so requests in flight at most; with --scenario users of each kind
    #[arg(long, value_name = "N", default_value_t = 512)]
    connections: usize,
    /// What 99 % of the sends may be late by before a level is void [default: a twentieth of the SLO's bound, at least 5ms]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    lateness: Option<Duration>,
    /// How long a request may take, redirects on the same host included
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    timeout: Duration,
}

impl MeasuringArguments {
    /// How long each level is measured.
    pub(crate) fn hold(&self) -> Duration {
        self.hold
    }

    /// The SLO, checked.
    pub(crate) fn slo(&self) -> Result<Slo, Failure> {
        Slo::try_from(self.slo.clone()).map_err(Failure::bad_input)
    }

    /// All that is needed to measure levels at these rates; stop signals are caught from here on.
    pub(crate) fn measuring(
        &self,
        rates: Rates,
        longest_hold: Duration,
        seed: u64,
    ) -> Result<Measuring, Failure> {
        let slo = self.slo()?;
        let lateness = self.lateness.unwrap_or_else(|| slo.lateness_that_does_not_matter());
        let traffic = self.traffic()?;
        let stop = self.catch_signals()?;
        Ok(Measuring {
            plan: SearchPlan {
                slo,
                rates,
                warm_up: self.warm_up,
                hold: self.hold,
                longest_hold,
                allowance: loadgen_baseline::Allowance { connections: self.connections, lateness },
            },
            traffic,
            arrivals: self.arrivals,
            timeout: self.timeout,
            seed,
            stop,
        })
    }

    /// What is sent, as the file says it.
    pub(crate) fn describe(&self, traffic: &Traffic) -> TargetDescription {
        let requests = match traffic {
            Traffic::Requests(_) => self.request.iter().map(ToString::to_string).collect(),
            Traffic::Scenario(scenario) => scenario.request_names().to_vec(),
        };
        let scenario = self
            .scenario
            .as_ref()
            .map(|scenario| ScenarioDescription { name: scenario.clone(), tags: self.tags.clone() });
        TargetDescription { requests, scenario, ..TargetDescription::default() }
    }

    fn traffic(&self) -> Result<Traffic, Failure> {
        Ok(match &self.scenario {
            Some(scenario) => {
                Traffic::Scenario(Scenario::load(scenario, &self.tags).map_err(Failure::bad_input)?)
            }
            None => Traffic::Requests(self.request.iter().map(RequestSpec::weighted).collect()),
        })
    }

    fn catch_signals(&self) -> Result<CancellationToken, Failure> {
        if self.scenario.is_some() {
            StopSignals::keep_from_goose()?;
        }
        Ok(StopSignals::catch()?.into_token())
    }
}
