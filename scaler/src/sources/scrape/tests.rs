//! Scrapes in-process endpoints whose numbers the test sets.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::routing::get;

use scaler_engine::{Metric, Scope, Signal};

use super::*;
use crate::sources::EndpointState;

/// A replica and what it shows.
#[derive(Clone, Default)]
struct FakeReplica {
    text: Arc<Mutex<String>>,
    /// Further lines.
    more: Arc<Mutex<String>>,
    is_broken: Arc<AtomicBool>,
}

impl FakeReplica {
    fn show(&self, count: f64, sum: f64, started_at: Duration) {
        let started_at = started_at.as_secs_f64();
        *self.text.lock().unwrap() = format!(
            "webapp_request_duration_seconds_sum{{origin=\"user\"}} {sum}\n\
             webapp_request_duration_seconds_count{{origin=\"user\"}} {count}\n\
             webapp_request_duration_seconds_bucket{{le=\"1.0\",origin=\"user\"}} {count}\n\
             webapp_request_duration_seconds_bucket{{le=\"+Inf\",origin=\"user\"}} {count}\n\
             webapp_workers 4\nwebapp_load_factor 5\n\
             process_start_time_seconds {started_at}\n{}# EOF\n",
            self.more.lock().unwrap()
        );
    }

    async fn start(&self) -> String {
        let replica = self.clone();
        let metrics = async move |RawQuery(query): RawQuery| {
            assert!(
                query.is_some_and(|query| query.contains("name%5B%5D=webapp_workers")),
                "asks for what it needs"
            );
            if replica.is_broken.load(Ordering::Relaxed) {
                return (StatusCode::INTERNAL_SERVER_ERROR, String::from("broken"));
            }
            (StatusCode::OK, replica.text.lock().unwrap().clone())
        };
        serve(Router::new().route("/metrics", get(metrics))).await
    }
}

#[derive(Clone, Default)]
struct FakeGateway(Arc<Mutex<serde_json::Value>>, Arc<Mutex<Option<u32>>>);

impl FakeGateway {
    fn list(&self, endpoints: &[(&str, &str)]) {
        let list: Vec<_> = endpoints
            .iter()
            .map(|(url, state)| serde_json::json!({"url": url, "state": state, "in_flight": 3, "ewma_ms": 1.5, "zone": "a"}))
            .collect();
        *self.0.lock().unwrap() = list.into();
    }

    async fn start(&self) -> String {
        let (list, waiting) = (self.0.clone(), self.1.clone());
        let waiting = async move || match *waiting.lock().unwrap() {
            Some(waiting) => Ok(axum::Json(serde_json::json!({"waiting_requests": waiting, "max": 100}))),
            None => Err(StatusCode::NOT_FOUND),
        };
        let list = async move || axum::Json(list.lock().unwrap().clone());
        serve(Router::new().route("/endpoints", get(list)).route("/waiting", get(waiting))).await
    }
}

async fn serve(app: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}

fn source(gateway_admin: String, clock: Clock) -> ScrapeSource {
    let settings =
        ScrapeSettings { gateway_admin, window: Duration::from_secs(30), interval: Duration::from_secs(1) };
    ScrapeSource::new(settings, clock)
}

fn value(sample: &Sample, signal: Signal) -> Option<f64> {
    sample.service.get(&signal).and_then(|reading| reading.value)
}

