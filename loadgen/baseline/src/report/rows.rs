//! The words and numbers that several reports share.

use std::fmt::Write as _;

use crate::baseline::Baseline;
use crate::curve::Curve;
use crate::level::{Level, LevelVerdict};
use crate::measurement::failure_kind::FailureKind;
use crate::outcome::End;

/// A residual of more standard errors than this is not chance.
const UNEXPLAINED: f64 = 3.0;

/// How many kinds of error of requests a sentence names.
const NAMED_ERRORS: usize = 6;

/// What the level's verdict is called.
pub(super) fn verdict(level: &Level) -> &'static str {
    match level.verdict {
        LevelVerdict::Held => "held",
        LevelVerdict::TooSlow => "too slow",
        LevelVerdict::TooManyErrors => "errors",
        LevelVerdict::Void => "void",
    }
}

/// A quantile in milliseconds; none where nothing was answered.
pub fn milliseconds(level: &Level, share: f64) -> Option<f64> {
    let histogram = &level.measurement.from_intended_micros;
    (!histogram.is_empty()).then(|| histogram.value_at_quantile(share) as f64 / 1000.0)
}

/// The mean in milliseconds; none where nothing was answered.
pub fn mean_milliseconds(level: &Level) -> Option<f64> {
    let histogram = &level.measurement.from_intended_micros;
    (!histogram.is_empty()).then(|| histogram.mean() / 1000.0)
}

/// The errors of a level as a sum; none without an error.
pub(super) fn error_sum(level: &Level) -> Option<String> {
    let measurement = &level.measurement;
    let (errors, all) = (measurement.errors(), measurement.errors() + measurement.successes());
    if errors == 0 {
        return None;
    }
    let mut text = format!("{} failed + {} refused", measurement.failed(), measurement.refused);
    for (count, name) in [(measurement.unsent, "unsent"), (measurement.late_errors, "after the end")] {
        if count > 0 {
            write!(text, " + {count} {name}").expect("a string takes whatever is written");
        }
    }
    Some(format!("{text} of {all} requests"))
}

/// The failures of a level by kind.
pub(super) fn failures(level: &Level) -> String {
    let kinds: Vec<String> =
        level.measurement.failures.iter().map(|(kind, count)| format!("{kind}: {count}")).collect();
    kinds.join("; ")
}

/// Which request had which error, the most frequent first, such as ``7 × status 500 of `3 POST /order` ``.
pub(super) fn errors_by_request(baseline: &Baseline, level: &Level) -> Vec<String> {
    let mut counts: Vec<_> = level.measurement.errors_by_request.iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    counts
        .into_iter()
        .map(|((request, error), count)| {
            match request.and_then(|place| baseline.target.requests.get(place)) {
                Some(name) => format!("{count} × {error} of `{name}`"),
                None => format!("{count} × {error}"),
            }
        })
        .collect()
}

/// The same for a sentence, which names the most frequent; none where there is only one request to have errors.
fn blamed_requests(baseline: &Baseline, level: &Level) -> Option<String> {
    let errors = errors_by_request(baseline, level);
    if baseline.target.requests.len() < 2 || errors.is_empty() {
        return None;
    }
    let named = errors.iter().take(NAMED_ERRORS).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = errors.len().saturating_sub(NAMED_ERRORS);
    let more = if more > 0 {
        format!(", and {more} more kinds, all of them in CSV and JSON")
    } else {
        String::new()
    };
    Some(format!("by request: {named}{more}"))
}

/// What a reader must know of the requests of each level, a sentence each: which errors there were and of which requests,
/// what ended after the measured time, and what was sent a second time.
pub fn request_notes(baseline: &Baseline, curve: &Curve) -> impl Iterator<Item = String> {
    by_rate(curve).into_iter().filter_map(|level| {
        let measurement = &level.measurement;
        let mut parts = Vec::new();
        if let Some(sum) = error_sum(level) {
            let kinds = failures(level);
            let kinds = if kinds.is_empty() { kinds } else { format!(": {kinds}") };
            parts.push(format!("errors {:.2} % ({sum}){kinds}", level.error_share() * 100.0));
        }
        parts.extend(blamed_requests(baseline, level));
        if measurement.failures.contains_key(&FailureKind::RedirectElsewhere) {
            parts.push("hint: --host names another service than the one it redirects to; measure that one".to_owned());
        }
        if measurement.ended_late > 0 {
            parts.push(format!("{} requests ended after the measured time", measurement.ended_late));
        }
        if measurement.repeated > 0 {
            parts.push(format!(
                "{} requests were sent a second time, because the service had closed the connection that was reused",
                measurement.repeated
            ));
        }
        (!parts.is_empty()).then(|| format!("at {:.1}/s: {}", level.offered_rps(), parts.join("; ")))
    })
}

/// Every level of a curve, lowest rate first, repeated ones in the order of measuring.
pub(super) fn by_rate(curve: &Curve) -> Vec<&Level> {
    let mut levels: Vec<&Level> = curve.levels.iter().collect();
    levels.sort_by(|left, right| {
        left.offered_rps().total_cmp(&right.offered_rps()).then(left.number.cmp(&right.number))
    });
    levels
}

