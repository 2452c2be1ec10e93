//! One measured level: the record, what is wrong with it, and whether it kept the SLO.

pub(crate) mod document;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::honesty::{Allowance, Check, Flaw, flaws};
use super::slo::{Slo, statistic_micros};
use super::statistics::{BatchMean, QuantileEstimate, quantile};
use crate::measurement::Measurement;
use crate::threshold::Statistic;

/// Whether a level kept the SLO.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LevelVerdict {
    /// It did.
    Held,
    /// The response time was beyond its bound.
    TooSlow,
    /// Too many requests failed, were refused or went unsent; the response time of those answered was within.
    TooManyErrors,
    /// Not to be believed.
    Void,
}

/// A level as it was measured once.
#[derive(Clone, Debug)]
pub struct Level {
    /// Its place in the order of measuring, from 1.
    pub number: u32,
    /// Load before the measured time began.
    pub warm_up: Duration,
    /// What was measured.
    pub measurement: Measurement,
    /// Why it is void; none where it is to be believed.
    pub flaws: Vec<Flaw>,
    /// Whether it kept the SLO.
    pub verdict: LevelVerdict,
}

impl Level {
    /// Judges a measurement.
    pub fn judge(
        number: u32,
        warm_up: Duration,
        measurement: Measurement,
        slo: &Slo,
        allowance: Allowance,
    ) -> Self {
        let flaws = flaws(&measurement, allowance);
        let verdict = if flaws.is_empty() { kept(&measurement, slo) } else { LevelVerdict::Void };
        Self { number, warm_up, measurement, flaws, verdict }
    }

    /// Requests per second that were asked for.
    pub fn offered_rps(&self) -> f64 {
        self.measurement.offered_rps
    }

    /// Whether it kept this SLO, which may be another than the one it was judged by.
    pub fn keeps(&self, slo: &Slo) -> bool {
        self.is_valid() && kept(&self.measurement, slo) == LevelVerdict::Held
    }

    /// Whether it is to be believed.
    pub fn is_valid(&self) -> bool {
        self.verdict != LevelVerdict::Void
    }

    /// Whether it is void for no other reason than that it did not settle.
    pub fn is_unsettled(&self) -> bool {
        !self.flaws.is_empty() && self.flaws.iter().all(|flaw| flaw.check == Check::Drift)
    }

    /// Whether it is void because of who sent, or because the record contradicts itself.
    pub fn is_void_by_generator(&self) -> bool {
        self.flaws.iter().any(Flaw::is_generators)
    }

    /// Whether it is void because nothing was answered or refused in the measured time.
    pub fn is_empty(&self) -> bool {
        self.flaws.iter().any(|flaw| flaw.check == Check::Empty)
    }

    /// The share of errors, from 0 to 1; 1 where nothing ended.
    pub fn error_share(&self) -> f64 {
        self.measurement.error_share()
    }

    /// The mean response time from the intended start, with what it may be off by; none with too few answers.
    pub fn mean(&self) -> Option<BatchMean> {
        BatchMean::of(&self.measurement.parts, self.measurement.from_intended_micros.stdev())
    }

    /// The SLO's summary of the response time, with what it may be off by; none with too few answers, and for a maximum.
    pub fn slo_statistic(&self, slo: &Slo) -> Option<QuantileEstimate> {
        let mean = self.mean()?;
        let histogram = &self.measurement.from_intended_micros;
        match slo.statistic.quantile() {
            Some(share) => quantile(histogram, share, mean.inflation),
            // How far a maximum may be off cannot be told from one measurement.
            None if slo.statistic == Statistic::Max => None,
            None => Some(QuantileEstimate {
                micros: statistic_micros(slo.statistic, histogram),
                standard_error_micros: mean.standard_error_micros,
            }),
        }
    }
}

fn kept(measurement: &Measurement, slo: &Slo) -> LevelVerdict {
    let observed = slo.observed_micros(&measurement.from_intended_micros);
    if observed.is_some_and(|micros| micros > slo.at_most_micros()) {
        LevelVerdict::TooSlow
    } else if observed.is_none() || measurement.error_share() > slo.errors_at_most {
        LevelVerdict::TooManyErrors
    } else {
        LevelVerdict::Held
    }
}
