use std::time::{Duration, Instant};

use loadgen_baseline::{FailureKind, RequestOutcome};

use super::Recorder;
use crate::users::exchange::Exchange;
use crate::users::spans::TraceId;

const SECOND: Duration = Duration::from_secs(1);
const RUN_TIME: Duration = Duration::from_secs(10);

fn ended(ended_at: Instant, outcome: RequestOutcome) -> Exchange {
    took(ended_at, Duration::from_millis(20), outcome)
}

/// A request that was intended for, and sent at, the same time.
fn took(ended_at: Instant, took: Duration, outcome: RequestOutcome) -> Exchange {
    let sent_at = ended_at.checked_sub(took).expect("the clock began long before");
    Exchange {
        outcome,
        status: None,
        intended_at: sent_at,
        sent_at,
        ended_at,
        trace: TraceId::default(),
        broken_check: None,
        reason: None,
        repeated: false,
    }
}

fn begun(start: Instant, scheduled: bool) -> Recorder {
    let recorder = Recorder::new(1, scheduled);
    recorder.prepare(start);
    recorder.begin(start, RUN_TIME);
    recorder
}

#[test]
fn what_ends_before_the_window_or_after_it_is_not_counted() {
    let (recorder, start) = (Recorder::new(1, false), Instant::now() + SECOND);
    recorder.prepare(start);
    recorder.record(0, &ended(start + SECOND, RequestOutcome::Succeeded));
    recorder.begin(start + 2 * SECOND, RUN_TIME);
    for seconds in [3, 11, 12, 13] {
        recorder.record(0, &ended(start + seconds * SECOND, RequestOutcome::Succeeded));
    }
    let snapshot = recorder.snapshot(start + 20 * SECOND);
    assert!(snapshot.begun);
    assert_eq!(snapshot.measured, RUN_TIME);
    assert_eq!(snapshot.tallies[0].requests, 3, "those that ended at 3, 11 and 12 s");
    assert!(!recorder.stop(start + 20 * SECOND), "there is nothing left to cut short");
}

#[test]
fn with_a_schedule_the_intended_start_decides() {
    let start = Instant::now() + 100 * SECOND;
    let recorder = begun(start, true);
    recorder.record(0, &took(start + 9 * SECOND, 10 * SECOND, RequestOutcome::Succeeded));
    recorder.record(0, &took(start + 15 * SECOND, 6 * SECOND, RequestOutcome::Succeeded));
    recorder.record(0, &took(start + 15 * SECOND, 4 * SECOND, RequestOutcome::Succeeded));
    let snapshot = recorder.snapshot(start + 20 * SECOND);
    assert_eq!(snapshot.all.requests, 1, "intended at -1 s, 9 s and 11 s");
    let latency = snapshot.all.from_intended.latency().unwrap();
    assert!((latency.max_ms / 6000.0 - 1.0).abs() < 0.002, "{latency:?}");
}

#[test]
fn a_slot_that_was_not_sent_enters_with_the_time_it_waited() {
    let start = Instant::now();
    let recorder = begun(start, true);
    recorder.unsent(start + SECOND, 9 * SECOND, 9 * SECOND);
    recorder.unanswered(0, start + 2 * SECOND, start + 3 * SECOND, start + 10 * SECOND);
    recorder.record(0, &took(start + 5 * SECOND, 3 * SECOND, RequestOutcome::Failed(FailureKind::TimedOut)));
    let all = recorder.snapshot(start + 10 * SECOND).all;
    assert_eq!((all.unsent, all.unanswered, all.requests), (1, 1, 1));
    assert_eq!((all.from_intended.count(), all.from_sent.count()), (3, 0));
    assert!((all.from_intended.quantile_ms(0.01) / 3000.0 - 1.0).abs() < 0.002);
}

#[test]
fn a_stop_ends_counting_and_keeps_what_was_counted() {
    let start = Instant::now();
    let recorder = begun(start, false);
    recorder.record(0, &ended(start + SECOND, RequestOutcome::Succeeded));
    assert!(recorder.stop(start + 4 * SECOND));
    recorder.record(0, &ended(start + 5 * SECOND, RequestOutcome::Succeeded));
    let snapshot = recorder.snapshot(start + 6 * SECOND);
    assert_eq!((snapshot.measured, snapshot.tallies[0].requests), (4 * SECOND, 1));
    assert!(snapshot.begun);
}

#[test]
fn a_stop_before_the_window_leaves_what_came_until_then() {
    let (recorder, start) = (Recorder::new(1, false), Instant::now());
    recorder.prepare(start);
    recorder.record(0, &ended(start + SECOND, RequestOutcome::Succeeded));
    assert!(recorder.stop(start + 2 * SECOND));
    recorder.begin(start + 3 * SECOND, RUN_TIME);
    let snapshot = recorder.snapshot(start + 4 * SECOND);
    assert_eq!((snapshot.measured, snapshot.tallies[0].requests), (2 * SECOND, 1));
    assert!(!snapshot.begun);
}

