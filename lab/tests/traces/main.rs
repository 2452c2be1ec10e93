//! Tests of the traces as a collector sees them: what arrives, how it hangs together, and what it costs when nobody
//! takes it.

mod addresses;
mod child;
mod collector;
mod decisions;
mod lockfile;
mod logs;
mod real_collector;
mod retries;
mod sampling;
#[path = "../closed_loop/support.rs"]
#[expect(dead_code, reason = "shared with the tests of the loop, which use more of it")]
mod support;
mod tree;
mod troubled_collector;
