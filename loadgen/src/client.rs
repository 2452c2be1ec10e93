//! The HTTP client that all users share, and what is said of a request that brought no answer.
//!
//! Each user has connections of its own only while it needs them: 10,000 clients with a pool each would take minutes to
//! build. What belongs to a user, its cookies, is kept with the user.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use rustix::io::Errno;

use crate::config::LoadConfig;
use crate::failure_kind::FailureKind;

/// Sent with every request.
const USER_AGENT: &str = concat!("autoscale-lab-loadgen/", env!("CARGO_PKG_VERSION"));

/// The client for a run of this configuration.
pub(crate) fn build(config: &LoadConfig) -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .timeout(config.timeout)
        // A proxy from the environment would be measured instead of the service.
        .no_proxy()
        // Followed by the exchange itself, which knows the user's cookies.
        .redirect(Policy::none())
        .dns_resolver(Arc::new(Resolver))
        .build()
}

/// The system's resolver, with an error that can be told from others.
struct Resolver;

/// A name that has no address.
#[derive(Debug)]
struct NoAddress(io::Error);

impl fmt::Display for NoAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the name has no address: {}", self.0)
    }
}

impl Error for NoAddress {}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(NoAddress)?;
            let found: Vec<_> = found.collect();
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoAnswer {
    pub(crate) kind: FailureKind,
    /// Whether this process had no descriptor or port left: the generator's limit, not the service's.
    pub(crate) exhausted: bool,
}

/// What a client's error says about the request.
pub(crate) fn classify(error: &reqwest::Error, encrypted: bool) -> NoAnswer {
    let plain = |kind| NoAnswer { kind, exhausted: false };
    let mut io_kind = None;
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(this) = cause {
        if this.is::<NoAddress>() {
            return plain(FailureKind::NameNotFound);
        }
        if let Some(io) = this.downcast_ref::<io::Error>() {
            if is_exhaustion(io) {
                return NoAnswer { kind: FailureKind::NotSent, exhausted: true };
            }
            io_kind = Some(innermost(io).kind());
        }
        cause = this.source();
    }
    if error.is_timeout() {
        return plain(FailureKind::TimedOut);
    }
    if error.is_builder() || error.is_redirect() {
        return plain(FailureKind::NotSent);
    }
    // Of an encrypted connection, what is no plain error of the network is one of the handshake.
    plain(match (error.is_connect(), io_kind) {
        (true, Some(io::ErrorKind::ConnectionRefused)) => FailureKind::ConnectionRefused,
        (true, Some(io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof | io::ErrorKind::Other))
            if encrypted =>
        {
            FailureKind::Tls
        }
        (true, _) => FailureKind::NoConnection,
        (false, _) => FailureKind::BrokeOff,
    })
}

/// The error that others were wrapped around; an error's `source` would pass over it.
fn innermost(error: &io::Error) -> &io::Error {
    let mut error = error;
    while let Some(inner) = error.get_ref().and_then(|inner| inner.downcast_ref::<io::Error>()) {
        error = inner;
    }
    error
}

/// Whether this process or machine had nothing left to connect with.
fn is_exhaustion(error: &io::Error) -> bool {
    let errors = [Errno::MFILE, Errno::NFILE, Errno::ADDRNOTAVAIL, Errno::NOBUFS];
    error.raw_os_error().is_some_and(|code| errors.iter().any(|errno| errno.raw_os_error() == code))
}
