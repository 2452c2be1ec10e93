//! Two scalers watch one loop over the same window, one through each source, and say the same.
//!
//! They look at different moments: a replica's newest sample in Prometheus is up to a second old, and each scaler looks
//! once a second. So at a given moment the source `prometheus` may say what `scrape` said up to [`LAG`] ago or says up to
//! [`LEAD`] later; and beyond what `scrape` said in that span it may lie by [`Tolerance`], for gauges that were read at
//! other moments, for quantiles that were interpolated from slightly other counts, and for what `increase()` extrapolates.
//! Until Prometheus has taken up a change of the replicas, and what it did not see has left the window, it cannot say the
//! same, and nothing is compared.

use std::ops::Range;
use std::time::{Duration, Instant};

use scaler_engine::Signal;

use crate::running_prometheus::{RunningPrometheus, is_installed};
use crate::support::traffic::SteadyTraffic;
use crate::support::{TIMEOUT, Up};
use crate::watching_scaler::{Seen, WatchingScaler};

const WINDOW: Duration = Duration::from_secs(15);

/// A scrape each second and a look each second, on either side.
const LAG: Duration = Duration::from_secs(3);

/// A look each second; and the window of `scrape` reaches back to the last look before its beginning, so what has passed
/// leaves it up to a second later.
const LEAD: Duration = Duration::from_secs(2);

/// Prometheus asks `/sd` each second, hands what changed to its scrapers each 5 s, and those take it up each 5 s; then it
/// is scraped within a second, and looked at within another.
const DISCOVERY: Duration = Duration::from_secs(15);

/// A part of the run.
#[derive(Clone, Debug)]
struct Phase {
    name: &'static str,
    span: Range<Duration>,
    /// Added to the share of every tolerance.
    unseen: f64,
}

/// What a replica did between its last scrape and its end is lost, for either source another part of it.
const UNSEEN_END: f64 = 0.08;

/// Jobs that wait in the two replicas that leave. Drained, they work them off within little more than a second, so what
/// either source sees last is any part of them.
const QUEUES_THAT_LEFT: f64 = 200.0;

/// How far beyond a span of values a value may lie: a share of that span's largest value, and an amount besides.
#[derive(Clone, Copy, Debug)]
struct Tolerance {
    share: f64,
    amount: f64,
}

/// None for what is no matter of the source: `in_flight` is the gateway's count at the moment of a look.
fn tolerance(signal: Signal) -> Option<Tolerance> {
    let (share, amount) = match signal {
        Signal::ResponseTimeMeanSeconds | Signal::ResponseTimeP50Seconds => (0.03, 0.002),
        // The few requests beyond it are others, and a bucket is coarse.
        Signal::ResponseTimeP95Seconds | Signal::ResponseTimeP99Seconds => (0.1, 0.005),
        Signal::DependencyWaitSeconds => (0.05, 0.001),
        // One more or less in the window is 0.07 per second.
        Signal::RequestsPerSecond
        | Signal::RefusedPerSecond
        | Signal::ErrorsPerSecond
        | Signal::CompletedPerSecond => (0.03, 0.5),
        // Two looks at a queue whose depth, of up to 100 in each replica, changes within milliseconds.
        Signal::BacklogGrowthPerSecond => (0.1, 2.0),
        // 15 looks at a queue that changes within milliseconds; and the newest of them, which is up to 100, counts whole
        // in PromQL's mean, and by half where the time between two looks is divided between both.
        Signal::QueueDepth => (0.1, 5.0),
        Signal::Utilization | Signal::ErrorRatio => (0.03, 0.02),
        // The system counts in steps of 10 ms.
        Signal::CpuCores => (0.1, 0.004),
        Signal::MemoryBytes => (0.05, 0.0),
        Signal::InFlight => return None,
    };
    Some(Tolerance { share, amount })
}

