//! The same users twice: from a YAML scenario, and written in Rust on Goose; for `scripts/bench/scenario_vs_rust.sh`.
//!
//! Usage: `scenario_vs_rust yaml|rust HOST USERS SECONDS`; prints requests per second.

use std::time::{Duration, Instant};

use goose::config::GooseConfiguration;
use goose::prelude::*;
use loadgen::{Levels, Load, LoadConfig, run};
use serde_json::json;

/// Three reads for each write, without pauses.
const SCENARIO: &str = "
apiVersion: autoscale-lab/v1
kind: Scenario
spec:
  users:
    - name: Reader
      wait: none
      tasks:
        - weight: 3
          steps: [{path: /}]
        - steps: [{method: POST, path: /order, json: {item: book, quantity: 2, price: 12.5}}]
";

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [side, host, users, seconds] = arguments.as_slice() else {
        return Err("usage: scenario_vs_rust yaml|rust HOST USERS SECONDS".into());
    };
    let (users, seconds) = (users.parse()?, seconds.parse()?);
    let requests_per_second = match side.as_str() {
        "yaml" => from_yaml(host, users, seconds).await?,
        "rust" => in_rust(host, users, seconds).await?,
        other => return Err(format!("`{other}` is no side, expected yaml or rust").into()),
    };
    #[expect(clippy::print_stdout, reason = "the result")]
    {
        println!("{requests_per_second:.0}");
    }
    Ok(())
}

async fn from_yaml(host: &str, users: u32, seconds: u64) -> Result<f64, Failure> {
    let config = LoadConfig {
        host: host.to_owned(),
        load: Load::Users(Levels::steady(f64::from(users))),
        scenario: loadgen::Scenario::from_text("scenario_vs_rust", "bench", SCENARIO, None, &[])?,
        run_time: Some(Duration::from_secs(seconds)),
        ramp_up: Duration::ZERO,
        ..LoadConfig::default()
    };
    let result = run(&config, std::future::pending(), |_| {}).await?;
    if result.failures > 0 {
        return Err(format!("{} of {} requests failed", result.failures, result.requests).into());
    }
    Ok(result.requests_per_second)
}

async fn in_rust(host: &str, users: u32, seconds: u64) -> Result<f64, Failure> {
    let configuration = GooseConfiguration::parse_args_default(&[
        format!("--host={host}"),
        format!("--users={users}"),
        "--increase-rate=10000".to_owned(),
        format!("--run-time={seconds}"),
        "--no-telnet".to_owned(),
        "--no-print-metrics".to_owned(),
        "--no-transaction-metrics".to_owned(),
        "--no-scenario-metrics".to_owned(),
        "--quiet".to_owned(),
    ])?;
    let reader = scenario!("Reader")
        .register_transaction(transaction!(read).set_weight(3)?)
        .register_transaction(transaction!(order));
    let attack = GooseAttack::initialize_with_config(configuration)?.register_scenario(reader);
    let begun = Instant::now();
    let metrics = Box::pin(attack.execute()).await?;
    // Goose forgets what came before all users had started, and rounds its own duration to seconds.
    let elapsed = begun.elapsed().min(Duration::from_secs(seconds));
    let requests: usize = metrics.requests.values().map(|request| request.success_count).sum();
    Ok(requests as f64 / elapsed.as_secs_f64())
}

async fn read(user: &mut GooseUser) -> TransactionResult {
    consume(user.get("/").await?).await
}

async fn order(user: &mut GooseUser) -> TransactionResult {
    let order = json!({"item": "book", "quantity": 2, "price": 12.5});
    consume(user.post_json("/order", &order).await?).await
}

/// Takes the answer to its last byte, as users of files do; the connection is free only then.
async fn consume(answered: goose::goose::GooseResponse) -> TransactionResult {
    if let Ok(mut answer) = answered.response {
        while let Ok(Some(_piece)) = answer.chunk().await {}
    }
    Ok(())
}
