//! Makes a client's request ready to be sent on: its head rewritten, its body's way decided, and read as a whole
//! where it may be sent twice.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::request::Parts;
use http::{HeaderValue, Method, Request, Uri, Version, header};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::upgrade::OnUpgrade;
use tokio::time::timeout;

use super::attempt::Failure;
use super::headers;
use super::path::PathRule;
use super::request_body::{RequestBody, StreamedBody, Upload};

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
    pub(crate) body: RequestBody,
    /// How far the body is, where it is passed on as it comes.
    pub(crate) upload: Option<Arc<Upload>>,
    /// The client's side of a protocol change.
    pub(crate) client_upgrade: Option<OnUpgrade>,
    /// When it could be sent: its arrival, unless its body had to be waited for.
    pub(crate) ready_at: Instant,
    /// The body, where it is to be read as a whole first.
    unread: Option<Incoming>,
    /// Whether doing it twice does what once would do, and was not done yet.
    repeatable: bool,
}

impl Outgoing {
    /// Makes a request ready, or returns nothing if it names no host and should.
    pub(crate) fn new(
        request: Request<Incoming>,
        client: &ClientAddress,
        rule: PathRule,
        body_bytes_max: u64,
        arrived: Instant,
    ) -> Option<Self> {
        let (mut head, incoming) = request.into_parts();
        let host = named_host(&head);
        if host.is_none() && head.version == Version::HTTP_11 {
            return None;
        }
        let client_upgrade = rewrite_head(client, host.as_ref(), &mut head);
        // A protocol change is tied to one connection of the client.
        let repeatable =
            client_upgrade.is_none() && rule != PathRule::NotRepeatable && is_idempotent(&head.method);
        let declared = incoming.size_hint().exact();
        let (mut upload, mut unread) = (None, None);
        let body = if incoming.is_end_stream() {
            RequestBody::empty()
        } else if repeatable && declared.is_some_and(|bytes| bytes <= REPLAYED_BODY_BYTES_MAX) {
            unread = Some(incoming);
            RequestBody::empty()
        } else {
            if declared.is_none() {
                // Its end is marked chunk by chunk; a length beside that would be a second opinion.
                head.headers.remove(header::CONTENT_LENGTH);
            }
            let upload = Arc::clone(upload.insert(Upload::new()));
            RequestBody::Streamed(Some(StreamedBody::new(incoming, body_bytes_max, upload)))
        };
        Some(Self { head, body, upload, client_upgrade, ready_at: arrived, unread, repeatable })
    }

    /// Reads the body where it has to be known as a whole.
    pub(crate) async fn read_body(&mut self, read_timeout: Duration) -> Result<(), Failure> {
        let Some(incoming) = self.unread.take() else { return Ok(()) };
        // In a box, as all that is rare here: hyper moves the future of each request, whatever its size.
        let body = match Box::pin(timeout(read_timeout, incoming.collect())).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(_)) | Err(_) => return Err(Failure::ClientTooSlow),
        };
        self.body = RequestBody::whole(body);
        self.ready_at = Instant::now();
        Ok(())
    }

    /// Whether it could be sent once more after it was sent.
    pub(crate) fn can_be_repeated(&self) -> bool {
        self.repeatable && self.body.is_whole()
    }

    /// It is sent once more, and then not again.
    pub(crate) fn note_repetition(&mut self) {
        self.repeatable = false;
    }
}

/// The host a request names: an absolute target beats the header (RFC 9112, section 3.2.2).
fn named_host(head: &Parts) -> Option<HeaderValue> {
    match head.uri.authority() {
        Some(authority) => HeaderValue::from_str(authority.as_str()).ok(),
        None => head.headers.get(header::HOST).cloned(),
    }
}

/// Makes the head of a client's request the gateway's own, and takes the client's side of a protocol change.
fn rewrite_head(client: &ClientAddress, host: Option<&HeaderValue>, head: &mut Parts) -> Option<OnUpgrade> {
    if head.uri.scheme().is_some() {
        let origin_form = head.uri.path_and_query().map_or("/", |path| path.as_str());
        head.uri = origin_form.parse().unwrap_or_else(|_| Uri::from_static("/"));
        if let Some(host) = host {
            head.headers.insert(header::HOST, host.clone());
        }
    }
    headers::add_forwarded(&mut head.headers, &client.header, host);
    let upgrade = headers::requested_upgrade(&head.headers);
    headers::remove_hop_by_hop(&mut head.headers);
    // The gateway takes the body itself, and says so to the client when it begins to read.
    head.headers.remove(header::EXPECT);
    head.version = Version::HTTP_11;
    let client_upgrade = head.extensions.remove::<OnUpgrade>()?;
    headers::set_upgrade(&mut head.headers, upgrade?);
    Some(client_upgrade)
}

/// Methods whose repetition does what once would do (RFC 9110, section 9.2.2).
fn is_idempotent(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE | Method::TRACE
    )
}
