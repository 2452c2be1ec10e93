//! What must hold of a result, written as `p95=250ms`, and whether it did.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::measurement::error_sum::ErrorSum;
use crate::measurement::latency::Latency;

/// A summary of the response times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Statistic {
    /// The mean.
    Mean,
    /// The median.
    P50,
    /// What 95 % of the answers stayed within.
    P95,
    /// What 99 % of the answers stayed within.
    P99,
    /// The longest.
    Max,
}

impl Statistic {
    const ALL: [Self; 5] = [Self::Mean, Self::P50, Self::P95, Self::P99, Self::Max];

    /// The name in a threshold.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::P50 => "p50",
            Self::P95 => "p95",
            Self::P99 => "p99",
            Self::Max => "max",
        }
    }

    /// The share of answers that it is the bound of, from 0 to 1; none for mean and maximum.
    pub fn quantile(self) -> Option<f64> {
        match self {
            Self::P50 => Some(0.50),
            Self::P95 => Some(0.95),
            Self::P99 => Some(0.99),
            Self::Mean | Self::Max => None,
        }
    }

    fn of(self, latency: &Latency) -> f64 {
        match self {
            Self::Mean => latency.mean_ms,
            Self::P50 => latency.p50_ms,
            Self::P95 => latency.p95_ms,
            Self::P99 => latency.p99_ms,
            Self::Max => latency.max_ms,
        }
    }
}

/// What must hold of a run as a whole, all requests together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Threshold {
    /// `p95=250ms`: response times stay within a bound.
    Latency {
        /// Which summary of them.
        statistic: Statistic,
        /// The bound; more than 0.
        at_most: Duration,
    },
    /// `errors=1%`: of all requests at most this share failed, was refused, got no answer, or was due and never sent.
    Errors {
        /// The bound, as a fraction from 0 to 1.
        at_most: f64,
    },
    /// `rps=20`: at least so many requests per second succeeded. Failures and refusals do not help to reach it.
    SuccessesPerSecond {
        /// The bound; more than 0.
        at_least: f64,
    },
}

/// A text that is no threshold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("threshold `{text}` is not understood, expected {expected}; hint: {hint}")]
pub struct ThresholdError {
    /// What was given.
    pub text: String,
    /// What would do.
    pub expected: &'static str,
    /// What to do next.
    pub hint: String,
}

impl FromStr for Threshold {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, ThresholdError> {
        let refuse = |expected, hint: &str| {
            Err(ThresholdError { text: text.to_owned(), expected, hint: hint.to_owned() })
        };
        let Some((name, bound)) = text.split_once('=') else {
            return refuse("a name and a bound such as p95=250ms", "name and bound are joined by `=`");
        };
        let (name, bound) = (name.trim(), bound.trim());
        if let Some(statistic) = Statistic::ALL.into_iter().find(|statistic| statistic.name() == name) {
            // Said here and not left to the library: a number alone means milliseconds to one reader and seconds to the
            // next, and a bound a thousand times too wide holds always.
            if bound.parse::<f64>().is_ok() {
                let hint = format!("a unit is missing: {name}={bound}ms, or {name}={bound}s");
                return refuse("a duration with its unit, such as p95=250ms or mean=1s", &hint);
            }
            return match humantime::parse_duration(bound) {
                Ok(at_most) if !at_most.is_zero() => Ok(Self::Latency { statistic, at_most }),
                _ => refuse("a duration above 0 such as p95=250ms or mean=1s", "p95=250ms is one"),
            };
        }
        match name {
            "errors" => {
                let percent =
                    bound.strip_suffix('%').and_then(|number| number.trim_end().parse::<f64>().ok());
                match percent {
                    Some(percent) if (0.0..=100.0).contains(&percent) => {
                        Ok(Self::Errors { at_most: percent / 100.0 })
                    }
                    _ => refuse(
                        "a percentage from 0% to 100%",
                        "errors=1% allows one request in a hundred to fail, be refused or go unanswered",
                    ),
                }
            }
            "rps" => match bound.parse::<f64>() {
                Ok(at_least) if at_least > 0.0 && at_least.is_finite() => {
                    Ok(Self::SuccessesPerSecond { at_least })
                }
                _ => refuse("a number above 0", "rps=20 asks for 20 successful requests per second"),
            },
            _ => refuse(
                "one of mean, p50, p95, p99, max, errors, rps",
                "p95=250ms, errors=1% and rps=20 are three examples",
            ),
        }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latency { statistic, at_most } => {
                // humantime separates parts by blanks; without them it is read back all the same.
                let bound = humantime::format_duration(*at_most).to_string().replace(' ', "");
                write!(formatter, "{}={bound}", statistic.name())
            }
            // Rounded where the binary fraction shows, as in 0.07 × 100.
            Self::Errors { at_most } => write!(formatter, "errors={}%", (at_most * 1e12).round() / 1e10),
            Self::SuccessesPerSecond { at_least } => write!(formatter, "rps={at_least}"),
        }
    }
}

impl From<Threshold> for String {
    fn from(threshold: Threshold) -> Self {
        threshold.to_string()
    }
}

impl TryFrom<String> for Threshold {
    type Error = ThresholdError;

