//! Decides whether a measurement of a level is to be believed: each check compares the record with itself.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::statistics::trend_probability;
use crate::measurement::Measurement;

/// Requests that may go unsent while connections were free.
const UNSENT_SHARE: f64 = 0.001;

/// How far requests in flight may be from throughput × response time, besides what the edges of the level explain.
const LITTLE_SHARE: f64 = 0.05;

/// How far the schedule may be from what was asked for, besides chance.
const SCHEDULE_SHARE: f64 = 0.005;

/// Standard deviations of a Poisson count that chance explains.
const SCHEDULE_DEVIATIONS: f64 = 4.0;

/// A trend is one if it were this improbable by chance.
const DRIFT_PROBABILITY: f64 = 0.001;

/// A trend matters if the last third is this share away from the first.
const DRIFT_SHARE: f64 = 0.3;

/// What is allowed for on the generator's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Connections that it may open; with a scenario, users of each kind.
    pub connections: usize,
    /// What 99 % of the sends may be late by at most while connections are free.
    pub lateness: Duration,
}

/// What was found wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Nothing ended in the measured time, so there is nothing to judge.
    Empty,
    /// Scheduled = sent + unsent, as requests per second against what was asked for.
    Schedule,
    /// Requests were unsent though connections were free: the generator was the limit.
    Unsent,
    /// Requests were sent late though connections were free: the generator was the limit.
    SendLateness,
    /// Requests in flight = throughput × response time.
    LittlesLaw,
    /// The response time rose or fell all along.
    Drift,
}

/// One reason why a level is void.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flaw {
    /// Which check.
    pub check: Check,
    /// What was seen, in the unit that the check's sentence names.
    pub observed: f64,
    /// What would have done.
    pub allowed: f64,
}

impl Flaw {
    /// Whether the generator is to blame.
    pub fn is_generators(&self) -> bool {
        matches!(self.check, Check::Schedule | Check::Unsent | Check::SendLateness | Check::LittlesLaw)
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { check, observed, allowed } = *self;
        let (percent, of) = (observed * 100.0, allowed * 100.0);
        match check {
            Check::Empty => formatter.write_str("nothing was answered or refused in the measured time"),
            Check::Schedule => {
                write!(formatter, "the schedule is {percent:.2} % off the rate, allowed {of:.2} %")
            }
            Check::Unsent => write!(
                formatter,
                "{percent:.2} % were not sent though connections were free, allowed {of:.2} %"
            ),
            Check::SendLateness => write!(
                formatter,
                "1 % were sent {:.1} ms late or later though connections were free, allowed {:.1} ms",
                observed / 1000.0,
                allowed / 1000.0
            ),
            Check::LittlesLaw => write!(
                formatter,
                "in flight is {percent:.1} % off throughput × response time, allowed {of:.1} %"
            ),
            Check::Drift => write!(
                formatter,
                "the response time changed by {percent:+.0} % from the first third to the last, allowed {of:.0} %"
            ),
        }
    }
}

