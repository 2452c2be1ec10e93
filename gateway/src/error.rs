//! Names what can keep a gateway from starting or from going on.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// Why a gateway did not start, or ended early.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// Somebody else has the port.
    #[error("port {} of {address} is already in use; stop what listens there, or choose another with `{flag}`", address.port())]
    AddressInUse {
        /// The address that was asked for.
        address: SocketAddr,
        /// The flag that changes it.
        flag: &'static str,
    },
    /// The address cannot be listened on for another reason.
    #[error("cannot listen on {address}, set with `{flag}`: {source}")]
    CannotListen {
        /// The address that was asked for.
        address: SocketAddr,
        /// The flag that changes it.
        flag: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A rate limit that limits nothing or everything.
    #[error(
        "the {scope} limit of {rate_per_second} requests per second with a burst of {burst} is not usable, \
         expected a rate above 0 and at most 1e9, and a burst of at least 1"
    )]
    BadRateLimit {
        /// `service` or `client`.
        scope: &'static str,
        /// The rate that was given.
        rate_per_second: f64,
        /// The burst that was given.
        burst: u32,
    },
    /// A limit of time that nothing can keep, or that cannot be added to a time.
    #[error("a limit of {value:?} is not usable for `{flag}`, expected a time above 0 and at most 24 h")]
    BadTimeLimit {
        /// The flag that sets it.
        flag: &'static str,
        /// The limit that was given.
        value: Duration,
    },
    /// A limit of the head that no request fits into.
    #[error("a limit of {bytes} bytes for the head of a request is too small, expected at least 8192")]
    HeaderLimitTooSmall {
        /// The limit that was given.
        bytes: usize,
    },
    /// A number in the rules of balancing that they cannot work with.
    #[error(transparent)]
    BadBalancerSettings(#[from] gateway_balancer::SettingsError),
    /// The admin server ended by itself.
    #[error("the admin server on {address} ended: {source}")]
    AdminEnded {
        /// Where it listened.
        address: SocketAddr,
        /// What it said.
        source: io::Error,
    },
}