#[tokio::test]
async fn both_sources_say_the_same_at_rest_and_in_a_spike() {
    if !is_installed() {
        return;
    }
    let prometheus = RunningPrometheus::start().await;
    let up = Up::start(&[
        "--with-dependency",
        "--dependency-pool",
        "2",
        "--base-rps",
        "20",
        "--check-interval",
        "1h",
    ]);
    prometheus.scrape_replicas(&up.admin);
    up.wait_for_replicas(1, TIMEOUT).await;
    let window = WINDOW.as_secs().to_string() + "s";
    let mut scrape = WatchingScaler::start(&up, &["--window", &window, "--source", "scrape"]);
    let flags = ["--window", &window, "--source", "prometheus", "--prometheus-url", &prometheus.url];
    let mut through_prometheus = WatchingScaler::start(&up, &flags);
    let traffic = SteadyTraffic::start(format!("{}/", up.gateway), 20);
    let url = format!("{}/faults/errors?share=0.2", up.in_rotation().await[0].0);
    up.client.get(&url, TIMEOUT).await.and_then(http_client::Reply::ok).expect("it fails now");

    through_prometheus.wait_for_values().await;
    scrape.wait_for_values().await;

    let began = Instant::now();
    let mut watch = async |name, span: Duration, unseen| {
        let from = began.elapsed();
        while began.elapsed() < from + span {
            scrape.note(began).await;
            through_prometheus.note(began).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Phase { name, span: from..began.elapsed(), unseen }
    };
    watch("until the window is filled", WINDOW + LAG, 0.0).await;
    let rest = watch("at rest", WINDOW, 0.0).await;
    up.get(&format!("{}/load/spike?factor=8&hold=2m", up.gateway)).await.expect("the spike is taken");
    let spike = watch("in a spike", WINDOW, 0.0).await;
    up.scale_by_hand(3).await;
    watch("until new replicas were seen for a window", DISCOVERY + WINDOW, 0.0).await;
    let more = watch("with new replicas", WINDOW, 0.0).await;
    up.get(&format!("{}/load/reset", up.gateway)).await.expect("the load is reset");
    up.scale_by_hand(1).await;
    let fewer = watch("with replicas that left", WINDOW, UNSEEN_END).await;
    watch("until all of it can be compared", LEAD, 0.0).await;
    drop(traffic.finish().await);

    let problems = through_prometheus.status().await["problems"].clone();
    assert_eq!(problems, serde_json::json!([]), "{}", prometheus.log());
    let failures: Vec<String> = [rest, spike, more, fewer]
        .into_iter()
        .flat_map(|phase| compare(&phase, &scrape.seen, &through_prometheus.seen))
        .collect();
    assert!(failures.is_empty(), "{} differences:\n{}", failures.len(), failures.join("\n"));
    let most = |signal: Signal| {
        let values = scrape.seen.iter().filter_map(|seen| seen.signals.get(signal.name()).copied());
        values.fold(0.0, f64::max)
    };
    // What was compared was no row of zeros.
    for (signal, at_least) in [
        (Signal::ResponseTimeP95Seconds, 0.5),
        (Signal::RequestsPerSecond, 150.0),
        (Signal::RefusedPerSecond, 20.0),
        (Signal::ErrorsPerSecond, 5.0),
        (Signal::CompletedPerSecond, 60.0),
        (Signal::ErrorRatio, 0.1),
        (Signal::BacklogGrowthPerSecond, 0.5),
        (Signal::QueueDepth, 20.0),
        (Signal::Utilization, 0.9),
        (Signal::DependencyWaitSeconds, 0.001),
        (Signal::CpuCores, 0.001),
        (Signal::MemoryBytes, 1e6),
    ] {
        assert!(most(signal) > at_least, "{signal} never rose above {at_least}: {}", most(signal));
    }
}

/// Differences beyond the tolerance, one sentence each.
#[expect(clippy::print_stdout, reason = "what was measured is shown with --nocapture")]
fn compare(phase: &Phase, scrape: &[Seen], prometheus: &[Seen]) -> Vec<String> {
    let mut failures = Vec::new();
    for signal in Signal::ALL {
        let (mut worst, mut worst_beyond) = (String::from("never outside"), 0.0);
        for seen in prometheus.iter().filter(|seen| phase.span.contains(&seen.at)) {
            let Some(found) = seen.signals.get(signal.name()).copied() else {
                failures.push(format!("{}: {signal} is absent at {:?}", phase.name, seen.at));
                continue;
            };
            let Some(tolerance) = tolerance(signal) else { continue };
            let near = scrape.iter().filter(|other| other.at + LAG >= seen.at && other.at <= seen.at + LEAD);
            let values: Vec<f64> =
                near.filter_map(|other| other.signals.get(signal.name()).copied()).collect();
            let (low, high) = (min(&values), max(&values));
            let outside = (found - high).max(low - found);
            let size = high.abs().max(low.abs());
            let unseen_queues = if signal == Signal::BacklogGrowthPerSecond && phase.unseen > 0.0 {
                QUEUES_THAT_LEFT / WINDOW.as_secs_f64()
            } else {
                0.0
            };
            let beyond =
                outside / ((tolerance.share + phase.unseen) * size + tolerance.amount + unseen_queues);
            if beyond > worst_beyond {
                worst_beyond = beyond;
                worst = format!("{found:.4} at {:.1} s, beside {low:.4} to {high:.4}", seen.at.as_secs_f64());
            }
        }
        println!("{}: {signal:<28} {:>3.0} % of the tolerance: {worst}", phase.name, worst_beyond * 100.0);
        if worst_beyond > 1.0 {
            failures.push(format!("{}: {signal} is {worst}", phase.name));
        }
    }
    failures
}

fn min(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn max(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}
