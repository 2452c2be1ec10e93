//! Says why a scaler cannot start or go on, and what to do about it.

use std::net::SocketAddr;
use std::time::Duration;

use crate::actuators::ActuatorError;
use crate::config::SCRAPE_INTERVAL_MIN;
use crate::sources::PrometheusUrlError;
use crate::whole_file::StateFileError;

/// Why a scaler cannot start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScalerError {
    /// Somebody else listens there.
    #[error("port {} is in use: the scaler cannot listen on {address}", .address.port())]
    AddressInUse {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The address cannot be listened on for another reason.
    #[error("the scaler cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The services' names cannot be told apart or used.
    #[error("{problem}")]
    ServiceNames {
        /// What is wrong with them.
        problem: String,
    },
    /// A gateway address is none.
    #[error("`{url}` is not an address of the gateway, expected something like http://127.0.0.1:8001")]
    GatewayUrl {
        /// What was given.
        url: String,
    },
    /// The address of Prometheus is none.
    #[error(transparent)]
    PrometheusUrl(#[from] PrometheusUrlError),
    /// The scrape interval contradicts the policy's window.
    #[error(
        "the scrape interval is {interval:?}, expected {SCRAPE_INTERVAL_MIN:?} up to the policy's window of {window:?}"
    )]
    ScrapeInterval {
        /// The interval asked for.
        interval: Duration,
        /// The policy's window.
        window: Duration,
    },
    /// What carries decisions out cannot.
    #[error("the actuator cannot work: {problem}")]
    Actuator {
        /// What is wrong.
        problem: String,
        /// What to do about it.
        hint: String,
        /// Whether a setting is wrong, rather than something that is to be there and is not.
        is_setting: bool,
    },
    /// The state file can be neither read nor written.
    #[error(transparent)]
    StateFile(#[from] StateFileError),
    /// A part of it ended by itself.
    #[error("the scaler broke: {0}")]
    Broken(String),
}

impl From<ActuatorError> for ScalerError {
    fn from(error: ActuatorError) -> Self {
        let is_setting = error.is_setting();
        let (problem, hint) = error.into_parts();
        Self::Actuator {
            problem: problem.to_string(),
            hint: hint.unwrap_or_else(|| "look at what the actuator commands".to_owned()),
            is_setting,
        }
    }
}

impl ScalerError {
    /// What to do about it.
    pub fn hint(&self) -> &str {
        match self {
            Self::Actuator { hint, .. } => hint,
            Self::AddressInUse { .. } => "end the other process, or choose another address with --listen",
            Self::Listen { .. } => "choose another address with --listen",
            Self::ServiceNames { .. } => {
                "give each service a name of its own, of letters, digits, `-`, `_` and `.`"
            }
            Self::GatewayUrl { .. } => "give plain http:// addresses with --gateway and --gateway-admin",
            Self::PrometheusUrl(_) => {
                "give the address of Prometheus with --prometheus-url or PROMETHEUS_URL"
            }
            Self::ScrapeInterval { .. } => {
                "choose a shorter --scrape-interval, or a longer window in the policy"
            }
            Self::StateFile(_) => "choose a file in a folder that can be written to with --state",
            Self::Broken(_) => "start it again; with --state it continues where it was",
        }
    }
}
