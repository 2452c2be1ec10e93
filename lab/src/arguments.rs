//! Groups of flags that several commands share.

pub(crate) mod actuator;
pub(crate) mod classic;
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
pub(crate) mod values;
