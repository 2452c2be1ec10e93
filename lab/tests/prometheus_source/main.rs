//! With a real Prometheus: both sources deliver the same signals of one loop, and the loop closes through either.
//!
//! Needs Debian's `prometheus`; skipped with a printed reason where it is missing, unless `LAB_REQUIRE` asks for it.

mod closed_loop;
mod running_prometheus;
mod same_signals;
#[path = "../closed_loop/support.rs"]
#[expect(dead_code, reason = "the tests of the closed loop need more of it")]
mod support;
mod watching_scaler;