    fn try_from(text: String) -> Result<Self, ThresholdError> {
        text.parse()
    }
}

/// What a threshold is held against.
#[derive(Clone, Copy, Debug)]
pub struct Observed {
    /// All requests of the run, and which of them are errors.
    pub errors: ErrorSum,
    /// Requests that succeeded, per second.
    pub successes_per_second: f64,
    /// The response times; none where nothing was answered.
    pub latency: Option<Latency>,
}

/// Whether a threshold held.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// What had to hold.
    pub threshold: Threshold,
    /// What was observed: milliseconds, a fraction from 0 to 1, or requests per second. `None` where there was
    /// nothing to observe, such as the response time of a service that answered nothing; then it did not hold.
    pub observed: Option<f64>,
    /// What the share of errors is made of; `None` for other thresholds.
    pub errors: Option<ErrorSum>,
    /// Whether it held.
    pub held: bool,
}

impl Verdict {
    /// Holds a threshold against what was observed.
    pub fn new(threshold: Threshold, run: &Observed) -> Self {
        let (observed, held) = match threshold {
            Threshold::Latency { statistic, at_most } => {
                let observed = run.latency.as_ref().map(|latency| statistic.of(latency));
                (observed, observed.is_some_and(|observed_ms| observed_ms <= at_most.as_secs_f64() * 1000.0))
            }
            Threshold::Errors { at_most } => {
                let observed = run.errors.share();
                (observed, observed.is_some_and(|share| share <= at_most))
            }
            Threshold::SuccessesPerSecond { at_least } => {
                (Some(run.successes_per_second), run.successes_per_second >= at_least)
            }
        };
        let errors = matches!(threshold, Threshold::Errors { .. }).then_some(run.errors);
        Self { threshold, observed, errors, held }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.held { "held" } else { "NOT held" };
        write!(formatter, "{} {word}: ", self.threshold)?;
        match (self.observed, self.threshold) {
            (Some(_), Threshold::Errors { .. }) if self.errors.is_some() => {
                self.errors.unwrap_or_default().fmt(formatter)
            }
            (None, _) => formatter.write_str("nothing was observed"),
            (Some(observed), Threshold::Latency { .. }) => write!(formatter, "{observed:.1} ms"),
            (Some(observed), Threshold::Errors { .. }) => write!(formatter, "{:.2} %", observed * 100.0),
            (Some(observed), Threshold::SuccessesPerSecond { .. }) => write!(formatter, "{observed:.2}/s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ErrorSum, Latency, Observed, Threshold, Verdict};

    const RUN: Observed = Observed {
        errors: ErrorSum { failed: 4, refused: 3, unanswered: 2, unsent: 1, requests: 1000 },
        successes_per_second: 99.0,
        latency: Some(Latency { mean_ms: 80.0, p50_ms: 70.0, p95_ms: 250.0, p99_ms: 400.0, max_ms: 900.0 }),
    };

    fn held(text: &str, run: &Observed) -> bool {
        Verdict::new(text.parse().expect(text), run).held
    }

    #[test]
    fn a_threshold_holds_up_to_its_bound_and_not_beyond() {
        for text in ["mean=80ms", "p50=1s", "p95=250ms", "p99=400ms", "max=1m", "errors=1%", "rps=99"] {
            assert!(held(text, &RUN), "{text}");
        }
        for text in ["mean=79ms", "p95=249ms", "p99=399ms", "max=100us", "errors=0.99%", "rps=99.1"] {
            assert!(!held(text, &RUN), "{text}");
        }
    }

    #[test]
    fn nothing_observed_never_holds() {
        let nothing = Observed { errors: ErrorSum::default(), successes_per_second: 0.0, latency: None };
        for text in ["p95=1h", "errors=100%", "rps=0.001"] {
            assert!(!held(text, &nothing), "{text}");
        }
    }

    #[test]
    fn a_threshold_is_read_back_from_its_text() {
        for text in ["p95=250ms", "mean=1s500ms", "errors=0.1%", "errors=7%", "errors=100%", "rps=12.5"] {
            let threshold: Threshold = text.parse().expect(text);
            assert_eq!(threshold.to_string(), text);
            let json = serde_json::to_string(&threshold).unwrap();
            assert_eq!(serde_json::from_str::<Threshold>(&json).unwrap(), threshold);
        }
    }

    #[test]
    fn a_bound_without_a_unit_is_refused_with_the_units_it_may_mean() {
        for (text, hint) in
            [("p95=50", "hint: a unit is missing: p95=50ms, or p95=50s"), ("mean = 0.25", "mean=0.25ms")]
        {
            let error = text.parse::<Threshold>().expect_err(text).to_string();
            assert!(error.contains(hint), "{error}");
        }
    }

    #[test]
    fn what_is_no_threshold_is_refused_with_a_hint() {
        for text in [
            "p95",
            "p95=",
            "p95=250",
            "p95=0s",
            "p96=1s",
            "errors=0.01",
            "errors=101%",
            "errors=NaN%",
            "rps=0",
            "rps=inf",
            "",
        ] {
            let error = text.parse::<Threshold>().expect_err(text);
            assert!(error.to_string().contains(&format!("`{text}`")), "{error}");
        }
    }
}
