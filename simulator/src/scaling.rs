//! What decides about the number of replicas in a run.

use std::time::Duration;

use scaler_engine::{AnyPolicy, Policy};

/// What decides about the number of replicas.
#[derive(Clone, Debug, PartialEq)]
pub enum Scaling<P: Policy = AnyPolicy> {
    /// A policy, in the live scaler's control loop.
    Policy(P),
    /// Always so many.
    Fixed(u32),
    /// Counts from given times on, whatever is measured: each as the time since the run began, in that order, and the
    /// replicas asked for from then on.
    Plan(Vec<(Duration, u32)>),
}
