//! Asks a pretended Prometheus, by hand-computed values and by every way of failing.

use std::sync::atomic::Ordering;

use axum::http::StatusCode;
use serde_json::json;

use super::pretence::{Known, Manner, NOW, World, world_of};
use scaler_engine::{Metric, NamedMetric, Need, Scope, Signal};

use super::*;

fn value(sample: &Sample, signal: Signal) -> Option<f64> {
    sample.service.get(&signal).and_then(|reading| reading.value)
}

#[track_caller]
fn assert_close(found: Option<f64>, expected: f64, what: &str) {
    assert!(
        found.is_some_and(|found| (found - expected).abs() < 1e-9),
        "{what} is {found:?}, expected {expected}"
    );
}

#[track_caller]
fn assert_nothing_measured(sample: &Sample) {
    assert_eq!(sample.service.keys().copied().collect::<Vec<_>>(), [Signal::InFlight], "{sample:?}");
    for replica in &sample.replicas {
        for (signal, value) in &replica.signals {
            assert_eq!(value.is_some(), *signal == Signal::InFlight, "{signal} of {}", replica.id);
        }
    }
}

#[tokio::test]
async fn every_signal_by_hand() {
    let sample = world_of(Known::scraped("a:1", 5.0, 2.0, 6.0).busy()).source().await.sample().await;
    assert_eq!(sample.problems, Vec::<String>::new());
    assert_eq!((sample.scrapes.ok, sample.scrapes.failed, sample.load_factor), (3, 0, Some(5.0)));
    let replica = &sample.replicas[0];
    // The window of 30 s is filled. Median: rank 50 lies 30 of 40 into the bucket from 0.1 to 0.5; p95: rank 95 lies
    // 35 of 40 into 0.5 to 1. 4 workers × 30 s are 120 s, of which 60 were busy.
    for (signal, expected) in [
        (Signal::ResponseTimeMeanSeconds, 0.4),
        (Signal::ResponseTimeP50Seconds, 0.4),
        (Signal::ResponseTimeP95Seconds, 0.9375),
        (Signal::ResponseTimeP99Seconds, 0.9875),
        (Signal::RequestsPerSecond, 5.0),
        (Signal::RefusedPerSecond, 50.0 / 30.0),
        (Signal::ErrorsPerSecond, 0.1),
        (Signal::CompletedPerSecond, 100.0 / 30.0),
        (Signal::ErrorRatio, 0.03),
        (Signal::BacklogGrowthPerSecond, 0.5),
        (Signal::InFlight, 3.0),
        (Signal::QueueDepth, 10.0),
        (Signal::Utilization, 0.5),
        (Signal::CpuCores, 0.1),
        (Signal::MemoryBytes, 2000.0),
        (Signal::DependencyWaitSeconds, 0.25),
    ] {
        assert_close(value(&sample, signal), expected, signal.name());
        assert_close(replica.signals[&signal], expected, &format!("the replica's {signal}"));
    }
    let age = sample.service[&Signal::ResponseTimeMeanSeconds].age;
    assert!((2.0..4.0).contains(&age.as_secs_f64()), "the newest sample is 2 s old, not {age:?}");
    assert_eq!(replica.started_at, Some(Duration::from_secs_f64(NOW - 3600.0)));
    assert!(replica.ready && replica.sampled_at.is_some());
}

