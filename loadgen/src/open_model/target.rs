//! Says who is asked for what over how many connections, checked as a whole before anything is opened.

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::open_model::error::{OpenModelError, refuse};
use crate::service_url::ServiceUrl;
use crate::shown::shown;
use crate::users::prepared::Prepared;

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
    /// Scheme, host and port, such as `http://127.0.0.1:8000`. A user name and password in it are sent with every request
    /// that has no `Authorization` of its own, and shown nowhere.
    pub base_url: String,
    /// What is asked for; each request of a level is one of these, drawn by weight. 1 to 1,000.
    pub requests: Vec<WeightedRequest>,
    /// Connections, 1 to 100,000, and so requests in flight at most.
    pub connections: usize,
    /// How long a request may take from its send to the last byte of the answer, redirects included, 1 ms to 24 h; also how long one waits
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
    /// Path and query, beginning with `/`; what a URL may not hold as it is, such as `ü`, is percent-encoded.
    pub path: String,
    /// Sent as they are; what frames the message (`Content-Length` and such) comes by itself, and so does `Host`
    /// unless it is given.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What is sent with it.
    pub body: Option<Bytes>,
}

/// A target that can be.
#[derive(Debug)]
pub(crate) struct CheckedTarget {
    pub(crate) service: ServiceUrl,
    pub(crate) weights: Vec<u32>,
    pub(crate) requests: Vec<EncodedRequest>,
    pub(crate) connections: usize,
    pub(crate) timeout: Duration,
}

/// A request as it is sent.
#[derive(Clone, Debug)]
pub(crate) struct EncodedRequest {
    pub(crate) bytes: Bytes,
    /// What it was made of, for what a redirect makes of it.
    pub(crate) prepared: Prepared,
    /// Whether it may be sent twice (RFC 9110, section 9.2.2).
    pub(crate) is_idempotent: bool,
    /// Whether the answer has no body, whatever it says.
    pub(crate) is_head: bool,
}

impl Target {
    /// Checks every rule; of the outside world nothing.
    pub(crate) fn check(self) -> Result<CheckedTarget, OpenModelError> {
        let service = ServiceUrl::parse(&self.base_url)
            .or_else(|error| refuse("URL", error.value, error.expected, error.hint))?;
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
            self.requests.into_iter().map(|request| request.check(&service)).collect::<Result<_, _>>()?;
        Ok(CheckedTarget { service, weights, requests, connections: self.connections, timeout: self.timeout })
    }
}

impl WeightedRequest {
    fn check(self, service: &ServiceUrl) -> Result<EncodedRequest, OpenModelError> {
        if self.method == Method::CONNECT {
            return refuse("method", self.method, "any but CONNECT", "GET is usual");
        }
        let is_line = !self.path.contains(|each: char| each.is_whitespace() || each.is_control());
        let url = service
            .base
            .join(&self.path)
            .ok()
            .filter(|url| is_line && self.path.starts_with('/') && url.origin() == service.base.origin());
        let Some(mut url) = url else {
            return refuse(
                "path",
                shown(&self.path),
                "path and query, beginning with one `/`, without spaces",
                "the host belongs into the base URL; encode a space as %20",
            );
        };
        // It is not sent.
        url.set_fragment(None);
        if let Some((name, _)) = self.headers.iter().find(|(name, _)| OWN_HEADERS.contains(name)) {
            return refuse(
                "header",
                format!("`{name}`"),
                "one that does not frame the message",
                "leave it away: it is set by itself where it is needed",
            );
        }
        let mut headers: HeaderMap = HeaderMap::new();
        for (name, value) in self.headers {
            headers.append(name, value);
        }
        if let Some(authorization) = &service.authorization {
            headers.entry(AUTHORIZATION).or_insert_with(|| authorization.clone());
        }
        let prepared = Prepared { url, method: self.method, headers, body: self.body };
        Ok(EncodedRequest::new(prepared, service))
    }
}

impl EncodedRequest {
    /// Writes it down as RFC 9112 says. Parsed methods, URLs and header values hold nothing that could end a line.
    pub(crate) fn new(prepared: Prepared, service: &ServiceUrl) -> Self {
        let Prepared { url, method, headers, body } = &prepared;
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let mut bytes = format!("{method} {}{query} HTTP/1.1\r\n", url.path()).into_bytes();
        let mut line = |name: &HeaderName, value: &[u8]| {
            bytes.extend_from_slice(name.as_str().as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        };
        if !headers.contains_key(HOST) {
            line(&HOST, service.authority.as_bytes());
        }
        for (name, value) in headers {
            line(name, value.as_bytes());
        }
        // A method that is expected to bring a body says so where there is none (RFC 9110, section 8.6).
        let expects_body = matches!(*method, Method::POST | Method::PUT | Method::PATCH);
        if body.is_some() || expects_body {
            let length = body.as_ref().map_or(0, Bytes::len);
            line(&CONTENT_LENGTH, length.to_string().as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(body.as_deref().unwrap_or_default());
        Self {
            bytes: bytes.into(),
            is_head: *method == Method::HEAD,
            is_idempotent: method.is_idempotent(),
            prepared,
        }
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
    fn a_path_is_encoded_as_in_a_url() {
        for (path, target) in [
            ("/ok/ü?q=é", "/ok/%C3%BC?q=%C3%A9"),
            ("/a%20b/{id}?x={y}#top", "/a%20b/%7Bid%7D?x={y}"),
            ("/a?b=\"c\"", "/a?b=%22c%22"),
        ] {
            let text = encoded(WeightedRequest { path: path.to_owned(), ..request(Method::GET, None) });
            assert!(text.starts_with(&format!("GET {target} HTTP/1.1\r\n")), "{path}: {text}");
        }
        for path in ["", "x", "/a b", "/a\nb", "//elsewhere/x", "/\\elsewhere/x", "http://elsewhere/"] {
            let target = Target {
                base_url: "http://localhost:8000/".to_owned(),
                requests: vec![WeightedRequest { path: path.to_owned(), ..request(Method::GET, None) }],
                connections: 1,
                timeout: Duration::from_secs(1),
            };
            target.check().expect_err(path);
        }
    }

    #[test]
    fn credentials_of_the_url_go_with_each_request_that_has_none() {
        let of = |headers: Vec<(HeaderName, HeaderValue)>| {
            let target = Target {
                base_url: "http://ann:secret@localhost:8000".to_owned(),
                requests: vec![WeightedRequest { headers, ..request(Method::GET, None) }],
                connections: 1,
                timeout: Duration::from_secs(1),
            };
            let request = target.check().expect("it can be").requests.remove(0);
            String::from_utf8(request.bytes.to_vec()).expect("it is text")
        };
        assert!(of(Vec::new()).contains("\r\nauthorization: Basic YW5uOnNlY3JldA==\r\n"));
        let own = of(vec![(AUTHORIZATION, HeaderValue::from_static("Bearer x"))]);
        assert!(own.contains("authorization: Bearer x\r\n") && !own.contains("Basic"), "{own}");
    }
}
