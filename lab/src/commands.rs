//! The subcommands, one file each: its flags, and what it does with them.

pub(crate) mod baseline;
pub(crate) mod demo;
pub(crate) mod docker_proxy;
pub(crate) mod gateway;
pub(crate) mod health;
pub(crate) mod load;
pub(crate) mod policy;
pub(crate) mod scaler;
pub(crate) mod simulate;
pub(crate) mod up;
pub(crate) mod webapp;

use crate::output::say;

/// Tells on standard output where a process listens. A supervisor reads this line, so it comes first and once.
fn announce(listening: &str) {
    say(&format!("listening on {listening}"));
}
