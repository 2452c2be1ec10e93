//! Reads a response's head: its status, how its body ends, and whether its connection stays.

use core::mem::MaybeUninit;

use crate::Malformed;
use crate::body::BodyEnd;

/// Most header lines of a head, as in hyper.
const HEADERS_MAX: usize = 100;

/// The head of a response, but for its headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Three digits.
    pub status: u16,
    /// Whether the connection takes another request afterwards.
    pub keeps_connection: bool,
    /// How the body ends.
    pub body: BodyEnd,
    /// Size of the head, the empty line included; bytes.
    pub length: usize,
}

impl Head {
    /// Whether another response to the same request follows (RFC 9110, section 15.2). Not so after 101: there another
    /// protocol begins.
    pub fn is_interim(&self) -> bool {
        (100..200).contains(&self.status) && !self.changes_protocol()
    }

    /// Whether what follows is another protocol's (101 Switching Protocols).
    pub fn changes_protocol(&self) -> bool {
        self.status == 101
    }
}

/// Reads a head from the beginning of `bytes`; none where it is not complete.
///
/// `to_head` says that the request's method was HEAD, whose responses have no body. `on_header` is given each header as
/// a name in the case in which it came and a value, both pieces of `bytes`; also where an error is returned then.
///
/// # Errors
///
/// Where the bytes are no head, or say of the body's length what cannot be.
pub fn read_head<'bytes>(
    bytes: &'bytes [u8],
    to_head: bool,
    mut on_header: impl FnMut(&'bytes str, &'bytes [u8]),
) -> Result<Option<Head>, Malformed> {
    let mut headers = [const { MaybeUninit::uninit() }; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut []);
    let parsed = httparse::ParserConfig::default().parse_response_with_uninit_headers(
        &mut response,
        bytes,
        &mut headers,
    );
    let length = match parsed {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(Malformed),
    };
    let status = response.code.ok_or(Malformed)?;
    let is_http_11 = response.version == Some(1);
    let mut keeps_connection = is_http_11;
    let mut content_length = None;
    let mut ends_chunked = None;
    for header in response.headers.iter() {
        // Names differ in length, which spares comparing most of them.
        match header.name.len() {
            10 if header.name.eq_ignore_ascii_case("connection") => {
                if has_token(header.value, b"close") {
                    keeps_connection = false;
                } else if has_token(header.value, b"keep-alive") {
                    keeps_connection = true;
                }
            }
            14 if header.name.eq_ignore_ascii_case("content-length") => {
                let length = decimal(header.value).ok_or(Malformed)?;
                if content_length.is_some_and(|other| other != length) {
                    return Err(Malformed);
                }
                content_length = Some(length);
            }
            17 if header.name.eq_ignore_ascii_case("transfer-encoding") => {
                ends_chunked = Some(is_last_token(header.value, b"chunked"));
            }
            _ => {}
        }
        on_header(header.name, header.value);
    }
    let body = match (ends_chunked, content_length) {
        _ if to_head || status < 200 || matches!(status, 204 | 304) => BodyEnd::Length(0),
        (Some(true), _) => BodyEnd::chunked(),
        (None, Some(length)) => BodyEnd::Length(length),
        (Some(false), _) | (None, None) => BodyEnd::Close,
    };
    // A length beside chunks may be an attempt to be read in two ways, and HTTP/1.0 knows no chunks: what comes after
    // such a response is not trusted (RFC 9112, sections 6.1 and 6.3).
    let is_ambiguous = ends_chunked.is_some() && (content_length.is_some() || !is_http_11);
    keeps_connection &= body != BodyEnd::Close && !is_ambiguous && status != 101;
    Ok(Some(Head { status, keeps_connection, body, length }))
}

fn tokens(value: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii)
}

fn has_token(value: &[u8], token: &[u8]) -> bool {
    tokens(value).any(|item| item.eq_ignore_ascii_case(token))
}

fn is_last_token(value: &[u8], token: &[u8]) -> bool {
    tokens(value).next_back().is_some_and(|item| item.eq_ignore_ascii_case(token))
}

fn decimal(value: &[u8]) -> Option<u64> {
    let digits = value.trim_ascii();
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, byte| {
        byte.is_ascii_digit().then(|| value.checked_mul(10)?.checked_add(u64::from(byte - b'0'))).flatten()
    })
}

