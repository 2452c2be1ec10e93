//! A `lab load` beside the loop: users on every user route, and metrics for Prometheus.

use std::time::Duration;

use crate::child::Process;
use crate::support::{Up, wait_until};

/// Ended when dropped, and by itself after some minutes.
pub(crate) struct RunningLoad {
    process: Process,
    /// `host:port` of its metrics.
    pub(crate) metrics: String,
}

impl RunningLoad {
    /// 20 users of both types, about 10 requests per second, who keep nobody busy.
    pub(crate) fn start(up: &Up, flags: &[&str]) -> Self {
        let fixed =
            ["load", "--host", &up.gateway, "--users", "20", "--run-time", "10m", "--metrics-port", "0"];
        let process = Process::start(&[&fixed[..], flags].concat());
        let said = || {
            let log = process.log();
            let line = log.lines().find_map(|line| line.strip_prefix("metrics on http://"))?;
            Some(line.trim_end_matches("/metrics").to_owned())
        };
        assert!(
            wait_until(Duration::from_secs(10), || said().is_some()),
            "it says where its metrics are:\n{}",
            process.log()
        );
        let metrics = said().unwrap_or_default();
        Self { process, metrics }
    }

    /// What it has written, for a test that failed.
    pub(crate) fn log(&self) -> String {
        self.process.log()
    }
}
