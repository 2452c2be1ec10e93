//! Asks another process over HTTP, on TCP or on a Unix socket, within a time and a size that the caller sets.
//!
//! Plain HTTP/1.1 only: the lab's processes talk to each other on one machine or inside one private network. Inside a
//! sampled span a request gets a client span of its own and carries the trace on.

mod error;
mod reply;
mod request;
mod spans;
mod tcp;
#[cfg(test)]
mod tests;
mod unix;

pub use error::ClientError;
pub use reply::Reply;
pub use tcp::HttpClient;
pub use unix::UnixHttpClient;

/// The largest answer that is read, unless the caller sets another bound.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;