#[tokio::test]
async fn replicas_that_come_and_go_are_weighted_by_their_requests() {
    let (gateway, old, new) = (FakeGateway::default(), FakeReplica::default(), FakeReplica::default());
    let clock = Clock::start();
    let long_ago = clock.now().saturating_sub(Duration::from_hours(1));
    let (old_url, new_url) = (old.start().await, new.start().await);
    let mut source = source(gateway.start().await, clock);

    // One that was there before: its past does not count, and one look tells nothing yet.
    old.show(1000.0, 900.0, long_ago);
    gateway.list(&[(&old_url, "ready")]);
    let first = source.sample().await;
    assert_eq!(value(&first, Signal::ResponseTimeMeanSeconds), None, "one look is no window");
    assert_eq!(value(&first, Signal::InFlight), Some(3.0));
    assert_eq!((first.scrapes.ok, first.scrapes.failed, first.load_factor), (1, 0, Some(5.0)));

    // 10 requests of 0.1 s since then.
    old.show(1010.0, 901.0, long_ago);
    let second = source.sample().await;
    assert!((value(&second, Signal::ResponseTimeMeanSeconds).unwrap() - 0.1).abs() < 1e-9, "{second:?}");
    assert_eq!(
        second.replicas[0].signals[&Signal::ResponseTimeMeanSeconds].map(|mean| (mean * 1e9).round()),
        Some(1e8)
    );

    // One that starts now: from its second look on, 30 requests of 0.5 s. Mean: (1 + 15) / 40.
    new.show(7.0, 7.0, clock.now());
    gateway.list(&[(&old_url, "ready"), (&new_url, "ready")]);
    let met = source.sample().await;
    assert_eq!(met.replicas[1].signals[&Signal::ResponseTimeMeanSeconds], None, "it was met only now");
    new.show(37.0, 22.0, clock.now());
    let third = source.sample().await;
    assert!((value(&third, Signal::ResponseTimeMeanSeconds).unwrap() - 0.4).abs() < 1e-9, "{third:?}");
    assert_eq!((third.replicas.len(), third.scrapes.ok), (2, 2));

    // It leaves; what it did stays in the window.
    gateway.list(&[(&old_url, "ready")]);
    let fourth = source.sample().await;
    assert!((value(&fourth, Signal::ResponseTimeMeanSeconds).unwrap() - 0.4).abs() < 1e-9, "{fourth:?}");
    assert_eq!((fourth.replicas.len(), fourth.scrapes.ok), (1, 1));
}

#[tokio::test]
async fn a_starting_endpoint_is_left_alone_and_a_draining_one_is_not_ready() {
    let (gateway, replica) = (FakeGateway::default(), FakeReplica::default());
    let url = replica.start().await;
    let clock = Clock::start();
    replica.show(1.0, 1.0, clock.now());
    let mut source = source(gateway.start().await, clock);
    gateway.list(&[(&url, "starting"), ("http://127.0.0.1:1", "someday")]);
    let sample = source.sample().await;
    assert_eq!((sample.scrapes.ok, sample.scrapes.failed), (0, 1), "a state of another version is asked");
    assert_eq!(sample.endpoints[1].state, EndpointState::Unknown);
    gateway.list(&[(&url, "draining")]);
    let sample = source.sample().await;
    assert_eq!(sample.scrapes.ok, 1);
    assert!(!sample.replicas[0].ready && sample.replicas[0].deleting);
    replica.is_broken.store(true, Ordering::Relaxed);
    let sample = source.sample().await;
    assert_eq!((sample.scrapes.failed, sample.problems.len()), (0, 0), "one that leaves may be gone");
}

#[tokio::test]
async fn a_replica_that_loses_its_readiness_keeps_being_asked_and_its_change_is_dated() {
    let (gateway, replica) = (FakeGateway::default(), FakeReplica::default());
    let url = replica.start().await;
    let clock = Clock::start();
    replica.show(1.0, 1.0, clock.now());
    let mut source = source(gateway.start().await, clock);
    gateway.list(&[(&url, "ready")]);
    let sample = source.sample().await;
    assert_eq!(sample.replicas[0].readiness_changed_at, None, "when it became ready nobody saw");
    gateway.list(&[(&url, "starting")]);
    let before = clock.now();
    let sample = source.sample().await;
    assert_eq!(sample.scrapes.ok, 1);
    assert!(!sample.replicas[0].ready && sample.replicas[0].readiness_changed_at >= Some(before));
}

#[tokio::test]
async fn a_replica_that_gives_nothing_has_not_reported_and_is_named() {
    let (gateway, good, bad) = (FakeGateway::default(), FakeReplica::default(), FakeReplica::default());
    let (good_url, bad_url) = (good.start().await, bad.start().await);
    let clock = Clock::start();
    let mut source = source(gateway.start().await, clock);
    good.show(10.0, 1.0, clock.now());
    gateway.list(&[(&good_url, "ready"), (&bad_url, "ready")]);
    source.sample().await;
    good.show(20.0, 2.0, clock.now());
    for (text, part) in
        [("webapp_workers 4\n", "# EOF"), ("<html>\n# EOF\n", "line 1"), ("a 1\n# EOF\n", "webapp_request")]
    {
        *bad.text.lock().unwrap() = text.to_owned();
        let sample = source.sample().await;
        assert_eq!((sample.scrapes.ok, sample.scrapes.failed), (1, 1));
        let told = sample.silent[0].sentence(None);
        assert!(told.contains(part) && told.contains(bad_url.trim_start_matches("http://")), "{told}");
        let reported: Vec<bool> = sample
            .replicas
            .iter()
            .map(|replica| replica.signals[&Signal::ResponseTimeMeanSeconds].is_some())
            .collect();
        assert_eq!(reported, [true, false], "a hole, not a zero");
        assert_eq!(value(&sample, Signal::ResponseTimeMeanSeconds), Some(0.1));
    }
    bad.is_broken.store(true, Ordering::Relaxed);
    let sample = source.sample().await;
    assert!(sample.silent[0].predicate.contains("status 500"), "{:?}", sample.silent);
}

