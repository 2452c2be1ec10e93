//! Plays a service, its balancer, its signals and its autoscaler in virtual time.
//!
//! A run depends on its [`Model`], its [`Scaling`] and its seed alone: nothing here reads a clock, a file or the
//! environment, and nothing runs side by side inside a run. The balancer, the way from counters to signals, the policy
//! engine and the load are the live code; what a replica does is the live replica's rule, computed without an event for
//! each request (see the module `workers`).
//!
//! [`simulate`] plays one run.

mod arrivals;
mod buckets;
mod capacity;
mod control;
mod draws;
mod experiment;
mod histogram;
mod measures;
mod measuring;
mod model;
mod observer;
mod oracle;
mod random;
mod replica;
mod result;
mod routing;
mod scaling;
mod service;
mod summary;
mod tally;
#[cfg(test)]
mod testing;
mod time;
mod trace;
mod workers;
mod world;

pub use capacity::Capacity;
pub use draws::RunDraws;
pub use experiment::{Experiment, ExperimentError, PolicyChoice, REQUESTS_MAX, SHIPPED, TraceChoice};
pub use measures::{Measures, Prices};
pub use model::{Fault, GatewayModel, Model, ReplicaRange, Service, SignalPath, SloTarget, Workload};
pub use observer::{Observer, RequestEnd, RequestOutcome, Unobserved};
pub use oracle::Demand;
pub use replica::admitted_after;
pub use result::{ActionTaken, Run, TimelinePoint, Totals};
pub use scaling::Scaling;
pub use service::ServiceModel;
pub use summary::{
    Comparison, ExperimentResult, OracleResult, PolicyResult, PolicyRuns, SeededMeasures, SloShown,
};
pub use trace::{INTERVALS_MAX, Trace, TraceError, TraceFormat, UnknownTraceFormat};
pub use world::simulate;
