//! Says who is asked for what over how many connections, checked as a whole before anything is opened.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TRANSFER_ENCODING, UPGRADE};
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderName, HeaderValue, Method, Uri};

use crate::open_model::error::{OpenModelError, refuse};

/// Most connections; each takes a file descriptor here and one at the service.
const MOST_CONNECTIONS: usize = 100_000;

/// Most requests to choose from.
const MOST_REQUESTS: usize = 1_000;

/// Longest that one request may take.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// Headers that say how a message is framed or a connection kept, which is not for the caller to say.
const OWN_HEADERS: [HeaderName; 5] = [CONNECTION, CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING, UPGRADE];

/// Who is asked for one or a few weighted requests.
#[derive(Clone, Debug)]
pub struct Target {
    /// Scheme, host and port, such as `http://127.0.0.1:8000`.
    pub base_url: String,
    /// What is asked for; each request of a level is one of these, drawn by weight. 1 to 1,000.
    pub requests: Vec<WeightedRequest>,
    /// Connections, 1 to 100,000, and so requests in flight at most.
    pub connections: usize,
    /// How long a request may take from its send to the last byte of the answer, 1 ms to 24 h; also how long one waits
    /// for a free connection before it is given up as unsent.
    pub timeout: Duration,
}

/// One request, and how often it is sent compared with the others.
#[derive(Clone, Debug)]
pub struct WeightedRequest {
    /// Its share is this over the sum of all; one at least must be more than 0.
    pub weight: u32,
    /// Any method but `CONNECT`.
    pub method: Method,
    /// Path and query, beginning with `/`.
    pub path: String,
    /// Sent as they are; what frames the message (`Content-Length` and such) comes by itself, and so does `Host`
    /// unless it is given.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What is sent with it.
    pub body: Option<Bytes>,
}

/// Where connections go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// As it was given, for messages.
    pub(crate) base_url: String,
    pub(crate) encrypted: bool,
    /// A name, or an address without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// What `Host` says.
    pub(crate) authority: HeaderValue,
}

/// A target that can be.
#[derive(Debug)]
pub(crate) struct CheckedTarget {
    pub(crate) endpoint: Endpoint,
    pub(crate) weights: Vec<u32>,
    pub(crate) requests: Vec<EncodedRequest>,
    pub(crate) connections: usize,
    pub(crate) timeout: Duration,
}

/// A request as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EncodedRequest {
    pub(crate) bytes: Bytes,
    /// Whether the answer has no body, whatever it says.
    pub(crate) is_head: bool,
}

impl Target {
    /// Checks every rule; of the outside world nothing.
    pub(crate) fn check(self) -> Result<CheckedTarget, OpenModelError> {
        let endpoint = Endpoint::parse(&self.base_url)?;
        if !(1..=MOST_REQUESTS).contains(&self.requests.len()) {
            return refuse("requests", self.requests.len(), "1 to 1000 of them", "one of weight 1 will do");
        }
        if self.requests.iter().all(|request| request.weight == 0) {
            return refuse("weight", 0, "one request at least with more than 0", "give one of them weight 1");
        }
        if !(1..=MOST_CONNECTIONS).contains(&self.connections) {
            return refuse(
                "connections",
                self.connections,
                "1 to 100000",
                "64 carry most services to their limit",
            );
        }
        if self.timeout < Duration::from_millis(1) || self.timeout > LONGEST_TIMEOUT {
            return refuse("timeout", humantime::format_duration(self.timeout), "1ms to 24h", "10s is usual");
        }
        let weights = self.requests.iter().map(|request| request.weight).collect();
        let requests =
            self.requests.into_iter().map(|request| request.check(&endpoint)).collect::<Result<_, _>>()?;
        Ok(CheckedTarget {
            endpoint,
            weights,
            requests,
            connections: self.connections,
            timeout: self.timeout,
        })
    }
}

impl WeightedRequest {
    fn check(self, endpoint: &Endpoint) -> Result<EncodedRequest, OpenModelError> {
        if self.method == Method::CONNECT {
            return refuse("method", self.method, "any but CONNECT", "GET is usual");
        }
        if !self.path.starts_with('/') || PathAndQuery::try_from(self.path.as_str()).is_err() {
            return refuse(
                "path",
                format!("`{}`", self.path),
                "path and query, beginning with `/`, without spaces",
                "the host belongs into the base URL; encode a space as %20",
            );
        }
        if let Some((name, _)) = self.headers.iter().find(|(name, _)| OWN_HEADERS.contains(name)) {
            return refuse(
                "header",
                format!("`{name}`"),
                "one that does not frame the message",
                "leave it away: it is set by itself where it is needed",
            );
        }
        Ok(self.encode(endpoint))
    }

