//! Makes one level of all that were measured at one rate.

use crate::level::Level;
use crate::measurement::Measurement;

/// One level for each rate, lowest first; those that are not to be believed are left out.
pub(super) fn pool(levels: &[Level]) -> Vec<Level> {
    let mut valid: Vec<&Level> = levels.iter().filter(|level| level.is_valid()).collect();
    valid.sort_by(|left, right| left.offered_rps().total_cmp(&right.offered_rps()));
    let mut pooled: Vec<Level> = Vec::new();
    for level in valid {
        match pooled.last_mut().filter(|last| last.offered_rps().to_bits() == level.offered_rps().to_bits()) {
            Some(last) => add(&mut last.measurement, &level.measurement),
            None => pooled.push(level.clone()),
        }
    }
    pooled
}

/// Adds a measurement of the same rate. Its parts come behind the others, so a difference between the two measurements
/// shows as a spread of the parts.
fn add(sum: &mut Measurement, other: &Measurement) {
    const GROWS: &str = "a histogram that was recorded to fits one that grows";
    let (weight, other_weight) = (sum.measured.as_secs_f64(), other.measured.as_secs_f64());
    let mean = |mean: f64, other: f64| {
        (mean * weight + other * other_weight) / (weight + other_weight).max(f64::MIN_POSITIVE)
    };
    sum.mean_in_flight = mean(sum.mean_in_flight, other.mean_in_flight);
    sum.mean_refused_in_flight = mean(sum.mean_refused_in_flight, other.mean_refused_in_flight);
    sum.measured += other.measured;
    sum.scheduled += other.scheduled;
    sum.sent += other.sent;
    sum.unsent += other.unsent;
    sum.unsent_by_generator += other.unsent_by_generator;
    sum.succeeded += other.succeeded;
    sum.refused += other.refused;
    for (kind, count) in &other.failures {
        *sum.failures.entry(*kind).or_default() += count;
    }
    for (error, count) in &other.errors_by_request {
        *sum.errors_by_request.entry(*error).or_default() += count;
    }
    sum.ended_late += other.ended_late;
    sum.late_errors += other.late_errors;
    sum.repeated += other.repeated;
    sum.from_intended_micros.add(&other.from_intended_micros).expect(GROWS);
    sum.from_sent_micros.add(&other.from_sent_micros).expect(GROWS);
    sum.send_lateness_micros.add(&other.send_lateness_micros).expect(GROWS);
    sum.generator_lateness_micros.add(&other.generator_lateness_micros).expect(GROWS);
    sum.parts.extend(&other.parts);
}