#[tokio::test]
async fn replicas_are_weighted_by_their_requests_and_a_new_one_counts_from_its_first_scrape() {
    let old = Known::scraped("a:1", 5.0, 0.0, 6.0).busy();
    // Scraped for the first time 14 s ago and twice since: `increase()` speaks for 16.5 s. 20 jobs of 1 s each in them.
    let new = Known::scraped("b:2", 5.0, 4.0, 3.0)
        .state(queries::FIRST_SAMPLE, NOW - 14.0)
        .state(queries::QUEUE_DEPTH, 8.0)
        .grown(queries::DURATION_COUNT, 20.0)
        .grown(queries::DURATION_SUM, 20.0)
        .grown(queries::BUSY_SECONDS, 20.0);
    let world = World::default();
    world.list(&[("http://a:1", "ready"), ("http://b:2/", "ready")]);
    world.know(&[old, new]);
    let sample = world.source().await.sample().await;
    assert_close(value(&sample, Signal::ResponseTimeMeanSeconds), 60.0 / 120.0, "the mean");
    assert_close(value(&sample, Signal::Utilization), 80.0 / (4.0 * 46.5), "the utilization");
    assert_close(value(&sample, Signal::QueueDepth), (10.0 * 30.0 + 8.0 * 16.5) / 46.5, "the queue depth");
    assert_close(value(&sample, Signal::RequestsPerSecond), 170.0 / 30.0, "the rate");
    assert_close(sample.replicas[1].signals[&Signal::RequestsPerSecond], 20.0 / 16.5, "the new one's rate");
    assert_eq!(value(&sample, Signal::ResponseTimeP95Seconds), None, "one of them has no buckets");
}

#[tokio::test]
async fn the_start_that_a_replica_tells_decides_nothing() {
    for started_at in [NOW - 1.0, NOW + 3600.0, NOW - 3600.0, 0.0] {
        let met_now = Known::scraped("a:1", 5.0, 1.0, 1.0)
            .state(queries::FIRST_SAMPLE, NOW - 1.0)
            .state(queries::STARTED_AT, started_at)
            .grown(queries::DURATION_COUNT, 0.0);
        let sample = world_of(met_now).source().await.sample().await;
        assert_nothing_measured(&sample);
    }
}

#[tokio::test]
async fn a_replica_with_work_that_completes_none_has_no_response_time() {
    let stands = Known::scraped("a:1", 5.0, 1.0, 6.0)
        .state(queries::COMPLETED, 500.0)
        .state(queries::UNFINISHED, 104.0)
        .grown(queries::REFUSED, 300.0)
        .grown(queries::BUSY_SECONDS, 120.0);
    let mut source = world_of(stands).source().await;
    source.sample().await;
    let sample = source.sample().await;
    for signal in Signal::ALL.into_iter().filter(|signal| signal.needs_completions()) {
        assert_eq!(value(&sample, signal), None, "{signal}");
        assert_eq!(sample.replicas[0].signals[&signal], None, "{signal}");
    }
    // The second look asks for one scrape interval more than the window.
    assert_close(value(&sample, Signal::RequestsPerSecond), 300.0 / 35.0, "what was offered");
    assert_close(value(&sample, Signal::Utilization), 120.0 / 140.0, "the utilization");
    let standstill = sample.standstill.unwrap();
    assert_eq!((standstill.replicas, standstill.jobs), (1, 104.0));
    assert_close(Some(standstill.refused_per_second), 300.0 / 35.0, "what was refused");
    assert!(standstill.at_least >= Duration::from_secs(1), "{standstill:?}");
}

#[tokio::test]
async fn a_replica_that_has_just_begun_to_stand_still_does_not_hide_behind_what_it_completed() {
    let busy = |instance: &str, completed: f64| {
        Known::scraped(instance, 5.0, 1.0, 6.0)
            .busy()
            .state(queries::COMPLETED, completed)
            .state(queries::UNFINISHED, 3.0)
    };
    let world = world_of(Known::default());
    world.list(&[("http://a:1", "ready"), ("http://b:2", "ready")]);
    let mut source = world.source().await;
    let mut reported = Vec::new();
    for look in 0..3 {
        world.know(&[busy("a:1", 100.0), busy("b:2", 100.0 + f64::from(look))]);
        let sample = source.sample().await;
        let has = |replica: &ReplicaObservation| replica.signals[&Signal::ResponseTimeMeanSeconds].is_some();
        reported.push((has(&sample.replicas[0]), has(&sample.replicas[1])));
    }
    assert_eq!(reported, [(true, true), (false, true), (false, true)], "its jobs wait longer than 0.4 s");
}