#[tokio::test]
async fn a_replica_has_reported_until_three_intervals_have_passed_in_silence() {
    let (gateway, replica) = (FakeGateway::default(), FakeReplica::default());
    let url = replica.start().await;
    let clock = Clock::start();
    let mut source = source(gateway.start().await, clock);
    source.settings.interval = Duration::from_millis(100);
    replica.show(10.0, 1.0, clock.now());
    gateway.list(&[(&url, "ready")]);
    source.sample().await;
    replica.show(20.0, 2.0, clock.now());
    source.sample().await;
    let answered_at = clock.now();
    replica.is_broken.store(true, Ordering::Relaxed);
    loop {
        let sample = source.sample().await;
        let has_reported = sample.replicas[0].signals[&Signal::ResponseTimeMeanSeconds].is_some();
        let silence = clock.now().saturating_sub(answered_at);
        assert!(has_reported || silence >= Duration::from_millis(290), "dropped after {silence:?}");
        assert!(silence < Duration::from_secs(5), "still counted as reported after {silence:?}");
        assert_eq!(
            value(&sample, Signal::ResponseTimeMeanSeconds),
            Some(0.1),
            "its past stays in the window"
        );
        if !has_reported {
            break;
        }
    }
}

#[tokio::test]
async fn without_the_gateway_the_last_list_is_used_and_grows_old() {
    let (gateway, replica) = (FakeGateway::default(), FakeReplica::default());
    let url = replica.start().await;
    let clock = Clock::start();
    let mut source = source(gateway.start().await, clock);
    source.settings.interval = Duration::from_millis(100);
    source.rotation = Rotation::new(&source.settings.gateway_admin, clock.now(), source.settings.interval);
    assert!(source.rotation.unknown_for(clock.now()).is_some(), "nobody was asked yet");
    replica.show(10.0, 1.0, clock.now());
    gateway.list(&[(&url, "ready")]);
    source.sample().await;
    replica.show(20.0, 2.0, clock.now());
    assert_eq!(source.sample().await.rotation_unknown_for, None);
    *gateway.0.lock().unwrap() = serde_json::json!({"not": "a list"});
    let sample = source.sample().await;
    assert!(
        sample.problems[0].starts_with("the gateway did not list its endpoints"),
        "{:?}",
        sample.problems
    );
    assert_eq!(sample.scrapes.ok, 1, "a gateway that is away does not blind the scaler");
    assert_eq!(value(&sample, Signal::ResponseTimeMeanSeconds), Some(0.1));
    let began = clock.now();
    let sample = loop {
        let sample = source.sample().await;
        if sample.rotation_unknown_for.is_some() {
            break sample;
        }
        assert!(clock.now().saturating_sub(began) < Duration::from_secs(5), "a list without an end");
    };
    assert!(sample.rotation_unknown_for > Some(Duration::from_millis(200)), "{sample:?}");
    assert_eq!(
        sample.replicas[0].signals[&Signal::InFlight],
        None,
        "what was in flight then says nothing now"
    );
    assert_eq!(sample.replicas[0].signals[&Signal::Utilization], Some(0.0), "what it says itself is known");
    gateway.list(&[(&url, "ready")]);
    assert_eq!(source.sample().await.rotation_unknown_for, None);
}

