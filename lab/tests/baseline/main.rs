//! `lab baseline`, its comparison and its policy, as a user runs them: live, against replicas of their own.
//!
//! What takes minutes of a quiet machine is ignored here and run by `scripts/long-run.sh baseline`.

mod bad_input;
mod command;
mod interleaved;
mod kept;
mod measured;
mod quiet_machine;
mod replica;
#[path = "../closed_loop/support.rs"]
#[expect(dead_code, reason = "shared with the tests of the loop, which use more of it")]
mod support;
#[path = "../../../loadgen/baseline/tests/baseline/theory.rs"]
#[expect(dead_code, reason = "shared with the tests in virtual time, which use more of it")]
mod theory;