#[tokio::test]
async fn jobs_that_take_longer_than_a_look_do_not_stand_still() {
    // Jobs of 3 s each; at this look, a second after the last, none has completed since.
    let slow = Known::scraped("a:1", 5.0, 1.0, 6.0)
        .busy()
        .grown(queries::DURATION_SUM, 300.0)
        .state(queries::COMPLETED, 100.0)
        .state(queries::UNFINISHED, 3.0);
    let mut source = world_of(slow).source().await;
    source.sample().await;
    let sample = source.sample().await;
    assert_eq!(sample.standstill.map(|standstill| standstill.replicas), Some(1));
    for signal in [Signal::ResponseTimeMeanSeconds, Signal::ErrorsPerSecond, Signal::DependencyWaitSeconds] {
        assert!(sample.replicas[0].signals[&signal].is_some(), "{signal} is what its completed jobs say");
    }
}

#[tokio::test]
async fn an_answer_that_was_given_before_is_no_news() {
    let world = world_of(Known::scraped("a:1", 5.0, 1.0, 6.0).busy());
    let mut source = world.source().await;
    source.sample().await;
    world.stands_still.store(true, Ordering::Relaxed);
    let silent_from = source.clock.now();
    loop {
        let sample = source.sample().await;
        assert!(
            sample.problems[0].contains("not later than that of its last answer"),
            "{:?}",
            sample.problems
        );
        if !sample.service.contains_key(&Signal::ResponseTimeMeanSeconds) {
            assert_nothing_measured(&sample);
            break;
        }
        assert!(source.clock.now().saturating_sub(silent_from) < Duration::from_secs(5), "still used");
    }
    world.stands_still.store(false, Ordering::Relaxed);
    let sample = source.sample().await;
    assert_close(value(&sample, Signal::ResponseTimeMeanSeconds), 0.4, "the mean after it");
    // Its clock is set back by an hour: one answer is lost, and no more.
    world.seconds_passed.fetch_sub(3600, Ordering::Relaxed);
    assert_eq!(source.sample().await.problems.len(), 1);
    assert_eq!(source.sample().await.problems, Vec::<String>::new());
}

#[tokio::test]
async fn a_sample_that_is_yet_to_come_is_not_fresh() {
    let sample = world_of(Known::scraped("a:1", 5.0, -3600.0, 6.0).busy()).source().await.sample().await;
    assert_nothing_measured(&sample);
    assert!(sample.problems[0].contains("3600.0 s yet to come"), "{:?}", sample.problems);
}

#[tokio::test]
async fn without_the_gateway_the_list_grows_old() {
    let world = world_of(Known::scraped("a:1", 5.0, 1.0, 6.0).busy());
    let mut source = world.source().await;
    assert_eq!(source.sample().await.rotation_unknown_for, None);
    *world.endpoints.lock().unwrap() = json!({"not": "a list"});
    let began = source.clock.now();
    let sample = loop {
        let sample = source.sample().await;
        if sample.rotation_unknown_for.is_some() {
            break sample;
        }
        assert!(
            source.clock.now().saturating_sub(began) < Duration::from_secs(5),
            "the list is still believed"
        );
    };
    assert!(sample.rotation_unknown_for >= Some(Duration::from_millis(200)), "{sample:?}");
    assert_eq!(sample.replicas[0].signals[&Signal::InFlight], None);
    world.list(&[("http://a:1", "ready")]);
    assert_eq!(source.sample().await.rotation_unknown_for, None);
}

#[tokio::test]
async fn a_service_without_requests_is_data() {
    let world = world_of(Known::scraped("a:1", 5.0, 1.0, 6.0));
    *world.endpoints.lock().unwrap() = json!([{"url": "http://a:1", "state": "ready", "in_flight": 0}]);
    let sample = world.source().await.sample().await;
    for signal in [Signal::ResponseTimeMeanSeconds, Signal::RequestsPerSecond, Signal::Utilization] {
        assert_close(value(&sample, signal), 0.0, signal.name());
    }
    assert_eq!(sample.problems, Vec::<String>::new());
}

