//! What must hold of a file besides the type of each field.

use crate::baseline::Baseline;
use crate::curve::Curve;

/// The path of the first field that cannot be, with what is wrong about it.
pub(super) fn check(baseline: &Baseline) -> Result<(), (String, String)> {
    if baseline.curves.is_empty() {
        return Err(("curves".to_owned(), "is empty, expected at least one curve".to_owned()));
    }
    if let Some(capacity) = baseline.capacity_per_replica_rps {
        positive("capacity_per_replica_rps", capacity)?;
    }
    for (index, curve) in baseline.curves.iter().enumerate() {
        check_curve(&format!("curves[{index}]"), curve, baseline.target.requests.len())?;
    }
    Ok(())
}

fn check_curve(path: &str, curve: &Curve, requests: usize) -> Result<(), (String, String)> {
    if curve.replicas == 0 {
        return Err((format!("{path}.replicas"), "is 0, expected at least 1".to_owned()));
    }
    let outcome = &curve.outcome;
    for (field, value) in [
        ("highest_within_slo_rps", outcome.highest_within_slo_rps),
        ("lowest_beyond_slo_rps", outcome.lowest_beyond_slo_rps),
        ("plateau_rps", outcome.plateau_rps),
        ("knee_rps", outcome.knee_rps),
    ] {
        if let Some(value) = value {
            positive(&format!("{path}.outcome.{field}"), value)?;
        }
    }
    for (index, level) in curve.levels.iter().enumerate() {
        let places = level.measurement.errors_by_request.keys().filter_map(|(request, _)| *request);
        if let Some(place) = places.filter(|place| *place >= requests).max() {
            return Err((
                format!("{path}.levels[{index}].errors_by_request"),
                format!("has request {place}, expected the place of one of {requests} in `target.requests`"),
            ));
        }
    }
    if curve.latency_fit.is_some() == curve.latency_fit_refused.is_some() {
        return Err((
            format!("{path}.latency_fit"),
            "is expected to be there, or `latency_fit_refused` to say why not".to_owned(),
        ));
    }
    Ok(())
}

fn positive(path: &str, value: f64) -> Result<(), (String, String)> {
    if value.is_finite() && value > 0.0 {
        Ok(())
    } else {
        Err((path.to_owned(), format!("is {value}, expected a number above 0")))
    }
}
