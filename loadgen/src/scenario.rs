//! What the users of a run do, read from a file or by the name of a shipped scenario.

mod compile;
mod document;
mod error;
mod feeder;
mod import;
mod located;
mod method;
mod misread;
mod read;
mod request;
mod template;
mod untyped;
mod user_type;
mod values;

pub use error::ScenarioError;
pub use import::{Imported, scenario_from_har, scenario_from_openapi};
pub use method::METHODS;
pub use read::{DEFAULT_SCENARIO, SHIPPED_SCENARIOS, Scenario};
pub(crate) use request::{Body, Request};
pub(crate) use template::{NotSet, Scope};
pub(crate) use untyped::Untyped;
pub(crate) use user_type::{Step, UserType};

#[cfg(test)]
mod tests;