#[tokio::test]
async fn a_prometheus_that_knows_nobody_is_told_so_at_once() {
    let world = world_of(Known::default());
    world.know(&[]);
    let sample = world.source().await.sample().await;
    assert_nothing_measured(&sample);
    assert!(sample.problems[0].contains("`instance` a:1"), "{:?}", sample.problems);
    assert_eq!(sample.replicas[0].sampled_at, None);
}

#[tokio::test]
async fn a_missing_instance_is_a_hole_and_a_problem_once_it_should_be_there() {
    let world = world_of(Known::scraped("a:1", 5.0, 1.0, 6.0).busy());
    world.list(&[("http://a:1", "ready"), ("http://b:2", "ready")]);
    let mut source = world.source().await;
    let sample = source.sample().await;
    assert_eq!(sample.problems, Vec::<String>::new(), "it is not discovered in the moment it is ready");
    let reported = sample.replicas.iter().map(|replica| replica.signals[&Signal::Utilization]);
    assert_eq!(reported.collect::<Vec<_>>(), [Some(0.5), None], "a hole, not a zero");
    assert_close(value(&sample, Signal::ResponseTimeMeanSeconds), 0.4, "the mean of those that are known");
    source.asked.iter_mut().for_each(|(_, known)| known.since -= Duration::from_secs(31));
    let sample = source.sample().await;
    assert!(sample.problems[0].contains("no samples of b:2"), "{:?}", sample.problems);
}

#[tokio::test]
async fn what_is_no_number_is_absent_and_named() {
    for bad in ["NaN", "+Inf"] {
        for known in [
            Known::scraped("a:1", 5.0, 1.0, 6.0).grown(queries::DURATION_SUM, bad),
            Known::scraped("a:1", 5.0, 1.0, 6.0).state(queries::QUEUE_DEPTH, bad),
            Known { buckets: vec![("0.5", bad.to_owned())], ..Known::scraped("a:1", 5.0, 1.0, 6.0) },
        ] {
            let sample = world_of(known).source().await.sample().await;
            assert_nothing_measured(&sample);
            assert!(sample.problems[0].contains("a:1"), "{:?}", sample.problems);
        }
    }
}

#[tokio::test]
async fn a_replica_in_two_jobs_is_not_counted_double() {
    let twice = Known::scraped("a:1", 5.0, 1.0, 6.0).state(queries::JOBS, 2.0);
    let sample = world_of(twice).source().await.sample().await;
    assert_nothing_measured(&sample);
    assert!(sample.problems[0].contains("double"), "{:?}", sample.problems);
}

#[tokio::test]
async fn old_samples_are_shown_with_their_age() {
    // Scraped each 5 s until 16 s ago.
    let stale = Known::scraped("a:1", 5.0, 16.0, 3.0).busy();
    let sample = world_of(stale).source().await.sample().await;
    let reading = sample.service[&Signal::ResponseTimeMeanSeconds];
    assert!(reading.value.is_some() && reading.age >= Duration::from_secs(16), "{reading:?}");
    assert_eq!(sample.replicas[0].signals[&Signal::ResponseTimeMeanSeconds], None, "it has not reported");
    assert!(sample.problems[0].contains("16.0 s old"), "{:?}", sample.problems);
}

#[tokio::test]
async fn a_window_of_few_scrapes_is_refused() {
    for (spacing, is_enough) in [(7.5, true), (7.8, true), (8.0, false), (60.0, false)] {
        let count = (29.9_f64 / spacing).floor() + 1.0;
        let known = Known::scraped("a:1", spacing, 0.1, count);
        let sample = world_of(known.busy()).source().await.sample().await;
        assert_eq!(value(&sample, Signal::RequestsPerSecond).is_some(), is_enough, "each {spacing} s");
        assert_eq!(sample.problems.is_empty(), is_enough, "each {spacing} s: {:?}", sample.problems);
        if !is_enough {
            assert_nothing_measured(&sample);
            assert!(sample.problems[0].contains("hint: a window of at least"), "{:?}", sample.problems);
        }
    }
}

