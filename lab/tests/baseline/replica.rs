//! A replica that a test starts to have it measured.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use crate::support;

/// A replica of 16 workers without synthetic demand, at which nobody waits; it ends with the test.
pub(crate) struct Replica {
    child: Child,
    pub(crate) url: String,
}

impl Replica {
    pub(crate) fn start(service_time: &str, more: &[&str]) -> Self {
        let mut child = support::lab()
            .args(["webapp", "--service-distribution", "constant", "--workers", "16", "--base-rps", "0"])
            .args(["--service-time", service_time, "--drain-wait", "0s", "--log-level", "warn"])
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .expect("a replica starts");
        let mut line = String::new();
        let output = child.stdout.as_mut().expect("standard output was piped");
        BufReader::new(output).read_line(&mut line).expect("it says where it listens");
        let url = line.trim().strip_prefix("listening on ").expect("an address").to_owned();
        Self { child, url }
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}
