//! The names of the service-time distributions, as flags, files and results write them.

use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// A service-time distribution by name; [`ServiceTime::new`](crate::ServiceTime::new) adds mean and spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceTimeDistribution {
    /// Skewed to the right, as most services are; the spread is free.
    #[default]
    Lognormal,
    /// Memoryless: what the formulas for M/M/c assume.
    Exponential,
    /// Always the mean.
    Constant,
    /// Nine fast jobs in ten, and a slow one: a cache that misses.
    Bimodal,
}

impl ServiceTimeDistribution {
    /// Every distribution, in the order in which help texts list them.
    pub const ALL: [Self; 4] = [Self::Lognormal, Self::Exponential, Self::Constant, Self::Bimodal];

    /// The name in flags and files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lognormal => "lognormal",
            Self::Exponential => "exponential",
            Self::Constant => "constant",
            Self::Bimodal => "bimodal",
        }
    }
}

impl fmt::Display for ServiceTimeDistribution {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// A text that names no service-time distribution.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("service-time distribution is `{0}`, expected `lognormal`, `exponential`, `constant` or `bimodal`")]
pub struct UnknownServiceTimeDistribution(pub String);

impl FromStr for ServiceTimeDistribution {
    type Err = UnknownServiceTimeDistribution;

    fn from_str(text: &str) -> Result<Self, UnknownServiceTimeDistribution> {
        Self::ALL
            .into_iter()
            .find(|distribution| distribution.name() == text)
            .ok_or_else(|| UnknownServiceTimeDistribution(text.to_string()))
    }
}
