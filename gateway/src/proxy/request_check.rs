//! Refuses a request that two servers could read in two ways, before anything of it is passed on.
//!
//! Each rule is one of RFC 9110 or RFC 9112, or what nginx refuses as well. After such a request nothing more is read
//! from its connection.

use std::net::Ipv6Addr;

use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, Version, header};

use crate::watched_stream::HeadFlaw;

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) error: &'static str,
    pub(crate) hint: &'static str,
}

impl Refusal {
    const fn bad(error: &'static str, hint: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error, hint }
    }
}

impl From<HeadFlaw> for Refusal {
    fn from(flaw: HeadFlaw) -> Self {
        match flaw {
            HeadFlaw::LengthBesideCoding => {
                Self::bad("the request has both Content-Length and Transfer-Encoding", "send one of the two")
            }
            HeadFlaw::RepeatedLength => {
                Self::bad("the request has more than one Content-Length", "send it once")
            }
            HeadFlaw::Tab => {
                let error = "the request has a tab beside its host, its length or its transfer coding";
                Self::bad(error, "send a space after the colon, and nothing after the value")
            }
            HeadFlaw::Fragment => {
                Self::bad("the request's target has a fragment", "leave out `#` and what follows it")
            }
        }
    }
}

/// The host that a request names, if its head is one that can be read in one way only. A request in HTTP/1.0 may name
/// none.
pub(crate) fn checked_host(head: &Parts) -> Result<Option<HeaderValue>, Refusal> {
    check_method(&head.method)?;
    check_coding(head)?;
    check_repetition(head)?;
    let mut hosts = head.headers.get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => Some(host),
        (None, _) if head.version != Version::HTTP_11 => None,
        (None, _) => return Err(Refusal::bad("the request names no host", "send a Host header")),
        (Some(_), Some(_)) => {
            return Err(Refusal::bad("the request has more than one Host header", "send one Host header"));
        }
    };
    if host.is_some_and(|host| !is_valid_host(host.as_bytes())) {
        return Err(Refusal::bad("the Host header is not valid", "send a host with an optional port"));
    }
    Ok(host_of_target(head)?.or_else(|| host.cloned()))
}

/// The host of a target in absolute form, which beats the header (RFC 9112, section 3.2.2).
fn host_of_target(head: &Parts) -> Result<Option<HeaderValue>, Refusal> {
    let Some(authority) = head.uri.authority() else {
        if head.uri.path().starts_with('/') {
            return Ok(None);
        }
        let error = "the request's target is not a path";
        return Err(Refusal::bad(error, "send a path that begins with `/`"));
    };
    if !matches!(head.uri.scheme_str(), Some("http" | "https")) {
        let error = "the request's target is neither a path nor a URL of http";
        return Err(Refusal::bad(error, "send a path that begins with `/`"));
    }
    // Not what a user name would make of it: that is not the host's, and would end in logs.
    let valid = is_valid_host(authority.as_str().as_bytes());
    let host = HeaderValue::from_str(authority.as_str()).ok().filter(|_| valid);
    let invalid = || {
        let error = "the host in the request's target is not valid";
        Refusal::bad(error, "send a host with an optional port, and no user name")
    };
    host.map(Some).ok_or_else(invalid)
}

/// Methods are written in capitals, as nginx has it; two of them are not for a gateway.
fn check_method(method: &Method) -> Result<(), Refusal> {
    let refuse = |status, error, hint| Err(Refusal { status, error, hint });
    match *method {
        Method::GET | Method::HEAD | Method::POST | Method::PUT | Method::DELETE | Method::PATCH => Ok(()),
        Method::CONNECT => refuse(
            StatusCode::METHOD_NOT_ALLOWED,
            "the gateway opens no tunnel for CONNECT",
            "send the request itself",
        ),
        Method::TRACE => refuse(
            StatusCode::METHOD_NOT_ALLOWED,
            "the gateway does not pass on TRACE, whose answer would show what it adds",
            "look at a request's headers in a trace",
        ),
        _ if method.as_str().bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'-' | b'_')) => Ok(()),
        _ => refuse(
            StatusCode::NOT_IMPLEMENTED,
            "the request's method is not written in capitals",
            "send a method such as GET or POST",
        ),
    }
}

