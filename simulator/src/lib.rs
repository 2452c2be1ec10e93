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
mod control;
mod draws;
mod histogram;
mod measuring;
mod model;
mod observer;
mod random;
mod replica;
mod result;
mod routing;
mod scaling;
mod service;
mod tally;
mod time;
mod workers;
mod world;

pub use draws::RunDraws;
pub use model::{Fault, GatewayModel, Model, ReplicaRange, Service, SignalPath, SloTarget, Workload};
pub use observer::{Observer, RequestEnd, RequestOutcome, Unobserved};
pub use result::{ActionTaken, Run, TimelinePoint, Totals};
pub use scaling::Scaling;
pub use service::ServiceModel;
pub use world::simulate;

pub use replica::admitted_after;
