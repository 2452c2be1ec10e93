//! The files of a result: `result.json`, `timeline.csv`, and `run.json` about the run that made them.
//!
//! `result.json` depends on the experiment alone; what differs from one machine and day to the next is in `run.json`.

use std::fmt::Write as _;
use std::num::NonZero;
use std::path::Path;
use std::time::SystemTime;

use serde::Serialize;
use simulator::{ExperimentResult, TimelinePoint};

use crate::failure::Failure;
use crate::output::replace;

/// How a result was made.
#[derive(Serialize)]
struct RunShown {
    date: String,
    command: Vec<String>,
    host: String,
    version: &'static str,
    threads: usize,
    seconds: f64,
}

pub(super) fn make_folder(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|error| {
        let folder = folder.display();
        Failure::could_not_run(format!(
            "`{folder}` could not be made: {error}; hint: name a folder in --out that may be written"
        ))
    })
}

pub(super) fn write(
    folder: &Path,
    result: &ExperimentResult,
    timelines: &[(String, Vec<TimelinePoint>)],
    threads: NonZero<usize>,
    seconds: f64,
) -> Result<(), Failure> {
    let run = RunShown {
        date: humantime::format_rfc3339_seconds(now()).to_string(),
        command: std::env::args().collect(),
        host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        version: env!("CARGO_PKG_VERSION"),
        threads: threads.get(),
        seconds,
    };
    let run = serde_json::to_string_pretty(&run).expect("plain fields are JSON");
    replace(&folder.join("result.json"), &(json_of(result) + "\n"))?;
    replace(&folder.join("timeline.csv"), &csv_of(timelines))?;
    replace(&folder.join("run.json"), &(run + "\n"))
}

#[expect(clippy::disallowed_methods, reason = "the one place where this command reads the wall clock")]
fn now() -> SystemTime {
    SystemTime::now()
}

pub(super) fn json_of(result: &ExperimentResult) -> String {
    serde_json::to_string_pretty(result).expect("a result is JSON")
}

/// The time lines, one below the other.
fn csv_of(timelines: &[(String, Vec<TimelinePoint>)]) -> String {
    let mut text = String::from(
        "policy,at_seconds,requests_per_second,desired,current,ready,mean_ms,p95_ms,refused,failed\n",
    );
    let optional = |value: Option<f64>| value.map(|value| format!("{value:.3}")).unwrap_or_default();
    for (policy, points) in timelines {
        let policy = if policy.contains([',', '"', '\n']) {
            format!("\"{}\"", policy.replace('"', "\"\""))
        } else {
            policy.clone()
        };
        for point in points {
            // Writing to a string cannot fail.
            let _infallible = writeln!(
                text,
                "{policy},{},{:.3},{},{},{},{},{},{},{}",
                point.at_seconds,
                point.requests_per_second,
                point.desired,
                point.current,
                point.ready,
                optional(point.mean_ms),
                optional(point.p95_ms),
                point.refused,
                point.failed
            );
        }
    }
    text
}