/// The body may come in chunks; no other transfer coding is undone here, and none can be passed on.
fn check_coding(head: &Parts) -> Result<(), Refusal> {
    let mut codings = head.headers.get_all(header::TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => Ok(()),
        (Some(coding), None) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(()),
        _ => Err(Refusal {
            status: StatusCode::NOT_IMPLEMENTED,
            error: "the request's transfer coding is not `chunked` alone",
            hint: "send the body in chunks, or with its length",
        }),
    }
}

/// Headers with one value: of two, one server takes the first and another the last. The conditions among them may be
/// lists, and come in one line as such.
fn check_repetition(head: &Parts) -> Result<(), Refusal> {
    let has_one_value = |name: &str| {
        matches!(
            name,
            "authorization"
                | "content-range"
                | "expect"
                | "if-match"
                | "if-modified-since"
                | "if-none-match"
                | "if-range"
                | "if-unmodified-since"
        )
    };
    let mut single = head.headers.keys().filter(|name| has_one_value(name.as_str()));
    if single.any(|name| head.headers.get_all(name).iter().nth(1).is_some()) {
        let error = "the request has Authorization, Expect, Content-Range or a condition twice";
        return Err(Refusal::bad(error, "send it once, with a list as one line"));
    }
    Ok(())
}

/// Whether these bytes are a host with an optional port (RFC 3986, section 3.2). An empty name and empty labels are
/// refused too.
fn is_valid_host(host: &[u8]) -> bool {
    if let Some(rest) = host.strip_prefix(b"[") {
        let Some(end) = rest.iter().position(|&byte| byte == b']') else { return false };
        let address = std::str::from_utf8(&rest[..end]).ok().and_then(|text| text.parse::<Ipv6Addr>().ok());
        return address.is_some() && is_valid_port(&rest[end + 1..]);
    }
    let end = host.iter().position(|&byte| byte == b':').unwrap_or(host.len());
    let (name, port) = host.split_at(end);
    let mut before = b'.';
    let mut rest = name;
    while let Some((&byte, after)) = rest.split_first() {
        let valid = match byte {
            b'.' => before != b'.',
            b'%' => after.get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)),
            b'-' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';'
            | b'=' => true,
            _ => byte.is_ascii_alphanumeric(),
        };
        if !valid {
            return false;
        }
        before = byte;
        rest = after;
    }
    !name.is_empty() && is_valid_port(port)
}