#[tokio::test]
async fn a_replica_of_any_clock_that_was_there_before_counts_from_its_second_look() {
    let clock = Clock::start();
    let hour = Duration::from_hours(1);
    for started_at in [
        clock.now() + Duration::from_secs(5),
        clock.now() + hour,
        clock.now().saturating_sub(hour),
        Duration::ZERO,
    ] {
        let (gateway, replica) = (FakeGateway::default(), FakeReplica::default());
        let url = replica.start().await;
        let mut source = source(gateway.start().await, clock);
        replica.show(50_000.0, 5_000.0, started_at);
        gateway.list(&[(&url, "ready")]);
        let first = source.sample().await;
        assert_eq!(value(&first, Signal::RequestsPerSecond), None, "started at {started_at:?}");
        replica.show(50_020.0, 5_002.0, started_at);
        let looked_from = clock.now();
        let second = source.sample().await;
        // 20 requests in the time between both looks, however short that was.
        let rate = value(&second, Signal::RequestsPerSecond).unwrap();
        let seconds = clock.now().saturating_sub(looked_from).as_secs_f64();
        assert!(rate * seconds < 1_000.0, "{rate}/s over {seconds} s, started at {started_at:?}");
        assert!((value(&second, Signal::ResponseTimeMeanSeconds).unwrap() - 0.1).abs() < 1e-9);
    }
}

#[tokio::test]
async fn a_replica_that_stands_still_has_no_response_time_and_is_told_of() {
    let (gateway, good, stuck) = (FakeGateway::default(), FakeReplica::default(), FakeReplica::default());
    let (good_url, stuck_url) = (good.start().await, stuck.start().await);
    let clock = Clock::start();
    let mut source = source(gateway.start().await, clock);
    source.settings.interval = Duration::from_secs(60);
    // The gateway has 3 requests in flight to each; one of them completes what it gets, at first both do.
    gateway.list(&[(&good_url, "ready"), (&stuck_url, "ready")]);
    for count in [10.0, 20.0] {
        good.show(count, count / 100.0, clock.now());
        stuck.show(count, count / 100.0, clock.now());
        source.sample().await;
    }
    let mut count = 20.0;
    let began = clock.now();
    let sample = loop {
        count += 1.0;
        good.show(count, count / 100.0, clock.now());
        let sample = source.sample().await;
        if sample.standstill.is_some_and(|standstill| standstill.at_least > Duration::from_millis(20)) {
            break sample;
        }
        assert!(clock.now().saturating_sub(began) < Duration::from_secs(10), "{sample:?}");
    };
    let standstill = sample.standstill.unwrap();
    assert_eq!((standstill.replicas, standstill.jobs), (1, 3.0));
    let reported = |signal| sample.replicas.iter().map(move |replica| replica.signals[&signal].is_some());
    for signal in [Signal::ResponseTimeMeanSeconds, Signal::ErrorsPerSecond] {
        assert_eq!(reported(signal).collect::<Vec<_>>(), [true, false], "{signal}");
    }
    assert_eq!(reported(Signal::Utilization).collect::<Vec<_>>(), [true, true]);
    assert!(value(&sample, Signal::ResponseTimeMeanSeconds).is_some(), "of the one that completes");
}

#[tokio::test]
async fn where_nobody_completes_anything_the_service_has_no_response_time_at_all() {
    let (gateway, replica) = (FakeGateway::default(), FakeReplica::default());
    let url = replica.start().await;
    let clock = Clock::start();
    let mut source = source(gateway.start().await, clock);
    replica.show(500.0, 20.0, clock.now());
    gateway.list(&[(&url, "ready")]);
    source.sample().await;
    let sample = source.sample().await;
    for signal in Signal::ALL.into_iter().filter(|signal| signal.needs_completions()) {
        assert_eq!(value(&sample, signal), None, "{signal}: 3 requests are in flight and none was answered");
    }
    assert_eq!(value(&sample, Signal::RequestsPerSecond), None, "0 would say that nobody asks");
}

#[tokio::test]
async fn with_nobody_there_nothing_is_known() {
    let gateway = FakeGateway::default();
    gateway.list(&[]);
    let mut source = source(gateway.start().await, Clock::start());
    let sample = source.sample().await;
    assert_eq!(value(&sample, Signal::ResponseTimeMeanSeconds), None);
    assert!(sample.problems.is_empty() && sample.replicas.is_empty());
}

/// A need for a metric with an open name.
fn named(scope: Scope, name: &str, labels: &[(&str, &str)]) -> Need {
    let labels = labels.iter().map(|&(label, value)| (label.to_owned(), value.to_owned())).collect();
    let metric = Metric::Named(NamedMetric { name: name.to_owned(), labels });
    Need { metric, scope, window: Duration::from_secs(15) }
}

