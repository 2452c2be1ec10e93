//! Counts what came of the requests of one level; is handed every instant, and reads no clock.
//!
//! ## Which request counts where
//! Counts of answers, refusals and failures go by when the request ended, so that rates are exact. Latencies and what
//! was scheduled go by the intended start, so that each request of the measured time is in them once, also one that
//! ends after it. A request that got no answer at all within the timeout has waited at least that long, and is
//! in the latency from the intended start with it; other failures have no response time. What ends after the measured
//! time is counted apart, and is an error unless it succeeded.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::measurement::failure_kind::FailureKind;
use crate::measurement::outcome::RequestOutcome;
use crate::measurement::progress::SoFar;
use crate::measurement::request_error::RequestError;
use crate::measurement::{Measurement, MeasurementPart, SIGNIFICANT_DIGITS};

/// Equal parts into which the measured time is split.
const PARTS: usize = 10;
const PARTS_U32: u32 = 10;

/// A request that was sent and is over; times count from the beginning of the warm-up.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// When it should have been sent.
    pub intended: Duration,
    /// When it was sent.
    pub sent: Duration,
    /// When the last byte of its answer came, or what ended it.
    pub at: Duration,
    /// Its place among the target's requests.
    pub request: usize,
    /// None where it was given up with the level, without having timed out.
    pub outcome: Option<RequestOutcome>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Part {
    answered: u64,
    from_intended: Duration,
}

/// What was counted so far of one level.
#[derive(Clone, Debug)]
pub struct LevelTally {
    offered_rps: f64,
    begin: Duration,
    end: Duration,
    planned_end: Duration,
    sent: u64,
    unsent: u64,
    unsent_by_generator: u64,
    succeeded: u64,
    refused: u64,
    failures: BTreeMap<FailureKind, u64>,
    ended_late: u64,
    late_errors: u64,
    errors_by_request: BTreeMap<(Option<usize>, RequestError), u64>,
    repeated: u64,
    from_intended_micros: Histogram<u64>,
    from_sent_micros: Histogram<u64>,
    send_lateness_micros: Histogram<u64>,
    generator_lateness_micros: Histogram<u64>,
    in_flight_time: Duration,
    refused_in_flight_time: Duration,
    part_length: Duration,
    parts: [Part; PARTS],
}

impl LevelTally {
    /// Counts what lies between `begin` and `end`.
    pub fn new(offered_rps: f64, begin: Duration, end: Duration) -> Self {
        Self {
            offered_rps,
            begin,
            end,
            planned_end: end,
            sent: 0,
            unsent: 0,
            unsent_by_generator: 0,
            succeeded: 0,
            refused: 0,
            failures: BTreeMap::new(),
            ended_late: 0,
            late_errors: 0,
            errors_by_request: BTreeMap::new(),
            repeated: 0,
            from_intended_micros: histogram(),
            from_sent_micros: histogram(),
            send_lateness_micros: histogram(),
            generator_lateness_micros: histogram(),
            in_flight_time: Duration::ZERO,
            refused_in_flight_time: Duration::ZERO,
            part_length: end.saturating_sub(begin) / PARTS_U32,
            parts: [Part::default(); PARTS],
        }
    }

    /// A request is being sent; `waited_for_connection` is how long of its wait none was free.
    pub fn sent(&mut self, intended: Duration, sent: Duration, waited_for_connection: Duration) {
        if self.is_measured(intended) {
            self.sent += 1;
            let lateness = sent.saturating_sub(intended);
            record(&mut self.send_lateness_micros, lateness);
            record(&mut self.generator_lateness_micros, lateness.saturating_sub(waited_for_connection));
        }
    }

    /// A request will not be sent any more; it waited until `now`, and for `waited_for_connection` of that none was free.
    /// `request` is its place among the target's requests, if it was one of them already.
    pub fn unsent(
        &mut self,
        request: Option<usize>,
        intended: Duration,
        now: Duration,
        waited_for_connection: Duration,
    ) {
        if self.is_measured(intended) {
            self.unsent += 1;
            self.count_error(request, RequestError::Unsent);
            let waited = now.saturating_sub(intended);
            self.unsent_by_generator += u64::from(waited.saturating_sub(waited_for_connection) >= waited / 2);
            record(&mut self.from_intended_micros, waited);
        }
    }

    /// A request is sent a second time, because the connection had been closed.
    pub fn repeated(&mut self, intended: Duration) {
        self.repeated += u64::from(self.is_measured(intended));
    }

