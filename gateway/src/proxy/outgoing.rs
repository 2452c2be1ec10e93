//! Makes a client's request ready to be sent on: its head completed, its body's way decided, and read as a whole
//! where it may be sent twice.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::{HeaderValue, Method, header};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::upgrade::OnUpgrade;
use tokio::time::timeout;

use super::failure::Failure;
use super::path::PathRule;
use crate::headers;
use crate::request_body::{BodyError, RequestBody, StreamedBody, Upload};

/// A body of this size at most is read as a whole where its request may be sent again.
const REPLAYED_BODY_BYTES_MAX: u64 = 64 * 1024;

/// The address of a client, as it stands in `X-Forwarded-For`.
#[derive(Debug)]
pub(crate) struct ClientAddress {
    pub(crate) ip: IpAddr,
    header: HeaderValue,
}

impl ClientAddress {
    pub(crate) fn new(ip: IpAddr) -> Self {
        let ip = ip.to_canonical();
        let header = HeaderValue::try_from(ip.to_string()).expect("an address is a header value");
        Self { ip, header }
    }
}

/// A request on its way to an endpoint.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) head: Parts,
    /// The host it names; the endpoint's own where it names none.
    pub(crate) host: Option<HeaderValue>,
    pub(crate) body: RequestBody,
    /// How far the body is, where it is passed on as it comes.
    pub(crate) upload: Option<Arc<Upload>>,
    /// The client's side of a protocol change.
    pub(crate) client_upgrade: Option<OnUpgrade>,
    /// When it could be sent: its arrival, unless its body had to be waited for.
    pub(crate) ready_at: Instant,
    /// The body, where it is to be read as a whole first.
    unread: Option<Incoming>,
    /// Whether doing it twice does what once would do.
    idempotent: bool,
}

impl Outgoing {
    /// Makes a request ready whose head was checked, and whose host is this.
    pub(crate) fn new(
        mut head: Parts,
        incoming: Incoming,
        host: Option<HeaderValue>,
        client: &ClientAddress,
        rule: PathRule,
        body_bytes_max: u64,
        arrived: Instant,
    ) -> Self {
        headers::add_forwarded(&mut head.headers, &client.header, host.as_ref());
        let has_body = !incoming.is_end_stream();
        let client_upgrade = websocket_upgrade(&mut head, has_body);
        // A protocol change is tied to one connection of the client.
        let idempotent =
            client_upgrade.is_none() && rule != PathRule::NotRepeatable && is_idempotent(&head.method);
        let length = incoming.size_hint().exact();
        let (mut upload, mut unread) = (None, None);
        let body = if client_upgrade.is_some() {
            RequestBody::WebSocket
        } else if !has_body {
            // A length of 0 was said or not, and the endpoint learns which.
            if head.headers.contains_key(header::CONTENT_LENGTH) {
                RequestBody::Whole(Bytes::new())
            } else {
                RequestBody::None
            }
        } else if idempotent && length.is_some_and(|bytes| bytes <= REPLAYED_BODY_BYTES_MAX) {
            unread = Some(incoming);
            RequestBody::None
        } else {
            let upload = Arc::clone(upload.insert(Upload::new()));
            let body = StreamedBody::new(incoming, length.unwrap_or(body_bytes_max), upload);
            RequestBody::Streamed { body: Some(body), length }
        };
        Self { head, host, body, upload, client_upgrade, ready_at: arrived, unread, idempotent }
    }

    /// Reads the body where it has to be known as a whole, in parts that come within `pause` of each other.
    pub(crate) async fn read_body(&mut self, pause: Duration) -> Result<(), Failure> {
        let Some(incoming) = self.unread.take() else { return Ok(()) };
        // In a box, as all that is rare here: hyper moves the future of each request, whatever its size.
        self.body = RequestBody::Whole(Box::pin(read_whole(incoming, pause)).await?);
        self.ready_at = Instant::now();
        Ok(())
    }

    /// Whether it may be sent again: to the same endpoint where a kept connection ended under it, or to another one.
    pub(crate) fn is_safe_to_repeat(&self) -> bool {
        self.idempotent && self.body.is_whole()
    }
}

async fn read_whole(mut incoming: Incoming, pause: Duration) -> Result<Bytes, Failure> {
    let mut whole = BytesMut::new();
    while let Some(frame) =
        timeout(pause, incoming.frame()).await.map_err(|_| Failure::BodyStalled { pause })?
    {
        let frame = frame.map_err(|error| Failure::Body(BodyError::of(&error)))?;
        let Ok(data) = frame.into_data() else { continue };
        if incoming.is_end_stream() && whole.is_empty() {
            // Most bodies come in one piece.
            return Ok(data);
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}

/// The client's side of its connection, where the request asks for a WebSocket: with GET and without a body (RFC 6455,
/// section 4.1). What else it offers to change to is passed over, as RFC 9110, section 7.8, allows.
fn websocket_upgrade(head: &mut Parts, has_body: bool) -> Option<OnUpgrade> {
    let upgrade = head.extensions.remove::<OnUpgrade>()?;
    (head.method == Method::GET && !has_body && headers::names_websocket(&head.headers)).then_some(upgrade)
}

/// Methods whose repetition does what once would do (RFC 9110, section 9.2.2).
fn is_idempotent(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE)
}