#[tokio::test]
async fn the_distance_of_scrapes_is_remembered_while_none_is_in_the_window() {
    let world = world_of(Known::scraped("a:1", 60.0, 0.0, 1.0));
    let mut source = world.source().await;
    source.sample().await;
    world.know(&[Known::scraped("a:1", 0.0, 40.0, 0.0)]);
    let sample = source.sample().await;
    assert_nothing_measured(&sample);
    assert!(sample.problems[0].contains("each 60.0 s"), "{:?}", sample.problems);
}

#[tokio::test]
async fn a_prometheus_that_fails_is_named_and_what_it_said_before_does_not_last() {
    let json = "application/json";
    let bad_data =
        r#"{"status": "error", "errorType": "bad_data", "error": "parse error: no closing brace"}"#;
    let matrix = r#"{"status": "success", "data": {"resultType": "matrix", "result": []}}"#;
    for (manner, part) in [
        (Manner::Refuses(StatusCode::BAD_REQUEST, json, bad_data), "no closing brace"),
        (Manner::Refuses(StatusCode::INTERNAL_SERVER_ERROR, "text/html", "<html>"), "500"),
        (Manner::Refuses(StatusCode::OK, json, "{\"status\": \"succ"), "failed to parse JSON"),
        (Manner::Refuses(StatusCode::OK, json, matrix), "no vector"),
        (Manner::Hangs, "timed out"),
    ] {
        let world = world_of(Known::scraped("a:1", 5.0, 1.0, 6.0).busy());
        let mut source = world.source().await;
        source.settings.interval = Duration::from_millis(500);
        source.sample().await;
        let answered_at = source.answer.as_ref().unwrap().at;
        world.behave(manner);
        loop {
            let sample = source.sample().await;
            let silence = source.clock.now().saturating_sub(answered_at);
            let problems = &sample.problems;
            assert_eq!((problems.len(), sample.scrapes.ok, sample.scrapes.failed), (1, 0, 3), "{problems:?}");
            assert!(
                problems[0].starts_with("Prometheus at http://127") && problems[0].contains(part),
                "{problems:?}"
            );
            let Some(reading) = sample.service.get(&Signal::ResponseTimeMeanSeconds) else {
                assert_nothing_measured(&sample);
                assert!(
                    silence > Duration::from_millis(1500),
                    "forgotten after {silence:?}: late is no outage"
                );
                break;
            };
            assert!(reading.age >= Duration::from_secs(1), "its age grows: {reading:?}");
            assert!(silence < Duration::from_secs(10), "still used after {silence:?}");
        }
        world.behave(Manner::Answers);
        assert_close(
            value(&source.sample().await, Signal::ResponseTimeMeanSeconds),
            0.4,
            "the mean after it",
        );
    }
}

#[tokio::test]
async fn what_was_before_an_absence_of_prometheus_is_not_asked_for() {
    // Back after an absence, Prometheus has one sample from before it and one from after.
    let world = world_of(Known::scraped("a:1", 400.0, 1.0, 1.0).busy());
    let mut source = world.source().await;
    let sample = source.sample().await;
    assert_nothing_measured(&sample);
    assert!(sample.problems[0].contains("each 400.0 s, too seldom"), "{:?}", sample.problems);
    let range = source.range(Duration::from_secs(30));
    assert!(range < Duration::from_secs(38), "it reaches back over {range:?}");
    source.sample().await;
    let asked = world.asked.lock().unwrap().clone();
    assert!(
        !asked.contains("offset+0ms") && !asked.contains("offset%200ms"),
        "no duration may be 0: {asked}"
    );
    world.know(&[Known::scraped("a:1", 5.0, 1.0, 6.0).busy()]);
    let sample = source.sample().await;
    assert_close(value(&sample, Signal::ResponseTimeMeanSeconds), 0.4, "the mean after it");
    assert_eq!(sample.problems, Vec::<String>::new());
}