    /// A request that was sent is over.
    pub fn ended(&mut self, ended: &Ended) {
        let from_intended = ended.at.saturating_sub(ended.intended);
        let answered = ended.outcome.is_some_and(RequestOutcome::has_latency);
        let at_least = matches!(ended.outcome, None | Some(RequestOutcome::Failed(FailureKind::TimedOut)));
        if self.is_measured(ended.intended) {
            if answered || at_least {
                record(&mut self.from_intended_micros, from_intended);
            }
            if answered {
                record(&mut self.from_sent_micros, ended.at.saturating_sub(ended.sent));
            }
            if ended.at >= self.end {
                self.ended_late += 1;
                if let Some(error) = RequestError::of(ended.outcome) {
                    self.late_errors += 1;
                    self.count_error(Some(ended.request), error);
                }
            }
        }
        let in_flight = ended.at.min(self.end).saturating_sub(ended.sent.max(self.begin));
        self.in_flight_time += in_flight;
        if ended.outcome == Some(RequestOutcome::Refused) {
            self.refused_in_flight_time += in_flight;
        }
        if !self.is_measured(ended.at) {
            return;
        }
        match ended.outcome {
            Some(RequestOutcome::Succeeded) => self.succeeded += 1,
            Some(RequestOutcome::Refused) => self.refused += 1,
            Some(RequestOutcome::Failed(kind)) => *self.failures.entry(kind).or_default() += 1,
            None => {}
        }
        // What is given up within the measured time is neither an answer nor an error.
        if let Some(error) = ended.outcome.and_then(|outcome| RequestError::of(Some(outcome))) {
            self.count_error(Some(ended.request), error);
        }
        if answered {
            let index = parts_within(ended.at.saturating_sub(self.begin), self.part_length).min(PARTS - 1);
            self.parts[index].answered += 1;
            self.parts[index].from_intended += from_intended;
        }
    }

    /// What was counted so far, for showing how it goes.
    pub fn so_far(&self) -> SoFar {
        let quantile = |share| {
            (!self.from_intended_micros.is_empty())
                .then(|| Duration::from_micros(self.from_intended_micros.value_at_quantile(share)))
        };
        SoFar {
            sent: self.sent,
            unsent: self.unsent,
            succeeded: self.succeeded,
            refused: self.refused,
            failed: self.failures.values().sum(),
            p50: quantile(0.50),
            p95: quantile(0.95),
            p99: quantile(0.99),
        }
    }

    /// The level is over at `end`, at the latest when it was planned to be; everything in flight has ended.
    ///
    /// Where it was cut short, only the parts that are complete are in the measurement.
    pub fn finish(self, end: Duration, generator_cpu_cores: Option<f64>) -> Measurement {
        let measured = end.min(self.end).saturating_sub(self.begin);
        let mean = |in_flight_time: Duration| {
            if measured.is_zero() { 0.0 } else { in_flight_time.as_secs_f64() / measured.as_secs_f64() }
        };
        // The last one may be longer than the others by the rounding of its length.
        let complete = if end < self.planned_end { parts_within(measured, self.part_length) } else { PARTS };
        let parts = self.parts.iter().take(complete).map(|part| MeasurementPart {
            answered: part.answered,
            mean_from_intended_micros: match part.answered {
                0 => 0.0,
                answered => part.from_intended.as_secs_f64() * 1e6 / answered as f64,
            },
        });
        Measurement {
            offered_rps: self.offered_rps,
            measured,
            scheduled: self.sent + self.unsent,
            sent: self.sent,
            unsent: self.unsent,
            unsent_by_generator: self.unsent_by_generator,
            succeeded: self.succeeded,
            refused: self.refused,
            failures: self.failures,
            ended_late: self.ended_late,
            late_errors: self.late_errors,
            errors_by_request: self.errors_by_request,
            repeated: self.repeated,
            from_intended_micros: self.from_intended_micros,
            from_sent_micros: self.from_sent_micros,
            send_lateness_micros: self.send_lateness_micros,
            generator_lateness_micros: self.generator_lateness_micros,
            mean_in_flight: mean(self.in_flight_time),
            mean_refused_in_flight: mean(self.refused_in_flight_time),
            parts: parts.collect(),
            generator_cpu_cores,
        }
    }

    /// The level ends earlier than planned.
    pub fn end_at(&mut self, end: Duration) {
        self.end = self.end.min(end).max(self.begin);
    }

    fn count_error(&mut self, request: Option<usize>, error: RequestError) {
        *self.errors_by_request.entry((request, error)).or_default() += 1;
    }