    /// Writes it down as RFC 9112 says. Parsed methods, paths and header values hold nothing that could end a line.
    fn encode(self, endpoint: &Endpoint) -> EncodedRequest {
        // A fragment is not sent.
        let path = self.path.split('#').next().unwrap_or("/");
        let mut bytes = format!("{} {path} HTTP/1.1\r\n", self.method).into_bytes();
        let mut line = |name: &HeaderName, value: &[u8]| {
            bytes.extend_from_slice(name.as_str().as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        };
        if self.headers.iter().all(|(name, _)| name != HOST) {
            line(&HOST, endpoint.authority.as_bytes());
        }
        for (name, value) in &self.headers {
            line(name, value.as_bytes());
        }
        // A method that is expected to bring a body says so where there is none (RFC 9110, section 8.6).
        let expects_body = matches!(self.method, Method::POST | Method::PUT | Method::PATCH);
        if self.body.is_some() || expects_body {
            let length = self.body.as_ref().map_or(0, Bytes::len);
            line(&CONTENT_LENGTH, length.to_string().as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body.unwrap_or_default());
        EncodedRequest { bytes: bytes.into(), is_head: self.method == Method::HEAD }
    }
}

impl Endpoint {
    fn parse(base_url: &str) -> Result<Self, OpenModelError> {
        let refused = |hint| {
            refuse(
                "URL",
                format!("`{base_url}`"),
                "scheme, host and port, such as http://127.0.0.1:8000",
                hint,
            )
        };
        let Ok(uri) = base_url.trim().parse::<Uri>() else {
            return refused("a URL begins with http:// or https://");
        };
        let encrypted = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => false,
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            _ => return refused("a URL begins with http:// or https://"),
        };
        let Some(authority) = uri.authority().filter(|authority| !authority.host().is_empty()) else {
            return refused("a URL names a host");
        };
        if authority.as_str().contains('@') {
            return refused("leave away the user name; send an Authorization header instead");
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return refused("leave away what follows the port: each request brings its own path");
        }
        let port = match authority.port_u16() {
            Some(0) => return refused("port 0 cannot be connected to"),
            Some(port) => port,
            None if authority.as_str().len() > authority.host().len() => {
                return refused("a port is a number up to 65535");
            }
            None if encrypted => 443,
            None => 80,
        };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let authority = HeaderValue::from_str(authority.as_str())
            .expect("an authority that was parsed holds visible characters only");
        Ok(Self { base_url: base_url.trim().to_owned(), encrypted, host, port, authority })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(request: WeightedRequest) -> String {
        let target = Target {
            base_url: "http://localhost:8000/".to_owned(),
            requests: vec![request],
            connections: 1,
            timeout: Duration::from_secs(1),
        };
        let request = target.check().expect("it can be").requests.remove(0);
        String::from_utf8(request.bytes.to_vec()).expect("it is text")
    }

    fn request(method: Method, body: Option<&'static str>) -> WeightedRequest {
        let body = body.map(|body| Bytes::from_static(body.as_bytes()));
        WeightedRequest { weight: 1, method, path: "/order?id=1".to_owned(), headers: Vec::new(), body }
    }

    #[test]
    fn a_request_is_written_down_once() {
        assert_eq!(
            encoded(request(Method::GET, None)),
            "GET /order?id=1 HTTP/1.1\r\nhost: localhost:8000\r\n\r\n"
        );
        assert_eq!(
            encoded(request(Method::POST, Some("{}"))),
            "POST /order?id=1 HTTP/1.1\r\nhost: localhost:8000\r\ncontent-length: 2\r\n\r\n{}"
        );
        assert!(encoded(request(Method::PUT, None)).contains("content-length: 0\r\n"));
    }

    #[test]
    fn a_host_that_is_given_replaces_the_urls() {
        let headers = vec![(HOST, HeaderValue::from_static("shop.example"))];
        let text = encoded(WeightedRequest { headers, ..request(Method::GET, None) });
        assert_eq!(text, "GET /order?id=1 HTTP/1.1\r\nhost: shop.example\r\n\r\n");
    }

    #[test]
    fn an_endpoint_has_its_schemes_port_and_no_brackets() {
        let endpoint = Endpoint::parse("https://[::1]").expect("it can be");
        assert_eq!((endpoint.host.as_str(), endpoint.port, endpoint.encrypted), ("::1", 443, true));
        assert_eq!(endpoint.authority, "[::1]");
        assert_eq!(Endpoint::parse("http://shop.example").expect("it can be").port, 80);
    }
}