#[test]
fn refusals_and_broken_connections_have_no_response_time_and_what_timed_out_has() {
    let start = Instant::now();
    let recorder = begun(start, false);
    let at = start + SECOND;
    recorder.record(0, &ended(at, RequestOutcome::Refused));
    recorder.record(0, &ended(at, RequestOutcome::Failed(FailureKind::ConnectionRefused)));
    recorder.record(0, &ended(at, RequestOutcome::Failed(FailureKind::BrokeOff)));
    assert_eq!(recorder.snapshot(at).tallies[0].from_sent.latency(), None);
    recorder.record(0, &took(at, SECOND / 2, RequestOutcome::Failed(FailureKind::TimedOut)));
    let tally = &recorder.snapshot(at).tallies[0];
    assert_eq!((tally.requests, tally.refusals, tally.failed(), tally.from_sent.count()), (4, 1, 3, 1));
    assert!((tally.from_sent.latency().unwrap().max_ms / 500.0 - 1.0).abs() < 0.002);
    recorder.record(0, &ended(at, RequestOutcome::Failed(FailureKind::Status(500))));
    assert_eq!(recorder.snapshot(at).tallies[0].from_sent.count(), 2, "a 500 is an answer");
}

#[test]
fn what_is_sent_in_the_window_and_ends_after_it_is_counted_as_late() {
    let start = Instant::now() + 100 * SECOND;
    let recorder = begun(start, false);
    recorder.record(0, &ended(start + SECOND, RequestOutcome::Succeeded));
    recorder.record(0, &took(start + 12 * SECOND, 3 * SECOND, RequestOutcome::Succeeded));
    recorder.record(0, &took(start + 12 * SECOND, 3 * SECOND, RequestOutcome::Refused));
    recorder.unanswered(0, start + 4 * SECOND, start + 4 * SECOND, start + 12 * SECOND);
    // Sent after the end, as what users do on their stop is.
    recorder.record(0, &took(start + 12 * SECOND, SECOND, RequestOutcome::Succeeded));
    recorder.unanswered(0, start + 11 * SECOND, start + 11 * SECOND, start + 12 * SECOND);
    let all = recorder.snapshot(start + 13 * SECOND).all;
    assert_eq!((all.requests, all.late, all.late_successes, all.unanswered), (3, 2, 1, 1));
    assert_eq!(all.error_sum().to_string(), "50.00 % (0 failed + 1 refused + 1 unanswered of 4 requests)");
    assert_eq!(all.from_sent.count(), 3, "two answers and a wait");
    assert!((all.from_sent.latency().unwrap().max_ms / 8000.0 - 1.0).abs() < 0.002);
    let (interval, _) = recorder.take_interval();
    assert_eq!(interval.requests, 1, "what is late belongs to no second of the run");
}

#[test]
fn errors_are_told_by_request_and_kind_with_when_and_why() {
    let start = Instant::now();
    let recorder = Recorder::new(2, false);
    recorder.begin(start, RUN_TIME);
    let failed = RequestOutcome::Failed(FailureKind::Status(500));
    recorder.record(0, &ended(start + SECOND, failed));
    recorder.record(0, &ended(start + 3 * SECOND, failed));
    let elsewhere = RequestOutcome::Failed(FailureKind::RedirectElsewhere);
    let reason = Some("to `https://shop.example`".into());
    recorder.record(1, &Exchange { reason, ..ended(start + 2 * SECOND, elsewhere) });
    let check = Some("POST /buy: the body does not contain `x`".into());
    let broken = RequestOutcome::Failed(FailureKind::Check);
    recorder.record(1, &Exchange { broken_check: check, ..ended(start + 2 * SECOND, broken) });
    let snapshot = recorder.snapshot(start + RUN_TIME);
    let rows = |index: usize| -> Vec<String> {
        let seconds = |at: Instant| (at - start).as_secs();
        snapshot.tallies[index]
            .errors
            .iter()
            .map(|(kind, errors)| {
                let (first, last) = (seconds(errors.first_at), seconds(errors.last_at));
                format!("{kind} {} {first} {last} {:?}", errors.count, errors.example.as_deref())
            })
            .collect()
    };
    assert_eq!(rows(0), ["status 500 2 1 3 None"]);
    assert_eq!(
        rows(1),
        [
            "redirected to another host 1 2 2 Some(\"to `https://shop.example`\")",
            "check: POST /buy: the body does not contain `x` 1 2 2 None"
        ]
    );
}

#[test]
fn an_interval_holds_what_came_since_the_last() {
    let start = Instant::now();
    let recorder = begun(start, false);
    recorder.record(0, &ended(start + SECOND, RequestOutcome::Succeeded));
    recorder.late(SECOND);
    let (tally, lateness) = recorder.take_interval();
    assert_eq!((tally.requests, lateness.count()), (1, 1));
    let (tally, lateness) = recorder.take_interval();
    assert_eq!((tally.requests, lateness.count()), (0, 0));
    assert_eq!(recorder.error_sum().requests, 1);
}

#[test]
fn the_slowest_are_kept_and_no_others() {
    let start = Instant::now();
    let recorder = begun(start, false);
    for millis in (1..=100).rev().chain(101..=200) {
        recorder.record(0, &took(start + SECOND, Duration::from_millis(millis), RequestOutcome::Succeeded));
    }
    let slowest = recorder.snapshot(start + SECOND).slowest;
    let millis: Vec<_> = slowest.iter().map(|request| request.took.as_millis()).collect();
    assert_eq!(millis, (191..=200).rev().collect::<Vec<_>>());
}