    fn is_measured(&self, instant: Duration) -> bool {
        (self.begin..self.end).contains(&instant)
    }
}

/// How many parts of this length fit into a time.
fn parts_within(time: Duration, part_length: Duration) -> usize {
    let parts = time.as_nanos() / part_length.as_nanos().max(1);
    usize::try_from(parts).unwrap_or(PARTS).min(PARTS)
}

/// Grows with the largest value, by its logarithm, and so stays small whatever the number of requests.
fn histogram() -> Histogram<u64> {
    Histogram::new(SIGNIFICANT_DIGITS).expect("the number of digits is one that the library takes")
}

fn record(histogram: &mut Histogram<u64>, time: Duration) {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    histogram.record(micros).expect("a histogram that resizes itself takes every value");
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// Counts from 100 ms to 1,100 ms.
    fn tally() -> LevelTally {
        LevelTally::new(10.0, ms(100), ms(1_100))
    }

    fn exchange(tally: &mut LevelTally, intended: u64, sent: u64, at: u64, outcome: RequestOutcome) {
        tally.sent(ms(intended), ms(sent), Duration::ZERO);
        let outcome = Some(outcome);
        tally.ended(&Ended { intended: ms(intended), sent: ms(sent), at: ms(at), request: 0, outcome });
    }

    #[test]
    fn a_latency_counts_from_the_intended_start_and_from_the_send_apart() {
        let mut tally = tally();
        exchange(&mut tally, 200, 230, 250, RequestOutcome::Succeeded);
        let level = tally.finish(ms(1_100), Some(0.5));
        assert_eq!((level.scheduled, level.sent, level.unsent, level.succeeded), (1, 1, 0, 1));
        assert_eq!(level.from_intended_micros.max(), level.from_intended_micros.highest_equivalent(50_000));
        assert_eq!(level.from_sent_micros.max(), level.from_sent_micros.highest_equivalent(20_000));
        assert_eq!(level.send_lateness_micros.max(), level.send_lateness_micros.highest_equivalent(30_000));
        assert_eq!(level.generator_cpu_cores, Some(0.5));
    }

    #[test]
    fn what_is_intended_in_the_warm_up_counts_only_as_an_answer() {
        let mut tally = tally();
        exchange(&mut tally, 90, 90, 150, RequestOutcome::Succeeded);
        let level = tally.finish(ms(1_100), None);
        assert_eq!((level.scheduled, level.succeeded), (0, 1));
        assert_eq!(level.from_intended_micros.len(), 0);
        assert!((level.mean_in_flight - 0.05).abs() < 1e-9, "50 of 1,000 ms: {}", level.mean_in_flight);
    }

    #[test]
    fn what_ends_after_the_end_counts_only_as_a_latency() {
        let mut tally = tally();
        exchange(&mut tally, 1_000, 1_000, 3_000, RequestOutcome::Succeeded);
        let level = tally.finish(ms(1_100), None);
        assert_eq!((level.scheduled, level.sent, level.succeeded), (1, 1, 0));
        assert_eq!(
            level.from_intended_micros.max(),
            level.from_intended_micros.highest_equivalent(2_000_000)
        );
        assert!((level.mean_in_flight - 0.1).abs() < 1e-9, "100 of 1,000 ms: {}", level.mean_in_flight);
    }

    #[test]
    fn what_ends_after_the_end_without_a_success_is_an_error() {
        let mut tally = tally();
        exchange(&mut tally, 200, 200, 210, RequestOutcome::Succeeded);
        exchange(&mut tally, 1_000, 1_000, 1_200, RequestOutcome::Succeeded);
        exchange(&mut tally, 1_000, 1_000, 1_200, RequestOutcome::Refused);
        exchange(&mut tally, 1_000, 1_000, 11_000, RequestOutcome::Failed(FailureKind::TimedOut));
        tally.sent(ms(1_050), ms(1_050), Duration::ZERO);
        let (intended, at) = (ms(1_050), ms(3_000));
        tally.ended(&Ended { intended, sent: intended, at, request: 1, outcome: None });
        tally.repeated(ms(1_050));
        tally.repeated(ms(50));
        let level = tally.finish(ms(1_100), None);
        assert_eq!((level.ended_late, level.late_errors, level.repeated), (4, 3, 1));
        assert_eq!((level.errors(), level.successes()), (3, 2));
        assert!((level.error_share() - 0.6).abs() < 1e-9, "{}", level.error_share());
        let by_request: Vec<_> = level.errors_by_request.into_iter().collect();
        let timed_out = RequestError::Failed(FailureKind::TimedOut);
        assert_eq!(
            by_request,
            [
                ((Some(0), timed_out), 1),
                ((Some(0), RequestError::Refused), 1),
                ((Some(1), RequestError::Unanswered), 1),
            ]
        );
    }

    #[test]
    fn what_was_never_sent_counts_with_the_time_it_waited() {
        let mut tally = tally();
        tally.unsent(Some(2), ms(300), ms(1_100), ms(800));
        let level = tally.finish(ms(1_100), None);
        assert_eq!((level.scheduled, level.sent, level.unsent), (1, 0, 1));
        assert_eq!(level.errors_by_request, BTreeMap::from([((Some(2), RequestError::Unsent), 1)]));
        assert_eq!(level.from_intended_micros.max(), level.from_intended_micros.highest_equivalent(800_000));
        assert_eq!(level.from_sent_micros.len(), 0);
    }

    #[test]
    fn a_wait_is_the_generators_but_for_the_part_without_a_free_connection() {
        let mut tally = tally();
        tally.sent(ms(200), ms(290), ms(70));
        tally.sent(ms(200), ms(290), ms(90));
        for waited_for_connection in [0, 400, 401, 800] {
            tally.unsent(None, ms(300), ms(1_100), ms(waited_for_connection));
        }
        let level = tally.finish(ms(1_100), None);
        let lateness = &level.generator_lateness_micros;
        assert_eq!((lateness.len(), lateness.min()), (2, 0));
        assert_eq!(lateness.max(), lateness.highest_equivalent(20_000));
        assert_eq!(level.send_lateness_micros.min(), level.send_lateness_micros.lowest_equivalent(90_000));
        assert_eq!((level.unsent, level.unsent_by_generator), (4, 2), "at least half of 800 ms");
    }

    #[test]
    fn refusals_and_failures_are_counted_apart_and_only_answers_have_a_latency() {
        let mut tally = tally();
        exchange(&mut tally, 200, 200, 220, RequestOutcome::Refused);
        exchange(&mut tally, 200, 200, 202, RequestOutcome::Failed(FailureKind::Status(500)));
        exchange(&mut tally, 200, 200, 203, RequestOutcome::Failed(FailureKind::ConnectionRefused));
        exchange(&mut tally, 200, 200, 900, RequestOutcome::Failed(FailureKind::TimedOut));
        let level = tally.finish(ms(1_100), None);
        assert_eq!((level.sent, level.succeeded, level.refused, level.failed()), (4, 0, 1, 3));
        assert_eq!(
            level.errors_by_request.values().sum::<u64>(),
            level.errors(),
            "each is told by its request"
        );
        assert_eq!(level.failures[&FailureKind::Status(500)], 1);
        assert_eq!(level.from_sent_micros.len(), 1, "the status 500");
        assert_eq!(level.from_intended_micros.len(), 2, "and the request that timed out");
        assert!((level.mean_in_flight - 0.725).abs() < 1e-9, "{}", level.mean_in_flight);
        assert!((level.mean_refused_in_flight - 0.02).abs() < 1e-9, "{}", level.mean_refused_in_flight);
    }

    #[test]
    fn parts_are_tenths_of_the_measured_time_by_the_end_of_a_request() {
        let mut tally = tally();
        exchange(&mut tally, 150, 150, 199, RequestOutcome::Succeeded);
        exchange(&mut tally, 950, 950, 1_099, RequestOutcome::Succeeded);
        let level = tally.finish(ms(1_100), None);
        let answered: Vec<u64> = level.parts.iter().map(|part| part.answered).collect();
        assert_eq!(answered, [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert!((level.parts[9].mean_from_intended_micros - 149_000.0).abs() < 1.0);
    }

    #[test]
    fn a_level_cut_short_measures_until_then() {
        let mut tally = tally();
        exchange(&mut tally, 150, 150, 160, RequestOutcome::Succeeded);
        tally.end_at(ms(460));
        tally.ended(&Ended { intended: ms(400), sent: ms(400), at: ms(500), request: 0, outcome: None });
        let level = tally.finish(ms(460), None);
        assert_eq!(level.measured, ms(360));
        assert_eq!(level.parts.len(), 3, "the complete ones");
        assert_eq!(level.from_intended_micros.len(), 2, "the request given up is in it");
        assert!((level.mean_in_flight - 70.0 / 360.0).abs() < 1e-9);
    }
}