#[tokio::test]
async fn what_policies_need_besides_is_answered_by_window_and_by_name() {
    let (gateway, replicas) = (FakeGateway::default(), [FakeReplica::default(), FakeReplica::default()]);
    let clock = Clock::start();
    let urls = [replicas[0].start().await, replicas[1].start().await];
    gateway.list(&[(&urls[0], "ready"), (&urls[1], "ready")]);
    let mut source = source(gateway.start().await, clock);
    let short = Duration::from_secs(15);
    let needs = [
        Need::of_each_replica(Signal::RequestsPerSecond, short),
        named(Scope::EachReplica, "http_requests_per_second", &[("method", "GET")]),
        named(Scope::Service, "http_requests_per_second", &[]),
        named(Scope::External, "active_connections", &[]),
        named(Scope::External, "in_flight", &[]),
        named(Scope::EachReplica, "http_requests_per_second", &[("method", "PUT")]),
        named(Scope::EachReplica, "orders_per_second", &[]),
        named(Scope::EachReplica, "no name", &[]),
    ];
    source.set_wanted(Wanted::signals_over(Duration::from_secs(30)).and_needs(needs.clone()));
    let show = |count: f64| {
        for (replica, connections) in replicas.iter().zip([3, 4]) {
            *replica.more.lock().unwrap() = format!(
                "http_requests_total{{method=\"GET\",status=\"200\"}} {count}\n\
                 http_requests_total{{method=\"GET\",status=\"503\"}} {count}\n\
                 http_requests_total{{method=\"POST\",status=\"200\"}} {count}\n\
                 active_connections {connections}\nsomething_else 9\n"
            );
            replica.show(count, count, Duration::from_secs(5));
        }
    };
    show(100.0);
    let first = source.sample().await;
    assert_eq!(first.problems, [""; 0], "before two scrapes nothing has a rate");
    show(130.0);
    let sample = source.sample().await;
    let answers = &sample.further;
    assert_eq!(answers.iter().map(|answer| answer.need.clone()).collect::<Vec<_>>(), needs);
    let rate = answers[0].of_replicas[&urls[0]].unwrap();
    assert!(rate > 0.0);
    let is_close =
        |found: Option<f64>, expected: f64| found.is_some_and(|found| (found / expected - 1.0).abs() < 1e-9);
    assert!(is_close(answers[1].of_replicas[&urls[0]], 2.0 * rate), "both GET series: {answers:?}");
    let whole = answers[2].reading.unwrap();
    assert!(whole.age < Duration::from_secs(1));
    let rates: f64 = answers[0].of_replicas.values().flatten().sum();
    assert!(is_close(whole.value, 3.0 * rates), "all series of both replicas: {answers:?}");
    assert_eq!(answers[3].reading.and_then(|reading| reading.value), Some(7.0));
    assert_eq!(answers[4].reading.and_then(|reading| reading.value), Some(6.0), "a signal by its name");
    let problem = |place: usize| answers[place].problem.clone().unwrap();
    assert!(problem(5).contains("no series has the labels of http_requests_per_second{method=\"PUT\"}"));
    assert_eq!(
        problem(6),
        "there is no `orders_per_second` and no counter `orders_total` in the /metrics of the replicas"
    );
    assert!(problem(7).contains("`no name` is not a metric"));
    assert_eq!(answers[6].of_replicas, [(urls[0].clone(), None), (urls[1].clone(), None)].into());
    assert_eq!(sample.problems.len(), 3, "{:?}", sample.problems);

    // What nobody needs any more is not kept.
    source.set_wanted(Wanted::signals_over(short));
    let sample = source.sample().await;
    assert!(sample.further.is_empty() && sample.window == short);
    assert!(value(&sample, Signal::RequestsPerSecond).is_some_and(|rate| rate > 0.0), "its past was kept");
}

#[tokio::test]
async fn requests_that_wait_for_a_first_replica_are_in_flight() {
    let gateway = FakeGateway::default();
    gateway.list(&[]);
    let mut source = source(gateway.start().await, Clock::start());
    assert_eq!(value(&source.sample().await, Signal::InFlight), Some(0.0), "a gateway that does not tell");
    *gateway.1.lock().unwrap() = Some(7);
    let sample = source.sample().await;
    assert_eq!((value(&sample, Signal::InFlight), sample.problems.len()), (Some(7.0), 0));
    *gateway.1.lock().unwrap() = Some(0);
    assert_eq!(value(&source.sample().await, Signal::InFlight), Some(0.0));
}
