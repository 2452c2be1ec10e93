//! Decides how many replicas a service should have, and says why, as pure code.
//!
//! Nothing here reads a clock, a socket or the environment: an [`Observation`] with its time comes in, a
//! [`Decision`] with its [`Reason`] goes out. So the live loop and the simulator run the same engine, and a
//! recorded run replays to the same decisions on every machine.
//!
//! # The order of calls
//!
//! 1. [`Engine::new`] with a [`Policy`]; [`Engine::restore`] if a state was saved.
//! 2. Wait for [`Engine::next_check`], then pass what was seen to [`Engine::decide`].
//! 3. Carry the decision out. If that worked, and only then, tell [`Engine::record_scaled`]: that is what starts
//!    the cooldowns. A failed action is simply not recorded, and the next check asks for it again.
//! 4. Save [`Engine::state`] whenever it should survive a restart.
//!
//! [`ControlLoop`] keeps that order where looks and actions take time.
//!
//! ```
//! use core::time::Duration;
//! use scaler_engine::{Action, Engine, Observation, Signal, ThresholdPolicy};
//!
//! let mut engine = Engine::new(ThresholdPolicy::default());
//! let mut action = Action::Hold;
//! for second in [10, 20] {
//!     let mut seen = Observation::of_replicas(Duration::from_secs(second), 1);
//!     seen.window = Duration::from_secs(30);
//!     seen.report_from_all(Signal::ResponseTimeMeanSeconds, 0.91);
//!     action = engine.decide(&seen).action;
//! }
//! assert_eq!(action, Action::Up, "two checks above 0.6 s ask for a second replica");
//! ```

#![no_std]

extern crate alloc;

mod control_loop;
mod decision;
mod engine;
pub mod invariants;
mod limits;
mod need;
mod observation;
pub mod policy;
mod reason;
mod signal;
mod slo;
mod state;

pub use control_loop::{ActionOutcome, ControlLoop};
pub use decision::{Action, Decision, Limit, Observed, ReadValue};
pub use engine::Engine;
pub use limits::{Limits, LimitsError, OutOfLimits, REPLICAS_MAX};
pub use need::{Metric, NamedMetric, Need, Scope};
pub use observation::{
    Answer, Observation, Phase, Reading, ReplicaObservation, ResourceRequests, Standstill,
};
pub use policy::age::Age;
pub use policy::threshold::{ThresholdHistory, ThresholdPolicy, ThresholdReason, ThresholdSettings};
pub use policy::{
    AnyPolicy, Check, ConditionShown, ConditionStatus, CronWindow, CronWindowError, EventLog, Miscount,
    Policy, PolicyError, PolicyEvent, PolicyHistory, PolicyReason, Proposal, ReasonOfKind, Scaled, Setting,
    SettingValue, Situation, Threshold,
};
pub use policy::{hpa, keda, knative};
pub use reason::{Cause, Direction, Reason};
pub use signal::{Amount, Signal, Unit, UnknownSignal};
pub use slo::Slo;
pub use state::{EngineState, StateError};
