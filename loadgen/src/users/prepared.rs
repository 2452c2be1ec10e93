//! A request that is ready to be sent.

use bytes::Bytes;
use http::{HeaderMap, Method};
use reqwest::Url;

/// A request that is filled in, and where it goes.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    pub(crate) url: Url,
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Bytes>,
}
