//! Says in what way a request failed, the same for every engine that sends requests.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a request failed; refusals (503 with `Retry-After`) are no failures and are counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// Answered, with a status that is no success.
    Status(u16),
    /// Answered with a success, but a check of the answer did not hold.
    Check,
    /// No complete answer within the timeout.
    TimedOut,
    /// The host's name has no address.
    NameNotFound,
    /// Nobody listens at the address.
    ConnectionRefused,
    /// No connection came about for another reason.
    NoConnection,
    /// The two sides could not agree on an encrypted connection.
    Tls,
    /// The connection ended before the answer was complete.
    BrokeOff,
    /// It could not be sent or followed, such as a redirect in a circle.
    NotSent,
}

impl FailureKind {
    /// One of each kind, with any status, for what has to know them all beforehand.
    pub(crate) const EACH: [Self; 9] = [
        Self::Status(500),
        Self::Check,
        Self::TimedOut,
        Self::NameNotFound,
        Self::ConnectionRefused,
        Self::NoConnection,
        Self::Tls,
        Self::BrokeOff,
        Self::NotSent,
    ];

    /// The failure as one word, for spans and metric labels; every status is `status`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Status(_) => "status",
            Self::Check => "check",
            Self::TimedOut => "timeout",
            Self::NameNotFound => "name_not_found",
            Self::ConnectionRefused => "connection_refused",
            Self::NoConnection => "no_connection",
            Self::Tls => "tls",
            Self::BrokeOff => "connection_lost",
            Self::NotSent => "not_sent",
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(formatter, "status {status}"),
            Self::Check => formatter.write_str("a check did not hold"),
            Self::TimedOut => formatter.write_str("timed out"),
            Self::NameNotFound => formatter.write_str("name not found"),
            Self::ConnectionRefused => formatter.write_str("connection refused"),
            Self::NoConnection => formatter.write_str("no connection"),
            Self::Tls => formatter.write_str("no encrypted connection"),
            Self::BrokeOff => formatter.write_str("broke off"),
            Self::NotSent => formatter.write_str("could not be sent"),
        }
    }
}