/// All that is wrong with a measurement; nothing where it is to be believed.
pub(crate) fn flaws(measurement: &Measurement, allowance: Allowance) -> Vec<Flaw> {
    let ended = measurement.succeeded + measurement.refused + measurement.failed();
    if ended == 0 {
        return vec![Flaw { check: Check::Empty, observed: 0.0, allowed: 1.0 }];
    }
    [
        schedule(measurement),
        unsent(measurement),
        send_lateness(measurement, allowance),
        littles_law(measurement),
        drift(measurement),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn beyond(check: Check, observed: f64, allowed: f64) -> Option<Flaw> {
    (!observed.is_finite() || observed.abs() > allowed).then_some(Flaw { check, observed, allowed })
}

fn schedule(measurement: &Measurement) -> Option<Flaw> {
    let Measurement { scheduled, sent, unsent, .. } = *measurement;
    let expected = measurement.offered_rps * measurement.measured.as_secs_f64();
    // What is accounted for twice or not at all is as wrong as a schedule that was not kept.
    let off = (scheduled.abs_diff(sent + unsent) as f64).max((scheduled as f64 - expected).abs());
    let allowed = SCHEDULE_SHARE + SCHEDULE_DEVIATIONS / expected.max(1.0).sqrt();
    beyond(Check::Schedule, off / expected.max(1.0), allowed)
}

fn unsent(measurement: &Measurement) -> Option<Flaw> {
    let share = measurement.unsent_by_generator as f64 / measurement.scheduled.max(1) as f64;
    beyond(Check::Unsent, share, UNSENT_SHARE)
}

fn send_lateness(measurement: &Measurement, Allowance { lateness, .. }: Allowance) -> Option<Flaw> {
    let lateness_micros = measurement.generator_lateness_micros.value_at_quantile(0.99) as f64;
    beyond(Check::SendLateness, lateness_micros, lateness.as_secs_f64() * 1e6)
}

/// N = X × R, of requests that are not refused, because refusals have no response time. What is in flight at either edge
/// of the level is counted on one side only: up to R ÷ T of it. So is what waits there for a connection, because response
/// times go by when a request was due: up to W ÷ T.
fn littles_law(measurement: &Measurement) -> Option<Flaw> {
    let seconds = measurement.measured.as_secs_f64();
    let answered = measurement.from_sent_micros.len() as f64;
    let mean_seconds = measurement.from_sent_micros.mean() / 1e6;
    let expected = answered / seconds * mean_seconds;
    let waited_seconds = measurement.send_lateness_micros.mean() / 1e6;
    let in_flight = measurement.mean_in_flight - measurement.mean_refused_in_flight;
    let off = (in_flight - expected).abs() / expected.max(1.0);
    // Failures are in flight too, and nobody knows for how long; a timeout is far longer than an answer.
    (measurement.failed() == 0)
        .then(|| {
            beyond(Check::LittlesLaw, off, LITTLE_SHARE + 2.0 * (mean_seconds + waited_seconds) / seconds)
        })
        .flatten()
}

fn drift(measurement: &Measurement) -> Option<Flaw> {
    let means: Vec<f64> = measurement
        .parts
        .iter()
        .filter(|part| part.answered > 0)
        .map(|part| part.mean_from_intended_micros)
        .collect();
    let third = means.len() / 3;
    if third == 0 || trend_probability(&means) > DRIFT_PROBABILITY {
        return None;
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let change = mean(&means[means.len() - third..]) / mean(&means[..third]) - 1.0;
    beyond(Check::Drift, change, DRIFT_SHARE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measurement::outcome::RequestOutcome;
    use crate::measurement::shortage::Shortage;
    use crate::measurement::tally::{Ended, LevelTally};
    use crate::sample::sample;

    const ALLOWANCE: Allowance = Allowance { connections: 100, lateness: Duration::from_millis(5) };

    fn checks(change: impl Fn(&mut Measurement)) -> Vec<Check> {
        let mut measurement = sample(50.0, 60.0);
        change(&mut measurement);
        flaws(&measurement, ALLOWANCE).iter().map(|flaw| flaw.check).collect()
    }

    #[test]
    fn a_level_that_agrees_with_itself_is_believed() {
        assert_eq!(checks(|_| ()), []);
    }

    #[test]
    fn each_contradiction_is_found() {
        let late = |measurement: &mut Measurement| {
            measurement.generator_lateness_micros.record_n(6_000, 10).unwrap();
        };
        assert_eq!(checks(late), [Check::SendLateness]);
        let unaccounted = |measurement: &mut Measurement| measurement.sent -= 150;
        assert_eq!(checks(unaccounted), [Check::Schedule]);
        let off_rate = |measurement: &mut Measurement| measurement.offered_rps = 80.0;
        assert_eq!(checks(off_rate), [Check::Schedule]);
        let unsent = |measurement: &mut Measurement| {
            measurement.sent -= 2;
            measurement.unsent += 2;
            measurement.unsent_by_generator += 2;
        };
        assert_eq!(checks(unsent), [Check::Unsent]);
        assert_eq!(checks(|measurement| measurement.mean_in_flight *= 1.2), [Check::LittlesLaw]);
        let nothing = |measurement: &mut Measurement| measurement.succeeded = 0;
        assert_eq!(checks(nothing), [Check::Empty]);
        let rising = |measurement: &mut Measurement| {
            for (index, part) in measurement.parts.iter_mut().enumerate() {
                part.mean_from_intended_micros *= 1.0 + 0.1 * index as f64;
            }
        };
        assert_eq!(checks(rising), [Check::Drift]);
    }

    #[test]
    fn what_waits_for_a_connection_at_the_edges_is_no_contradiction() {
        let mut measurement = sample(50.0, 60.0);
        measurement.mean_in_flight *= 1.3;
        assert_eq!(flaws(&measurement, ALLOWANCE).len(), 1, "off by 30 %");
        // Each waited for 2 of the 10 s: a fifth of what was in flight had been due before, a fifth of what was due came
        // after.
        measurement.send_lateness_micros.reset();
        measurement.send_lateness_micros.record_n(2_000_000, measurement.sent).unwrap();
        assert_eq!(flaws(&measurement, ALLOWANCE), []);
    }

    const HOLD: Duration = Duration::from_secs(10);

    /// Each 10 ms a request is due; `exchange` hands it to the tally.
    fn tallied(mut exchange: impl FnMut(&mut LevelTally, Duration)) -> Vec<Check> {
        let mut tally = LevelTally::new(100.0, Duration::ZERO, HOLD);
        for number in 0..1_000 {
            exchange(&mut tally, Duration::from_millis(10) * number);
        }
        flaws(&tally.finish(HOLD, None), ALLOWANCE).iter().map(|flaw| flaw.check).collect()
    }

    fn exchange(
        tally: &mut LevelTally,
        intended: Duration,
        sent: Duration,
        shortage: Shortage,
        outcome: RequestOutcome,
    ) {
        tally.sent(intended, sent, shortage.within(intended, sent));
        let at = sent + Duration::from_millis(50);
        tally.ended(&Ended { intended, sent, at, request: 0, outcome: Some(outcome) });
    }

    /// When what is due at `intended` goes out, if for `pause` from `from` on nothing does.
    fn after_pause(intended: Duration, from: Duration, pause: Duration) -> Duration {
        if intended < from { intended } else { intended.max(from + pause) }
    }

    #[test]
    fn a_burst_that_uses_up_all_connections_is_the_services() {
        const FROM: Duration = Duration::from_secs(5);
        const PAUSE: Duration = Duration::from_millis(600);
        let checks = tallied(|tally, intended| {
            let shortage = Shortage::begun_at(FROM);
            exchange(
                tally,
                intended,
                after_pause(intended, FROM, PAUSE),
                shortage,
                RequestOutcome::Succeeded,
            );
        });
        assert_eq!(checks, [], "on average far fewer than all connections were busy");
    }

    #[test]
    fn a_generator_that_pauses_is_to_blame_also_for_what_waits_behind_its_own_burst() {
        const FROM: Duration = Duration::from_secs(5);
        const PAUSE: Duration = Duration::from_millis(600);
        for connections in [1, 5, 1_000] {
            let mut taken = 0;
            let mut shortage = Shortage::default();
            let checks = tallied(|tally, intended| {
                let sent = after_pause(intended, FROM, PAUSE);
                // The burst after the pause: the last free connection is taken, the others wait for those to come free.
                let waits = intended >= FROM && sent > intended && taken >= connections;
                let sent = if waits { sent + Duration::from_millis(50) } else { sent };
                taken += u32::from(sent > intended);
                exchange(tally, intended, sent, shortage, RequestOutcome::Succeeded);
                if taken == connections {
                    shortage.begin(FROM + PAUSE);
                }
            });
            assert_eq!(checks, [Check::SendLateness], "{connections} connections");
        }
    }

    #[test]
    fn what_was_not_sent_is_the_generators_only_where_a_connection_was_free() {
        let unsent = |shortage: Shortage| {
            tallied(move |tally, intended| {
                if intended < HOLD.mul_f64(0.98) {
                    exchange(tally, intended, intended, Shortage::default(), RequestOutcome::Succeeded);
                } else {
                    tally.unsent(Some(0), intended, HOLD, shortage.within(intended, HOLD));
                }
            })
        };
        assert_eq!(unsent(Shortage::begun_at(HOLD.mul_f64(0.9))), []);
        assert_eq!(unsent(Shortage::default()), [Check::Unsent]);
    }

    #[test]
    fn refusals_that_take_as_long_as_answers_are_no_contradiction() {
        let checks = tallied(|tally, intended| {
            let is_refused = intended.as_millis() % 50 < 20;
            let outcome = if is_refused { RequestOutcome::Refused } else { RequestOutcome::Succeeded };
            exchange(tally, intended, intended, Shortage::default(), outcome);
        });
        assert_eq!(checks, [], "two of five are refused");
    }
}