#[cfg(test)]
mod tests {
    use std::format;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Option<Head>, Malformed> {
        read_head(text.as_bytes(), false, |_, _| {})
    }

    fn head(text: &str) -> Head {
        read(text).expect("it is a response").expect("it is complete")
    }

    #[test]
    fn a_head_ends_where_the_body_begins() {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
        let expected =
            Head { status: 200, keeps_connection: true, body: BodyEnd::Length(5), length: text.len() };
        assert_eq!(head(&format!("{text}hello")), expected);
    }

    #[test]
    fn each_header_is_told_as_it_came() {
        let bytes = b"HTTP/1.1 200 OK\r\nX-One: 1\r\nx-two:  two \r\n\r\n";
        let mut headers = Vec::new();
        assert!(read_head(bytes, false, |name, value| headers.push((name, value))).is_ok());
        assert_eq!(headers, [("X-One", b"1".as_slice()), ("x-two", b"two".as_slice())]);
    }

    #[test]
    fn a_head_that_is_not_complete_is_none() {
        assert_eq!(read("HTTP/1.1 200 OK\r\ncontent-le"), Ok(None));
        assert_eq!(read(""), Ok(None));
    }

    #[test]
    fn a_connection_is_kept_as_its_version_and_header_say() {
        let keeps = |version: &str, connection: &str| {
            head(&format!("{version} 200 OK\r\ncontent-length: 0\r\n{connection}\r\n")).keeps_connection
        };
        assert!(keeps("HTTP/1.1", ""));
        assert!(!keeps("HTTP/1.1", "connection: Close\r\n"));
        assert!(!keeps("HTTP/1.1", "connection: upgrade, close\r\n"));
        assert!(!keeps("HTTP/1.0", ""));
        assert!(keeps("HTTP/1.0", "connection: keep-alive\r\n"));
        assert!(!keeps("HTTP/1.1", "transfer-encoding: chunked\r\n"), "both a length and chunks");
        assert!(!keeps("HTTP/1.0", "connection: keep-alive\r\ntransfer-encoding: chunked\r\n"));
    }

    #[test]
    fn a_body_ends_as_the_standard_says() {
        let body = |status: &str, headers: &str| head(&format!("HTTP/1.1 {status} X\r\n{headers}\r\n")).body;
        assert_eq!(body("200", "content-length: 7\r\ncontent-length: 7\r\n"), BodyEnd::Length(7));
        assert_eq!(body("200", ""), BodyEnd::Close);
        assert_eq!(body("204", ""), BodyEnd::Length(0));
        assert_eq!(body("304", "content-length: 7\r\n"), BodyEnd::Length(0));
        assert_eq!(body("100", ""), BodyEnd::Length(0));
        assert_eq!(body("200", "transfer-encoding: chunked\r\ncontent-length: 7\r\n"), BodyEnd::chunked());
        assert_eq!(body("200", "transfer-encoding: gzip, Chunked\r\n"), BodyEnd::chunked());
        assert_eq!(body("200", "transfer-encoding: gzip\r\n"), BodyEnd::Close);
        assert_eq!(body("200", "transfer-encoding: chunked, gzip\r\n"), BodyEnd::Close);
        let to_head = read_head(b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n", true, |_, _| {});
        assert_eq!(to_head.expect("a response").expect("complete").body, BodyEnd::Length(0));
    }

    #[test]
    fn what_follows_a_head_depends_on_its_status() {
        let of = |status: u16| head(&format!("HTTP/1.1 {status} X\r\n\r\n"));
        assert!(
            of(100).is_interim() && of(103).is_interim() && !of(101).is_interim() && !of(200).is_interim()
        );
        assert!(of(101).changes_protocol() && !of(101).keeps_connection && !of(100).changes_protocol());
    }

    #[test]
    fn what_is_no_response_is_malformed() {
        for text in [
            "SSH-2.0-OpenSSH_9.2\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: +1\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length:\r\n\r\n",
        ] {
            assert_eq!(read(text), Err(Malformed), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), to_head: bool) {
            let _ = read_head(&bytes, to_head, |_, _| {});
        }
    }
}
