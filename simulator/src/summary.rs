//! The result of an experiment: policies side by side, over seeds, with intervals, the oracle, and who is better how often.

use std::collections::BTreeMap;

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::measures::{Measures, mean};
use crate::model::SloTarget;

/// The version of the result's form.
const VERSION: u32 = 1;

/// The share of intervals that contain the mean.
const CONFIDENCE: f64 = 0.95;

/// The result of an experiment, as `result.json` has it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExperimentResult {
    /// Of the form.
    pub version: u32,
    /// The experiment's name.
    pub experiment: String,
    /// Whether all runs were played to their end.
    pub complete: bool,
    /// The objective.
    pub slo: SloShown,
    /// The bound; none where the objective cannot be kept at all, or it was not played.
    pub oracle: Option<OracleResult>,
    /// In the order in which they were asked for.
    pub policies: Vec<PolicyResult>,
    /// Each pair of policies over their common seeds.
    pub comparisons: Vec<Comparison>,
}

/// The objective, for readers of a result.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SloShown {
    /// The quantile, such as 0.95.
    pub quantile: f64,
    /// The response time that it must be within.
    pub response_time_ms: f64,
    /// The share of requests that may be refused or fail.
    pub errors: f64,
}

impl From<SloTarget> for SloShown {
    fn from(slo: SloTarget) -> Self {
        Self {
            quantile: slo.quantile,
            response_time_ms: slo.response_time.as_secs_f64() * 1e3,
            errors: slo.errors,
        }
    }
}

/// What the oracle's plan costs and gives, mean over seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct OracleResult {
    /// Replicas × time.
    pub replica_seconds: f64,
    /// By the experiment's prices.
    pub cost: f64,
    /// Share of requests that chance made slow, or that came before a replica could start.
    pub violating_request_share: f64,
}

/// One policy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PolicyResult {
    /// Its name.
    pub name: String,
    /// Its kind, as documents name it; `Fixed` for a fixed number.
    pub kind: String,
    /// Each run, by its seed.
    pub runs: Vec<SeededMeasures>,
    /// The means over the runs.
    #[serde(flatten)]
    pub mean: Measures,
    /// Its replica-seconds ÷ the oracle's − 1; none without an oracle.
    pub regret: Option<f64>,
    /// Whether no other policy has both fewer violating requests and fewer replica-seconds.
    pub on_pareto_front: bool,
    /// Of each measure that at least two runs tell the interval that contains its mean with 95 % confidence.
    pub intervals: BTreeMap<&'static str, [f64; 2]>,
}

/// The measures of one run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SeededMeasures {
    /// The seed.
    pub seed: u64,
    /// The measures.
    #[serde(flatten)]
    pub measures: Measures,
}

/// Two policies over the seeds that both have played.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The first policy's name.
    pub first: String,
    /// The second policy's name.
    pub second: String,
    /// The measure, of which less is better.
    pub measure: &'static str,
    /// Common seeds.
    pub seeds: usize,
    /// Seeds on which the first has less.
    pub first_less: usize,
    /// Seeds on which the second has less.
    pub second_less: usize,
}

/// A policy with the runs that were played.
#[derive(Clone, Debug)]
pub struct PolicyRuns {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// In the order of the seeds.
    pub runs: Vec<SeededMeasures>,
}

impl ExperimentResult {
    /// Puts the runs of all policies together. `oracle` has the runs of the oracle's plan; `seeds` is how many runs each
    /// policy was to play.
    pub fn new(
        experiment: &str,
        slo: SloTarget,
        oracle: Option<&[SeededMeasures]>,
        policies: Vec<PolicyRuns>,
        seeds: usize,
    ) -> Self {
        let oracle = oracle.and_then(OracleResult::of);
        let complete = policies.iter().all(|policy| policy.runs.len() == seeds);
        let comparisons = comparisons(&policies);
        let mut results: Vec<PolicyResult> =
            policies.into_iter().map(|policy| PolicyResult::of(policy, oracle)).collect();
        let points: Vec<Option<(f64, f64)>> = results.iter().map(PolicyResult::point).collect();
        for (result, own) in results.iter_mut().zip(&points) {
            result.on_pareto_front =
                own.is_some_and(|own| !points.iter().flatten().any(|other| dominates(*other, own)));
        }
        let experiment = experiment.to_owned();
        Self {
            version: VERSION,
            experiment,
            complete,
            slo: slo.into(),
            oracle,
            policies: results,
            comparisons,
        }
    }
}

impl OracleResult {
    fn of(runs: &[SeededMeasures]) -> Option<Self> {
        let mean = Measures::mean(&measures_of(runs));
        Some(Self {
            replica_seconds: mean.replica_seconds?,
            cost: mean.cost?,
            violating_request_share: mean.violating_request_share?,
        })
    }
}

impl PolicyResult {
    fn of(policy: PolicyRuns, oracle: Option<OracleResult>) -> Self {
        let measures = measures_of(&policy.runs);
        let mean = Measures::mean(&measures);
        let columns = Measures::NAMES.iter().enumerate();
        let intervals = columns
            .filter_map(|(place, name)| Some((*name, interval(&Measures::column(&measures, place))?)))
            .collect();
        let regret = oracle
            .filter(|oracle| oracle.replica_seconds > 0.0)
            .and_then(|oracle| Some(mean.replica_seconds? / oracle.replica_seconds - 1.0));
        let PolicyRuns { name, kind, runs } = policy;
        Self { name, kind, runs, mean, regret, on_pareto_front: false, intervals }
    }

