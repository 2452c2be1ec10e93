//! What a level must keep: one bound on the response time, one on the share of requests that were not served.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::threshold::{Statistic, Threshold};

/// The share of requests that may stay unserved where nothing else is asked for.
const DEFAULT_ERRORS_AT_MOST: f64 = 0.001;

/// A service level objective that levels are judged by: what a user of the load generator asks for.
///
/// The scaler's `scaler_engine::Slo` is another thing: the one fixed bound on p95 that the live page draws, which judges
/// nothing here.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Threshold>", into = "Vec<Threshold>")]
pub struct Slo {
    /// Which summary of the response times is bounded.
    pub statistic: Statistic,
    /// The bound, from the intended start to the last byte.
    pub at_most: Duration,
    /// Of all requests at most this share may fail, be refused or go unsent; from 0 to 1. Default 0.001.
    pub errors_at_most: f64,
}

/// Thresholds that make no SLO.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an SLO of `{given}` is not understood, expected {expected}; hint: p95=250ms,errors=0.1% is one")]
pub struct SloError {
    /// What was given.
    pub given: String,
    /// What would do.
    pub expected: &'static str,
}

impl Default for Slo {
    /// p95 ≤ 250 ms, and 99.9 % served.
    fn default() -> Self {
        Self {
            statistic: Statistic::P95,
            at_most: Duration::from_millis(250),
            errors_at_most: DEFAULT_ERRORS_AT_MOST,
        }
    }
}

impl Slo {
    /// The bounded summary in microseconds; none where nothing was answered.
    pub fn observed_micros(&self, from_intended_micros: &Histogram<u64>) -> Option<f64> {
        (!from_intended_micros.is_empty()).then(|| statistic_micros(self.statistic, from_intended_micros))
    }

    /// How late sends may be so that it does not matter to the bound: a twentieth of it, but at least 5 ms.
    pub fn lateness_that_does_not_matter(&self) -> Duration {
        (self.at_most / 20).max(Duration::from_millis(5))
    }

    /// The bound in microseconds.
    pub fn at_most_micros(&self) -> f64 {
        self.at_most.as_secs_f64() * 1e6
    }
}

/// A summary of a histogram that is not empty.
pub(crate) fn statistic_micros(statistic: Statistic, histogram: &Histogram<u64>) -> f64 {
    match statistic.quantile() {
        Some(quantile) => histogram.value_at_quantile(quantile) as f64,
        None if statistic == Statistic::Mean => histogram.mean(),
        None => histogram.max() as f64,
    }
}

impl TryFrom<Vec<Threshold>> for Slo {
    type Error = SloError;

    fn try_from(thresholds: Vec<Threshold>) -> Result<Self, SloError> {
        let refuse = |expected| {
            let given: Vec<String> = thresholds.iter().map(ToString::to_string).collect();
            Err(SloError { given: given.join(","), expected })
        };
        let (mut latency, mut errors) = (None, None);
        for threshold in &thresholds {
            let twice = match *threshold {
                Threshold::Latency { statistic, at_most } => latency.replace((statistic, at_most)).is_some(),
                Threshold::Errors { at_most } => errors.replace(at_most).is_some(),
                Threshold::SuccessesPerSecond { .. } => {
                    return refuse("a response time and a share of errors: the rate is what is looked for");
                }
            };
            if twice {
                return refuse("at most one bound of each kind");
            }
        }
        let Some((statistic, at_most)) = latency else {
            return refuse("a bound on the response time");
        };
        Ok(Self { statistic, at_most, errors_at_most: errors.unwrap_or(DEFAULT_ERRORS_AT_MOST) })
    }
}

impl From<Slo> for Vec<Threshold> {
    fn from(slo: Slo) -> Self {
        vec![
            Threshold::Latency { statistic: slo.statistic, at_most: slo.at_most },
            Threshold::Errors { at_most: slo.errors_at_most },
        ]
    }
}

impl fmt::Display for Slo {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = Vec::<Threshold>::from(*self).iter().map(ToString::to_string).collect();
        formatter.write_str(&parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::{Slo, Threshold};

    fn slo(texts: &[&str]) -> Result<Slo, super::SloError> {
        let thresholds: Vec<Threshold> = texts.iter().map(|text| text.parse().expect(text)).collect();
        thresholds.try_into()
    }

    #[test]
    fn an_slo_is_one_response_time_and_perhaps_a_share_of_errors() {
        assert_eq!(slo(&["p95=250ms"]), Ok(Slo::default()));
        assert_eq!(slo(&["errors=1%", "p95=250ms"]).unwrap().to_string(), "p95=250ms, errors=1%");
        for (texts, part) in [
            (&["errors=1%"][..], "response time"),
            (&["p95=250ms", "p99=1s"], "at most one"),
            (&["p95=250ms", "rps=20"], "looked for"),
            (&[], "response time"),
        ] {
            let error = slo(texts).unwrap_err().to_string();
            assert!(error.contains(part), "{texts:?}: {error}");
        }
    }
}
