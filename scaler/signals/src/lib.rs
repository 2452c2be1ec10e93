//! Turns the counters and gauges of replicas into signals over a window, as pure code.
//!
//! The scaler's sources feed it from scrapes, the simulator from simulated replicas, so both deliver the same signals.
//! Nothing here reads a clock, a socket or a file: times are spans since an origin that the caller chose.
//!
//! 1. [`ReplicaFigures`]: what one replica showed at one moment.
//! 2. [`ReplicaWindow`]: adds figures up to [`Totals`] that never fall, and keeps them for as long as a window reaches.
//! 3. [`Growth`]: what the totals of one replica, or of several together, grew by in a window.
//! 4. [`signals_of`], [`signals_of_replica`]: each signal's value from that growth.
//! 5. [`ServiceInWindow`]: the readings of a service and the answers to the needs of policies ([`Wanted`]), from what is
//!    known of its replicas.
//!
//! [`ReplicaStandstill`] notices a replica that has work and completes none of it, which no growth tells.

#![no_std]

extern crate alloc;

mod figures;
mod growth;
mod moments;
mod named;
mod replica;
mod service;
mod signals;
mod standstill;
mod totals;
mod wanted;
mod window;

pub use figures::ReplicaFigures;
pub use growth::Growth;
pub use named::{Found, NamedFigures, NamedWindow, counter_of, is_metric_name};
pub use replica::signals_of_replica;
pub use service::{NamedOfReplica, ReplicaInWindow, ServiceInWindow, answer_of_named, unanswerable};
pub use signals::signals_of;
pub use standstill::{Progress, ReplicaStandstill, standing_still};
pub use totals::Totals;
pub use wanted::{Wanted, signal_of};
pub use window::ReplicaWindow;
