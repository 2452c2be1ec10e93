//! Chooses an endpoint for each request and judges endpoints by their answers, as pure code.
//!
//! The gateway runs this against real sockets and the simulator in virtual time, so every rule of balancing is
//! here and none in the process. Nothing in it reads a clock or makes a random number: the caller hands in `now`,
//! the time since an origin it chose (never going backwards), and a random stream. The same calls with the same
//! times and the same seed give the same picks on every machine.
//!
//! [`Rotation`] holds the endpoints, [`Tries`] says for one request whether another endpoint may be tried, and
//! [`BalancerSettings`] has the numbers in their rules. What a caller does with a rotation, in order:
//!
//! 1. [`Rotation::put`] or [`Rotation::sync_discovered`]: which endpoints there are.
//! 2. [`Rotation::begin_probe`], then [`Rotation::record_probe`]: which of them may serve.
//! 3. [`Rotation::pick`], then [`Rotation::record`] when the answer is known (at most once) and
//!    [`Rotation::release`] when the request is over (exactly once).
//! 4. [`Rotation::drain`], then [`Rotation::remove`]: which of them leave.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod comparison;
mod cost;
mod discovery;
mod ejection;
mod endpoint;
mod ewma;
mod health;
mod moment;
mod outcome;
mod pick;
mod retry;
mod roster;
mod rotation;
mod score;
mod settings;
mod unserved;
mod window;

pub use discovery::Discovered;
pub use endpoint::{EndpointId, EndpointView, State};
pub use health::ProbeAnswer;
pub use outcome::Outcome;
pub use pick::{Candidates, Pick};
pub use retry::{Tries, TryFailure};
pub use rotation::{Put, Rotation};
pub use settings::{
    BalancerSettings, ClientErrorSettings, CostSettings, DiscoverySettings, EjectionSettings,
    LatencySettings, ProbeSettings, RetrySettings, SettingsError,
};
pub use window::OutcomeCounts;
