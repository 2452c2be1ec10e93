//! Sends requests to one URL with the open-model engine and prints what it measured, for benchmarks of the engine.
//!
//! `cargo run --profile dist -p loadgen --example open_model -- URL CONNECTIONS SECONDS unpaced|RATE [constant|poisson]`
//!
//! Output: one `name value` a line; times in microseconds, memory in KiB.

#![expect(clippy::print_stdout, reason = "a measuring program talks to whoever started it")]

use std::error::Error;
use std::future::pending;
use std::time::Duration;

use loadgen::{LevelPlan, OpenModel, Target, WeightedRequest};
use workload::Arrivals;

const USAGE: &str = "usage: open_model URL CONNECTIONS SECONDS unpaced|RATE [constant|poisson]";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, connections, seconds, rate, arrivals @ ..] = arguments.as_slice() else {
        return Err(USAGE.into());
    };
    let hold = Duration::from_secs(seconds.parse()?);
    let arrivals: Arrivals = arrivals.first().map_or(Ok(Arrivals::Constant), |text| text.parse())?;
    let path = "/".to_owned();
    let request =
        WeightedRequest { weight: 1, method: http::Method::GET, path, headers: Vec::new(), body: None };
    let mut engine = OpenModel::connect(Target {
        base_url: url.clone(),
        requests: vec![request],
        connections: connections.parse()?,
        timeout: Duration::from_secs(10),
    })
    .await?;

    let memory_before = resident_kib();
    let level = if rate == "unpaced" {
        engine.run_unpaced(Duration::ZERO, hold, 1, pending(), |_| {}).await?
    } else {
        let warm_up = Duration::from_secs(1);
        let plan = LevelPlan { rate_rps: rate.parse()?, warm_up, hold, arrivals, seed: 1 };
        engine.run_level(&plan, pending(), |_| {}).await?
    };
    println!("resident_before_kib {memory_before}");
    println!("resident_after_kib {}", resident_kib());
    println!("requests_per_second {:.0}", level.throughput_rps());
    println!("scheduled {}", level.scheduled);
    println!("sent {}", level.sent);
    println!("unsent {}", level.unsent);
    println!("succeeded {}", level.succeeded);
    println!("failed {}", level.failed());
    println!("generator_cpu_cores {:.3}", level.generator_cpu_cores.unwrap_or(f64::NAN));
    println!("mean_in_flight {:.2}", level.mean_in_flight);
    for (name, histogram) in [
        ("send_lateness", &level.send_lateness_micros),
        ("from_intended", &level.from_intended_micros),
        ("from_sent", &level.from_sent_micros),
    ] {
        for (share, label) in [(0.5, "p50"), (0.95, "p95"), (0.99, "p99"), (0.999, "p999")] {
            println!("{name}_{label} {}", histogram.value_at_quantile(share));
        }
        println!("{name}_mean {:.1}", histogram.mean());
        println!("{name}_max {}", histogram.max());
    }
    Ok(())
}

/// Resident memory of this process; 0 where it is not known.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse().ok()).unwrap_or(0)
}
