//! Observes a service, asks the engine, acts on the answer and records all three.
//!
//! For each service one task looks at it each second (`sources`, `actuators`), one owns the engine and acts (`driver`),
//! and the API reads what that one publishes. What is decided, and why, is in the crate `scaler-engine`.
//!
//! ```no_run
//! use scaler::policy_file::{NamedPolicy, PolicyOverrides};
//! use scaler::{ActuatorKind, Scaler, ScalerConfig, ServiceConfig};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let overrides = PolicyOverrides::from_environment(|name| std::env::var(name).ok())?;
//! let service = ServiceConfig {
//!     actuator: ActuatorKind::Processes { supervisor: "run/supervisor.sock".into() },
//!     ..ServiceConfig::new(NamedPolicy::load("moderate", &overrides)?)
//! };
//! let scaler = Scaler::bind(ScalerConfig::new(vec![service])).await?;
//! scaler.serve(std::future::pending()).await?;
//! # Ok(())
//! # }
//! ```

mod actuators;
mod api;
mod clock;
mod command_template;
mod config;
mod docker_host;
mod driver;
mod error_causes;
mod history;
mod live_event;
mod metrics;
pub mod policy_file;
mod policy_watch;
mod published;
mod replica_ages;
mod rounding;
mod scaler_error;
mod server;
mod service_event;
mod sighting;
pub mod sources;
mod state_file;
mod status;
mod watched_service;
mod whole_file;

pub use command_template::{BadCommand, CommandTemplate};
pub use config::{ActuatorKind, ComposeTarget, ReplicaResources, ScalerConfig, ServiceConfig, SourceKind};
pub use docker_host::DockerHost;
pub use policy_watch::Reload;
pub use scaler_error::ScalerError;
pub use server::Scaler;
pub use service_event::{News, ServiceEvent};
pub use whole_file::StateFileError;
