//! A real Prometheus scrapes a running `lab up`: every expression of every dashboard, rule, alert and runbook is
//! evaluated there, and none is empty that should not be.

use std::time::Duration;

use crate::expected_empty::{EXPECTED_EMPTY, Emptiness};
use crate::running_load::RunningLoad;
use crate::running_prometheus::{RunningPrometheus, is_installed};
use crate::support::{TIMEOUT, Up};
use crate::{expressions, promql, shipped};

/// A policy that answers within seconds, so that a run of two minutes has its decisions.
const QUICK: [&str; 8] =
    ["--check-interval", "1s", "--window", "5s", "--scale-up-cooldown", "5s", "--scale-down-cooldown", "15s"];

/// Every target but Jaeger, which does not run here.
const ALL_SCRAPED: &str = "count(sum by (job) (up{job!=\"jaeger\"}) >= 1) == 6";

/// One round of everything: load on all routes, a spike, replicas that come and go, then all expressions.
#[tokio::test(flavor = "multi_thread")]
async fn every_expression_finds_what_it_asks_for() {
    if !is_installed() {
        return;
    }
    let up = Up::start(&[&["--with-dependency"], &QUICK[..]].concat());
    up.wait_for_replicas(1, TIMEOUT).await;
    let load = RunningLoad::start(&up, &[]);
    let prometheus = RunningPrometheus::start().await;
    shipped::watch(&prometheus, &up, &load);
    prometheus.wait_for(ALL_SCRAPED, Duration::from_secs(40)).await;

    // One replica more than needed: the policy takes it away again.
    up.scale_by_hand(2).await;
    prometheus.wait_for("max(scaler_ready_replicas) == 2", Duration::from_secs(30)).await;
    prometheus.wait_for("sum(scaler_decisions_total{action=\"down\"}) > 0", Duration::from_secs(60)).await;
    // Enough to fill the queues within seconds.
    up.get(&format!("{}/load/spike?factor=8&hold=20s&ramp=5s", up.gateway))
        .await
        .expect("the spike is taken");
    prometheus
        .wait_for(
            "sum(scaler_decisions_total{action=\"up\",reason!=\"by_hand\"}) > 0",
            Duration::from_secs(60),
        )
        .await;
    // The longest windows are evaluated once a minute.
    prometheus.wait_for("webapp:slo_bad:ratio_3d", Duration::from_secs(90)).await;

    let mut problems = Vec::new();
    let mut matched = vec![false; EXPECTED_EMPTY.len()];
    for (place, expression) in expressions::shown() {
        let values = match prometheus.values_of_the_run(&expression).await {
            Ok(values) => values,
            Err(error) => {
                problems.push(format!("{place}: `{expression}` fails: {error}"));
                continue;
            }
        };
        let empty = !values.iter().any(|value| value.is_finite());
        let excuse = EXPECTED_EMPTY.iter().position(|excuse| expression.contains(excuse.text));
        match excuse.map(|index| (index, EXPECTED_EMPTY[index].emptiness)) {
            Some((index, Emptiness::Always)) if !empty => {
                let reason = EXPECTED_EMPTY[index].reason;
                problems.push(format!("{place}: `{expression}` has values, although {reason}"));
            }
            None if empty => problems.push(format!("{place}: `{expression}` is empty")),
            Some((index, _)) => matched[index] = true,
            None => {}
        }
    }
    for (excuse, matched) in EXPECTED_EMPTY.iter().zip(matched) {
        if !matched {
            problems.push(format!("nothing contains `{}` any more: take it off the list", excuse.text));
        }
    }

    for rule in prometheus.rules().await {
        let name = rule["name"].as_str().unwrap_or_default().to_owned();
        if rule["health"] != "ok" {
            problems.push(format!("rule {name} is {}: {}", rule["health"], rule["lastError"]));
        }
        // An alert's expression is empty while all is well; what it looks at must be there all the same.
        let expression = rule["query"].as_str().expect("a rule has a query");
        for selector in promql::selectors(expression) {
            let text = expressions::text_of(&selector);
            match prometheus.values_of_the_run(&text).await {
                Ok(values) if values.is_empty() => {
                    problems.push(format!("rule {name}: there is no `{text}`"));
                }
                Ok(_) => {}
                Err(error) => problems.push(format!("rule {name}: `{text}` fails: {error}")),
            }
        }
    }
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}
