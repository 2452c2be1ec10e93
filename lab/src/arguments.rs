//! Groups of flags that several commands share.

pub(crate) mod actuator;
pub(crate) mod classic;
pub(crate) mod controller;
mod duration_text;
pub(crate) mod log;
pub(crate) mod measuring;
pub(crate) mod metrics;
pub(crate) mod other_tools;
pub(crate) mod physics;
pub(crate) mod policy;
pub(crate) mod replica_counts;
pub(crate) mod request;
pub(crate) mod resources;
pub(crate) mod source;
pub(crate) mod telemetry;
pub(crate) mod texts;
pub(crate) mod values;

/// What flags are where none is given, for arguments of which none is required.
pub(crate) fn defaults<T: clap::Args>() -> T {
    let command = T::augment_args(clap::Command::new("defaults").no_binary_name(true));
    let nothing: [&str; 0] = [];
    command
        .try_get_matches_from(nothing)
        .and_then(|matches| T::from_arg_matches(&matches))
        .expect("no flag is required")
}