/// The sentences that sum a curve up.
pub fn findings(baseline: &Baseline, curve: &Curve) -> Vec<String> {
    let (outcome, slo) = (&curve.outcome, &baseline.settings.slo);
    let rate = |rate: f64| format!("{rate:.1}/s");
    let mut findings = vec![match (outcome.highest_within_slo_rps, outcome.lowest_beyond_slo_rps) {
        (Some(within), Some(beyond)) if outcome.end == End::GeneratorLimited => format!(
            "highest rate within the SLO ({slo}) that the generator could offer: {}; at {} every level was void",
            rate(within),
            rate(beyond)
        ),
        (Some(within), Some(beyond)) => format!(
            "highest rate within the SLO ({slo}): {}; at {} it was breached: {}",
            rate(within),
            rate(beyond),
            outcome.end
        ),
        (Some(within), None) => format!(
            "highest rate within the SLO ({slo}): {}, the highest that was tried: {}",
            rate(within),
            outcome.end
        ),
        (None, Some(beyond)) if outcome.end == End::GeneratorLimited => {
            format!("nothing is known about the SLO ({slo}): at {} every level was void", rate(beyond))
        }
        (None, Some(beyond)) => {
            format!("no rate was within the SLO ({slo}), not even {}: {}", rate(beyond), outcome.end)
        }
        (None, None) => format!("nothing is known about the SLO ({slo}): {}", outcome.end),
    }];
    findings.push(match outcome.knee_rps {
        Some(knee) => format!("knee, the most throughput per response time: {}", rate(knee)),
        None => "knee: not among the rates that were measured".to_owned(),
    });
    findings.push(match curve.plateau() {
        Some((plateau, error)) => {
            format!("plateau, the most that was served: {} ± {:.1}", rate(plateau), 1.96 * error)
        }
        None => "plateau: not reached".to_owned(),
    });
    findings.push(match (&curve.latency_fit, curve.latency_fit_refused) {
        (Some(fit), _) => format!("fit: {fit}"),
        (None, Some(refusal)) => format!("fit: none, {refusal}"),
        (None, None) => "fit: none".to_owned(),
    });
    let beyond = curve.latency_fit.iter().flat_map(|fit| &fit.residuals);
    let beyond: Vec<String> = beyond
        .filter(|residual| residual.standard_errors.abs() > UNEXPLAINED)
        .map(|residual| {
            format!("{} by {:+.1} standard errors", rate(residual.rate_rps), residual.standard_errors)
        })
        .collect();
    if !beyond.is_empty() {
        findings.push(format!("the fit does not explain what was measured at {}", beyond.join(", ")));
    }
    if let Some(seconds) = curve.start_up_seconds {
        findings.push(format!("start-up of a replica until it was ready: {:.0} ms", seconds * 1000.0));
    }
    if outcome.end == End::GeneratorLimited {
        findings.push("the generator was the limit: the service may carry more than is said here".to_owned());
    }
    findings
}

/// What was sent.
fn sent(baseline: &Baseline) -> String {
    let requests = format!("requests: {}", baseline.target.requests.join(", "));
    match &baseline.target.scenario {
        Some(scenario) => format!("{scenario}; {requests}"),
        None => requests,
    }
}

/// The sentences about the whole file.
pub fn context(baseline: &Baseline) -> Vec<String> {
    let target = match &baseline.target.host {
        Some(host) => format!("target: {host}"),
        None => "target: replicas that the lab started".to_owned(),
    };
    let mut sentences = vec![
        format!("{target}; {}", sent(baseline)),
        format!(
            "seed {}, {} arrivals, levels of {} s after {} s, {}, {} cores, lab {}, {}",
            baseline.seed,
            baseline.settings.arrivals,
            baseline.settings.hold_seconds,
            baseline.settings.warm_up_seconds,
            baseline.environment.system,
            baseline.environment.cores,
            baseline.lab_version,
            baseline.created_at
        ),
    ];
    if let Some(demand) = &baseline.synthetic_demand {
        sentences.push(if demand.capacity_is_net_of_it {
            format!(
                "the service made {:.1}/s itself before and {:.1}/s after: the rates here come on top of that, and \
                 capacity is what was left",
                demand.before_rps, demand.after_rps
            )
        } else {
            "the service made no demand of its own: capacity is all of it".to_owned()
        });
    }
    if let Some(scaling) = &baseline.scaling {
        sentences.push(format!("scaling law: {scaling}"));
        let efficiencies: Vec<String> = scaling
            .efficiencies()
            .iter()
            .map(|(replicas, share)| format!("{replicas}: {:.0} %", share * 100.0))
            .collect();
        sentences.push(format!("efficiency by replicas: {}", efficiencies.join(", ")));
        let beyond = scaling.residuals.iter().filter(|residual| residual.standard_errors.abs() > UNEXPLAINED);
        let beyond: Vec<String> = beyond
            .map(|residual| {
                format!("{} by {:+.1} standard errors", residual.replicas, residual.standard_errors)
            })
            .collect();
        if !beyond.is_empty() {
            sentences.push(format!(
                "the scaling law does not explain what was measured with replicas: {}",
                beyond.join(", ")
            ));
        }
    }
    sentences
}