    fn point(&self) -> Option<(f64, f64)> {
        Some((self.mean.violating_request_share?, self.mean.replica_seconds?))
    }
}

fn measures_of(runs: &[SeededMeasures]) -> Vec<&Measures> {
    runs.iter().map(|run| &run.measures).collect()
}

/// Whether the first is no worse in both and better in one.
fn dominates(first: (f64, f64), second: (f64, f64)) -> bool {
    first.0 <= second.0 && first.1 <= second.1 && (first.0 < second.0 || first.1 < second.1)
}

/// The interval of the mean by Student's distribution; none of fewer than two values.
fn interval(values: &[f64]) -> Option<[f64; 2]> {
    let mean = mean(values)?;
    let freedom = values.len().checked_sub(1).filter(|freedom| *freedom > 0)? as f64;
    let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / freedom;
    let quantile = StudentsT::new(0.0, 1.0, freedom).ok()?.inverse_cdf(f64::midpoint(1.0, CONFIDENCE));
    let reach = quantile * (variance / values.len() as f64).sqrt();
    Some([mean - reach, mean + reach])
}

/// What policies are compared by, seed by seed.
const COMPARED: [&str; 3] = ["violating_request_share", "replica_seconds", "cost"];

fn comparisons(policies: &[PolicyRuns]) -> Vec<Comparison> {
    let mut found = Vec::new();
    for (place, first) in policies.iter().enumerate() {
        for second in &policies[place + 1..] {
            for measure in COMPARED {
                found.push(compare(first, second, measure));
            }
        }
    }
    found
}

fn compare(first: &PolicyRuns, second: &PolicyRuns, measure: &'static str) -> Comparison {
    let place = Measures::NAMES.iter().position(|name| *name == measure).expect("it is a measure");
    let value = |run: &SeededMeasures| Measures::column(&[&run.measures], place).first().copied();
    let (mut seeds, mut first_less, mut second_less) = (0, 0, 0);
    for run in &first.runs {
        let other = second.runs.iter().find(|other| other.seed == run.seed);
        let Some((one, two)) = other.and_then(|other| Some((value(run)?, value(other)?))) else { continue };
        seeds += 1;
        first_less += usize::from(one < two);
        second_less += usize::from(two < one);
    }
    let (first, second) = (first.name.clone(), second.name.clone());
    Comparison { first, second, measure, seeds, first_less, second_less }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(name: &str, of_seeds: &[(f64, f64)]) -> PolicyRuns {
        let runs = (1..).zip(of_seeds).map(|(seed, (share, seconds))| SeededMeasures {
            seed,
            measures: Measures {
                violating_request_share: Some(*share),
                replica_seconds: Some(*seconds),
                cost: Some(seconds / 100.0),
                ..Measures::default()
            },
        });
        PolicyRuns { name: name.to_owned(), kind: "Fixed".to_owned(), runs: runs.collect() }
    }

    fn result() -> ExperimentResult {
        let slo =
            SloTarget { quantile: 0.95, response_time: std::time::Duration::from_millis(250), errors: 0.001 };
        let oracle = policy("oracle", &[(0.0, 80.0), (0.0, 120.0)]).runs;
        let policies = vec![
            policy("cheap", &[(0.2, 90.0), (0.4, 130.0)]),
            policy("good", &[(0.1, 200.0), (0.1, 200.0)]),
            policy("bad", &[(0.3, 210.0), (0.2, 220.0)]),
        ];
        ExperimentResult::new("test", slo, Some(&oracle), policies, 2)
    }

    #[test]
    fn regret_front_and_comparisons_by_hand() {
        let result = result();
        let regret: Vec<f64> = result.policies.iter().filter_map(|policy| policy.regret).collect();
        assert!(regret.iter().zip([0.1, 1.0, 1.15]).all(|(found, expected)| (found - expected).abs() < 1e-9));
        let front: Vec<bool> = result.policies.iter().map(|policy| policy.on_pareto_front).collect();
        assert_eq!(front, [true, true, false]);
        let compared = &result.comparisons[1];
        assert_eq!((compared.first.as_str(), compared.second.as_str()), ("cheap", "good"));
        assert_eq!((compared.measure, compared.seeds, compared.first_less), ("replica_seconds", 2, 2));
        assert!(result.complete);
    }

    #[test]
    fn intervals_are_students() {
        // Mean 2, standard deviation 1, three values: 4.3027 × 1 ÷ √3.
        let [low, high] = interval(&[1.0, 2.0, 3.0]).unwrap();
        assert!((low + 0.4841).abs() < 1e-3 && (high - 4.4841).abs() < 1e-3, "{low} to {high}");
        assert_eq!(interval(&[1.0]), None);
    }

    #[test]
    fn json_has_the_fixed_names() {
        let json = serde_json::to_value(result()).unwrap();
        for path in [
            "/version",
            "/experiment",
            "/slo/quantile",
            "/oracle/replica_seconds",
            "/oracle/cost",
            "/oracle/violating_request_share",
            "/policies/0/name",
            "/policies/0/kind",
            "/policies/0/runs/0/seed",
            "/policies/0/runs/0/replica_seconds",
            "/policies/0/regret",
            "/policies/0/on_pareto_front",
            "/policies/0/intervals/replica_seconds/1",
        ] {
            assert!(json.pointer(path).is_some(), "{path} is missing");
        }
        for name in Measures::NAMES {
            assert!(json.pointer(&format!("/policies/0/{name}")).is_some(), "{name} is missing");
        }
    }
}
