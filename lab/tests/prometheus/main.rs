//! With a real Prometheus: what is shipped finds what it asks for, exemplars lead to traces, and the scaler can see
//! through it.
//!
//! Needs Debian's `prometheus`; skipped with a printed reason where it is missing, unless `LAB_REQUIRE` asks for it.

#[path = "../traces/child.rs"]
#[expect(dead_code, reason = "shared with the tests of traces, which use more of it")]
mod child;
mod closed_loop;
#[path = "../traces/collector.rs"]
#[expect(dead_code, reason = "shared with the tests of traces, which use more of it")]
mod collector;
mod every_expression;
mod exemplars;
mod expected_empty;
mod expressions;
#[path = "../../../observability/tests/configuration/promql.rs"]
mod promql;
mod running_load;
mod running_prometheus;
mod same_answers;
mod same_signals;
mod shipped;
#[path = "../closed_loop/support.rs"]
#[expect(dead_code, reason = "shared with the tests of the loop, which use more of it")]
mod support;
mod watching_scaler;
