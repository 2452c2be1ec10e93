//! Compares rates at which one of the two has nothing that is to be believed: they are told, not left out.

use super::comparison::Verdict;
use super::level_diff::{LevelDiff, is_same_rate};
use crate::level::Level;
use crate::slo::Slo;

/// What became of a rate in one of the two.
#[derive(Clone, Copy)]
enum State<'a> {
    /// Believed; whether it kept the SLO.
    Believed { held: bool },
    /// The service did not settle, or answered nothing: no level says what it would do, but it does not serve the rate.
    Overrun(&'a Level),
    /// The record is the generator's fault, and says nothing about the service.
    Unknown(&'a Level),
}

/// The rates that both measured and not both believe, from all that was measured and what is believed of it.
pub(super) fn compare(
    replicas: u32,
    all: [&[Level]; 2],
    believed: [&[Level]; 2],
    slo: &Slo,
) -> Vec<LevelDiff> {
    let mut compared: Vec<LevelDiff> = Vec::new();
    for left in all[0] {
        let (before, after) = (state(left, all[0], believed[0], slo), state(left, all[1], believed[1], slo));
        let (Some(before), Some(after)) = (before, after) else { continue };
        let Some((verdict, reason)) = verdict(before, after) else { continue };
        // A rate is measured again where its first level is doubted.
        if compared.iter().any(|level| level.offered_rps.to_bits() == left.offered_rps().to_bits()) {
            continue;
        }
        compared.push(LevelDiff {
            replicas,
            offered_rps: left.offered_rps(),
            verdict,
            comparisons: Vec::new(),
            reason: Some(reason),
        });
    }
    compared
}

/// None where the rate was not measured.
fn state<'a>(rate: &Level, all: &'a [Level], believed: &[Level], slo: &Slo) -> Option<State<'a>> {
    if let Some(level) = believed.iter().find(|level| is_same_rate(rate, level)) {
        return Some(State::Believed { held: level.keeps(slo) });
    }
    let level = all.iter().rfind(|level| is_same_rate(rate, level))?;
    Some(if level.is_void_by_generator() { State::Unknown(level) } else { State::Overrun(level) })
}

/// None where both are believed: then their numbers are compared.
fn verdict(before: State<'_>, after: State<'_>) -> Option<(Verdict, String)> {
    let why = |level: &Level| level.flaws.first().map_or_else(String::new, ToString::to_string);
    Some(match (before, after) {
        (State::Believed { .. }, State::Believed { .. }) => return None,
        (State::Believed { held: true }, State::Overrun(level)) => {
            (Verdict::Worse, format!("before it kept the SLO, after it is void: {}", why(level)))
        }
        (State::Overrun(level), State::Believed { held: true }) => {
            (Verdict::Better, format!("before it is void, after it kept the SLO: {}", why(level)))
        }
        (State::Believed { .. }, State::Overrun(level) | State::Unknown(level)) => {
            (Verdict::Unclear, format!("after it is void: {}", why(level)))
        }
        (State::Overrun(level) | State::Unknown(level), _) => {
            (Verdict::Unclear, format!("before it is void: {}", why(level)))
        }
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{Diff, DiffSettings, Verdict};
    use crate::honesty::Allowance;
    use crate::level::Level;
    use crate::measurement::Measurement;
    use crate::sample::sample;
    use crate::slo::Slo;

    fn level(rate_rps: f64, change: impl Fn(&mut Measurement)) -> Level {
        let mut measurement = sample(rate_rps, 60.0);
        change(&mut measurement);
        let allowance = Allowance { connections: 100, lateness: Duration::from_millis(5) };
        Level::judge(1, Duration::ZERO, measurement, &Slo::default(), allowance)
    }

    /// Response times that rise all along, as where a queue grows without end.
    fn rising(measurement: &mut Measurement) {
        for (index, part) in measurement.parts.iter_mut().enumerate() {
            part.mean_from_intended_micros *= 1.0 + 0.1 * index as f64;
        }
    }

    fn silent(measurement: &mut Measurement) {
        measurement.succeeded = 0;
    }

    fn contradictory(measurement: &mut Measurement) {
        measurement.mean_in_flight *= 2.0;
    }

    /// What is said of 50/s beside 20/s, which is the same in both.
    fn at_50(
        before: impl Fn(&mut Measurement),
        after: impl Fn(&mut Measurement),
    ) -> (Verdict, Option<String>) {
        let levels = |change: &dyn Fn(&mut Measurement)| [level(20.0, |_| ()), level(50.0, change)];
        let diff =
            Diff::of_levels(&levels(&before), &levels(&after), &Slo::default(), &DiffSettings::default());
        // Lowest rate first.
        let level = diff.expect("20/s is in both").levels.into_iter().nth(1).expect("50/s is told");
        (level.verdict, level.reason)
    }

    #[test]
    fn a_service_that_no_longer_settles_or_answers_is_worse() {
        assert!(at_50(|_| (), |_| ()).1.is_none(), "both are believed");
        for overrun in [rising, silent] {
            let (verdict, reason) = at_50(|_| (), overrun);
            assert_eq!(verdict, Verdict::Worse, "{reason:?}");
            assert_eq!(at_50(overrun, |_| ()).0, Verdict::Better);
            assert_eq!(at_50(overrun, overrun).0, Verdict::Unclear);
        }
    }

    #[test]
    fn what_the_generator_spoiled_says_nothing_about_the_service() {
        for (verdict, reason) in [at_50(|_| (), contradictory), at_50(contradictory, |_| ())] {
            assert_eq!(verdict, Verdict::Unclear);
            assert!(reason.is_some_and(|reason| reason.contains("in flight")));
        }
    }

    #[test]
    fn where_nothing_is_believed_nothing_is_compared() {
        let spoiled = [level(50.0, contradictory)];
        let (slo, settings) = (Slo::default(), DiffSettings::default());
        assert!(Diff::of_levels(&spoiled, &spoiled, &slo, &settings).is_err());
    }
}
