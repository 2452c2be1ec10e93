//! Makes a scaling policy of a baseline: how many requests per second one replica is to carry, and what was assumed.

use serde::Serialize;

use super::baseline::Baseline;
use super::curve::Curve;
use super::outcome::End;
use super::slo::Slo;

/// What is asked for besides the baseline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SuggestionSettings {
    /// What has to be kept; none for the SLO that the baseline was measured against.
    pub slo: Option<Slo>,
    /// The share of the measured capacity that is left free, 0 to below 1. Default 0.2.
    pub headroom: f64,
}

impl Default for SuggestionSettings {
    fn default() -> Self {
        Self { slo: None, headroom: 0.2 }
    }
}

/// After a replica is taken away the others carry more: with two, twice as much. Below this share of the rate that asks
/// for one more, not even that asks for it back.
const SCALE_DOWN_SHARE: f64 = 0.45;

/// A rate for each replica, and what it rests on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Suggestion {
    /// What is to be kept.
    pub slo: Slo,
    /// Requests per second that one replica carried within the SLO, its share of synthetic demand included, because
    /// the signal counts that, too.
    pub capacity_per_replica_rps: f64,
    /// Above so many requests per second and replica there is to be one more.
    pub scale_up_rps: f64,
    /// Below so many requests per second and replica there is to be one fewer.
    pub scale_down_rps: f64,
    /// What was taken for granted, as sentences.
    pub assumptions: Vec<String>,
}

/// Why no policy can be made of a baseline.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SuggestError {
    /// Headroom that leaves nothing, or less than nothing.
    #[error("the headroom is {0}, expected a share from 0 to below 1; hint: 0.2 leaves a fifth free")]
    Headroom(f64),
    /// Nothing kept the SLO.
    #[error("no measured rate kept the SLO ({0}); hint: allow more with --slo, or measure lower rates")]
    NoCapacity(Slo),
}

/// Suggests a rate for each replica.
///
/// # Errors
/// Where the baseline has no rate within the SLO, or the headroom leaves nothing.
pub fn suggest(baseline: &Baseline, settings: &SuggestionSettings) -> Result<Suggestion, SuggestError> {
    let headroom = settings.headroom;
    if !(0.0..1.0).contains(&headroom) {
        return Err(SuggestError::Headroom(headroom));
    }
    let curve = baseline.first_curve();
    let replicas = f64::from(curve.replicas);
    let slo = settings.slo.unwrap_or(baseline.settings.slo);
    let mut assumptions = Vec::new();
    let measured = if slo == baseline.settings.slo {
        let outcome = &curve.outcome;
        if matches!(outcome.end, End::NotReached | End::GeneratorLimited | End::Stopped | End::Plateau) {
            assumptions.push(format!("the search ended with `{}`: replicas may carry more", outcome.end));
        }
        outcome.highest_within_slo_rps
    } else {
        assumptions.push(format!(
            "the baseline was measured against {}: its levels were judged again, so the rate is as coarse as they are",
            baseline.settings.slo
        ));
        highest_within(curve, &slo)
    };
    let measured = measured.ok_or(SuggestError::NoCapacity(slo))?;
    let mut capacity = measured / replicas;
    if let Some(demand) = baseline.synthetic_demand.filter(|demand| demand.capacity_is_net_of_it) {
        let share = demand.before_rps / f64::from(demand.ready_replicas.max(1));
        capacity += share;
        assumptions.push(format!(
            "a replica carried {:.1}/s of users beside {share:.1}/s of synthetic demand; the signal counts both",
            measured / replicas
        ));
    }
    match &baseline.scaling {
        Some(scaling) => {
            let efficiencies = scaling.efficiencies();
            let lowest = efficiencies.iter().map(|(_, efficiency)| *efficiency).fold(1.0, f64::min);
            let most = scaling.points.last().map_or(1, |point| point.replicas);
            capacity *= lowest;
            assumptions.push(format!(
                "of 1 to {most} replicas each carried at least {:.0} % of what the first did; beyond {most} the same is \
                 taken for granted",
                lowest * 100.0
            ));
        }
        None => assumptions.push(
            "every further replica is taken to carry as much as the first; lab baseline --replicas 1..4 measures it"
                .to_owned(),
        ),
    }
    match curve.start_up_seconds {
        Some(seconds) => assumptions.push(format!(
            "a replica took {:.0} ms to become ready; load that grows by more than the headroom meanwhile \
             breaches the SLO",
            seconds * 1000.0
        )),
        None => assumptions.push("how long a replica takes to become ready was not measured".to_owned()),
    }
    assumptions.push("requests in production cost what the measured ones did".to_owned());
    let scale_up_rps = rounded(capacity * (1.0 - headroom));
    Ok(Suggestion {
        slo,
        capacity_per_replica_rps: capacity,
        scale_up_rps,
        scale_down_rps: rounded(scale_up_rps * SCALE_DOWN_SHARE),
        assumptions,
    })
}

/// The highest believed rate at which, and below which, the SLO was kept more often than not.
fn highest_within(curve: &Curve, slo: &Slo) -> Option<f64> {
    let levels = curve.valid_levels();
    let mut highest = None;
    let mut index = 0;
    while let Some(first) = levels.get(index) {
        let rate = first.offered_rps();
        let same: Vec<_> = levels[index..]
            .iter()
            .take_while(|level| level.offered_rps().to_bits() == rate.to_bits())
            .collect();
        let held = same.iter().filter(|level| level.keeps(slo)).count();
        if 2 * held <= same.len() {
            break;
        }
        highest = Some(rate);
        index += same.len();
    }
    highest
}

/// Three significant digits: more would claim a precision that was not measured.
fn rounded(rate: f64) -> f64 {
    if rate <= 0.0 {
        return rate;
    }
    let scale = 10_f64.powf(2.0 - rate.log10().floor());
    (rate * scale).round() / scale
}

#[cfg(test)]
mod tests;
