//! Observes a service, asks the engine, acts on the answer and records all three.
//!
//! One task looks at the service each second (`sources`, `actuators`), one owns the engine and acts (`driver`), and the
//! API reads what that one publishes. What is decided, and why, is in the crate `scaler-engine`.
//!
//! ```no_run
//! use scaler::policy_file::{NamedPolicy, PolicyOverrides};
//! use scaler::{ActuatorKind, Scaler, ScalerConfig};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let overrides = PolicyOverrides::from_environment(|name| std::env::var(name).ok())?;
//! let config = ScalerConfig {
//!     actuator: ActuatorKind::Processes { supervisor: "run/supervisor.sock".into() },
//!     ..ScalerConfig::new(NamedPolicy::load("moderate", &overrides)?)
//! };
//! let scaler = Scaler::bind(config).await?;
//! scaler.serve(std::future::pending()).await?;
//! # Ok(())
//! # }
//! ```

mod actuators;
mod api;
mod clock;
mod command_template;
mod config;
mod driver;
mod history;
mod live_event;
mod metrics;
pub mod policy_file;
mod rounding;
mod server;
mod sighting;
pub mod sources;
mod state_file;
mod status;

pub use command_template::{BadCommand, CommandTemplate};
pub use config::{ActuatorKind, ComposeTarget, ScalerConfig, SourceKind};
pub use server::{Scaler, ScalerError};
pub use state_file::StateFileError;