/// Whether these bytes are nothing, or a colon with a port.
fn is_valid_port(bytes: &[u8]) -> bool {
    let Some(digits) = bytes.strip_prefix(b":") else { return bytes.is_empty() };
    (1..=5).contains(&digits.len())
        && digits.iter().all(u8::is_ascii_digit)
        && std::str::from_utf8(digits).is_ok_and(|text| text.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use http::Request;
    use http::request::Builder;

    use super::*;

    fn check(request: Builder) -> Result<Option<HeaderValue>, u16> {
        let (head, ()) = request.body(()).unwrap().into_parts();
        checked_host(&head).map_err(|refusal| refusal.status.as_u16())
    }

    #[test]
    fn a_host_is_a_name_or_an_address_with_an_optional_port() {
        for host in [
            "a",
            "a.b",
            "a.b.",
            "a_b-c",
            "127.0.0.1:8000",
            "[::1]",
            "[::1]:80",
            "a:65535",
            "xn--a",
            "a%41",
            "a!$&'()*+,;=~",
        ] {
            assert!(is_valid_host(host.as_bytes()), "{host}");
        }
        for host in [
            "",
            ":80",
            "a b",
            "a/b",
            "a?b",
            "a#b",
            "a@b",
            "u:p@a",
            "a:",
            "a:b",
            "a:80:80",
            "a:65536",
            "a:000080",
            "a:+80",
            "..",
            "a..b",
            ".a",
            "[",
            "[]",
            "[::1",
            "[::1]x",
            "[::1]:x",
            "[fe80::1%25eth0]",
            "::1",
            "a\\b",
            "a\tb",
            "a%4",
            "a%zz",
            "a<b",
            "a\"b",
            "a[b]",
            "\u{e9}",
        ] {
            assert!(!is_valid_host(host.as_bytes()), "{host:?}");
        }
    }

    #[test]
    fn the_target_beats_the_header_and_both_are_checked() {
        let host = |uri: &str, host: &str| check(Request::get(uri).header("host", host));
        let named = |text: &'static str| Ok(Some(HeaderValue::from_static(text)));
        assert_eq!(host("/x", "lab:8000"), named("lab:8000"));
        assert_eq!(host("http://other:81/x", "lab"), named("other:81"));
        assert_eq!(host("https://other?q", "lab"), named("other"));
        for (uri, header) in [
            ("http://u:secret@other/x", "lab"),
            ("http://u@other/x", "lab"),
            ("http://other/x", "a b"),
            ("ftp://other/x", "lab"),
            ("other:80", "lab"),
            ("other", "lab"),
            ("*", "lab"),
        ] {
            assert_eq!(host(uri, header), Err(400), "{uri} and {header}");
        }
    }

    #[test]
    fn one_host_is_named_and_in_http_1_0_perhaps_none() {
        assert_eq!(check(Request::get("/")), Err(400));
        assert_eq!(check(Request::get("http://other/")), Err(400));
        assert_eq!(check(Request::get("/").version(Version::HTTP_10)), Ok(None));
        for version in [Version::HTTP_10, Version::HTTP_11] {
            let twice = Request::get("/").version(version).header("host", "a").header("host", "a");
            assert_eq!(check(twice), Err(400), "{version:?}");
        }
    }

    #[test]
    fn a_method_is_written_in_capitals_and_asks_for_no_tunnel() {
        for (method, expected) in [
            ("GET", Ok(())),
            ("PROPFIND", Ok(())),
            ("M-SEARCH", Ok(())),
            ("OPTIONS", Ok(())),
            ("CONNECT", Err(405)),
            ("TRACE", Err(405)),
            ("get", Err(501)),
            ("Get", Err(501)),
            ("G1", Err(501)),
            ("GET!", Err(501)),
        ] {
            let checked = check(Request::builder().method(method).uri("/").header("host", "a"));
            assert_eq!(checked.map(drop), expected, "{method}");
        }
    }

    #[test]
    fn a_header_with_one_value_comes_once() {
        let twice = |name: &str| {
            check(Request::get("/").header("host", "a").header(name, "1").header("x", "2").header(name, "3"))
        };
        for name in ["authorization", "content-range", "expect", "if-match", "if-none-match", "if-range"] {
            assert_eq!(twice(name), Err(400), "{name}");
        }
        for name in ["cookie", "accept", "x-mine", "x-forwarded-for", "via"] {
            assert_eq!(twice(name).map(drop), Ok(()), "{name}");
        }
    }

    #[test]
    fn the_body_may_come_in_chunks_and_in_no_other_coding() {
        let check = |codings: &[&str]| {
            let request = Request::post("/").header("host", "a");
            check(
                codings.iter().fold(request, |request, coding| request.header("transfer-encoding", *coding)),
            )
        };
        assert_eq!(check(&["Chunked"]).map(drop), Ok(()));
        for codings in [
            &["gzip, chunked"][..],
            &["chunked, chunked"],
            &["identity, chunked"],
            &["identity", "chunked"],
            &["chunked", "chunked"],
            &["chunked;q=1"],
            &["xchunked"],
            &[""],
        ] {
            assert_eq!(check(codings), Err(501), "{codings:?}");
        }
    }
}