#[tokio::test]
async fn with_nobody_listening_the_cause_is_told() {
    let world = world_of(Known::scraped("a:1", 5.0, 1.0, 6.0));
    let mut source = world.source().await;
    source.prometheus = PrometheusClient::new("http://127.0.0.1:1").unwrap();
    let sample = source.sample().await;
    assert_nothing_measured(&sample);
    assert!(sample.problems[0].contains("refused"), "{:?}", sample.problems);
}

#[tokio::test]
async fn who_left_is_asked_about_until_it_has_left_the_window() {
    let world = world_of(Known::scraped("a:1", 5.0, 1.0, 6.0));
    world.list(&[("http://a:1", "ready"), ("http://b:2", "ready"), ("http://c:3", "starting")]);
    let mut source = world.source().await;
    source.sample().await;
    world.list(&[("http://a:1", "ready")]);
    source.sample().await;
    assert_eq!(source.instances().collect::<Vec<_>>(), ["a:1", "b:2"]);
    let gone = source.asked.iter_mut().filter(|(_, known)| known.state.is_none());
    gone.for_each(|(_, known)| known.listed_at -= Duration::from_secs(60));
    source.sample().await;
    assert_eq!(source.instances().collect::<Vec<_>>(), ["a:1"]);
    assert!(!world.asked.lock().unwrap().contains("b%3A2"), "{}", world.asked.lock().unwrap());
}

#[tokio::test]
async fn with_nobody_there_nobody_is_asked() {
    let world = World::default();
    world.list(&[("http://a:1", "starting")]);
    let mut source = world.source().await;
    let sample = source.sample().await;
    assert_nothing_measured(&sample);
    assert_eq!((sample.problems.len(), world.queries.load(Ordering::Relaxed)), (0, 0));
    *world.endpoints.lock().unwrap() = json!({"not": "a list"});
    let sample = source.sample().await;
    assert!(sample.problems[0].starts_with("the gateway did not list"), "{:?}", sample.problems);
}

#[tokio::test]
async fn what_policies_need_besides_is_answered_by_window_and_by_name() {
    let mut known = Known::scraped("a:1", 1.0, 0.5, 30.0).busy();
    known.named = [("1_rate", "12.5"), ("1_counter", "900"), ("1_any", "2"), ("2_any", "1")]
        .map(|(figure, value)| (figure, value.to_owned()))
        .to_vec();
    let world = world_of(known);
    let mut source = world.source().await;
    let short = Duration::from_secs(15);
    let named = |name: &str, scope| {
        let metric = Metric::Named(NamedMetric { name: name.to_owned(), labels: BTreeMap::new() });
        Need { metric, scope, window: short }
    };
    source.set_wanted(Wanted::signals_over(Duration::from_secs(30)).and_needs([
        Need::of_each_replica(Signal::CpuCores, short),
        named("http_requests_per_second", Scope::EachReplica),
        named("orders", Scope::EachReplica),
        named("lag", Scope::External),
    ]));
    let sample = source.sample().await;
    let url = "http://a:1";
    // 3 s of CPU time in 30 s, and the pretended Prometheus says the same of 15 s.
    assert_close(value(&sample, Signal::CpuCores), 0.1, "over the window of all signals");
    assert_close(sample.further[0].of_replicas[url], 0.2, "over 15 s");
    assert_eq!(sample.further[1].of_replicas[url], Some(12.5));
    assert_eq!((sample.scrapes.ok, sample.scrapes.failed), (7, 0), "three for each window, one for names");
    let problem = |place: usize| sample.further[place].problem.clone().unwrap();
    assert!(problem(2).contains("`orders` is in Prometheus at http://"), "{}", problem(2));
    assert!(problem(3).starts_with("there is no `lag` in Prometheus at http://"), "{}", problem(3));
    assert_eq!(sample.problems.len(), 2, "{:?}", sample.problems);
}
