//! Says in what way a request failed, the same for every engine that sends requests.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a request failed; refusals (503 with `Retry-After`) are counted apart.
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
    /// A connection that had served a request before ended before the first byte of the answer, and the request is not
    /// one that may be sent twice: the service may have closed it while it was idle, or may have lost the request.
    ReusedConnectionClosed,
    /// What came is not an answer in HTTP/1.
    NotHttp,
    /// Redirected more often than redirects are followed, such as in a circle.
    RedirectLoop,
    /// Redirected to another scheme, host or port, which is not loaded.
    RedirectElsewhere,
    /// A redirect whose `Location` is not a URL.
    BadRedirect,
    /// It could not be sent, such as a path that leads to another host once it is filled in.
    NotSent,
}

impl FailureKind {
    /// One of each kind, with any status, for what has to know them all beforehand.
    pub const EACH: [Self; 14] = [
        Self::Status(500),
        Self::Check,
        Self::TimedOut,
        Self::NameNotFound,
        Self::ConnectionRefused,
        Self::NoConnection,
        Self::Tls,
        Self::BrokeOff,
        Self::ReusedConnectionClosed,
        Self::NotHttp,
        Self::RedirectLoop,
        Self::RedirectElsewhere,
        Self::BadRedirect,
        Self::NotSent,
    ];

    /// Whether the service answered: what it took is a response time.
    pub const fn is_answer(self) -> bool {
        matches!(
            self,
            Self::Status(_) | Self::Check | Self::RedirectLoop | Self::RedirectElsewhere | Self::BadRedirect
        )
    }

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
            Self::ReusedConnectionClosed => "reused_connection_closed",
            Self::NotHttp => "not_http",
            Self::RedirectLoop => "redirect_loop",
            Self::RedirectElsewhere => "redirect_elsewhere",
            Self::BadRedirect => "bad_redirect",
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
            Self::ReusedConnectionClosed => formatter.write_str("reused connection was closed"),
            Self::NotHttp => formatter.write_str("not an HTTP answer"),
            Self::RedirectLoop => formatter.write_str("redirected too often"),
            Self::RedirectElsewhere => formatter.write_str("redirected to another host"),
            Self::BadRedirect => formatter.write_str("redirect without a usable Location"),
            Self::NotSent => formatter.write_str("could not be sent"),
        }
    }
}
