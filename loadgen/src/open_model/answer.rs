//! Reads an HTTP/1.1 answer as far as measuring it takes: its status, where it ends, and whether the connection stays.
//!
//! Where a head ends and what is in it is `httparse`'s work, as in hyper; where a body ends follows RFC 9112, section 6.
//! The body itself is never kept.

use std::mem::MaybeUninit;

use crate::exchange::Outcome;
use crate::failure_kind::FailureKind;

/// Most header lines of a head, as in hyper.
const MOST_HEADERS: usize = 100;

/// Not an answer in HTTP/1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// The head of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// What it says about the request.
    pub(crate) outcome: Outcome,
    /// Whether another answer to the same request follows (100 Continue and the like).
    pub(crate) interim: bool,
    /// Whether the connection takes another request afterwards.
    pub(crate) keeps: bool,
    /// How the body ends.
    pub(crate) body: BodyEnd,
    /// Bytes of the head.
    pub(crate) length: usize,
}

/// How the rest of a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyEnd {
    /// After this many bytes.
    Length(u64),
    /// With an empty chunk.
    Chunked(Chunk),
    /// With the connection.
    Close,
}

/// Where a chunked body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chunk {
    /// In the size, of which at least a digit was seen or not.
    Size { value: u64, digits: bool },
    /// In what follows the size on its line.
    Extension { value: u64 },
    /// In the data.
    Data { left: u64 },
    /// In the end of line behind the data.
    DataEnd,
    /// In a line behind the last chunk, of which something was seen or not.
    Trailer { empty: bool },
}

/// What a piece of a body was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// All of it belongs to the body, and more follows.
    More,
    /// The body ends after this many bytes of it.
    Complete(usize),
}

/// Reads a head from the beginning of `bytes`; none where it is not complete.
pub(crate) fn read_head(bytes: &[u8], to_head: bool) -> Result<Option<Head>, Malformed> {
    let mut headers = [const { MaybeUninit::uninit() }; MOST_HEADERS];
    let mut answer = httparse::Response::new(&mut []);
    let parsed = httparse::ParserConfig::default().parse_response_with_uninit_headers(
        &mut answer,
        bytes,
        &mut headers,
    );
    let length = match parsed {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(Malformed),
    };
    let status = answer.code.ok_or(Malformed)?;
    let mut keeps = answer.version == Some(1);
    let mut content_length = None;
    let mut transfer_encoding = None;
    let mut retry_after = false;
    for header in answer.headers.iter() {
        // Names differ in length, which spares comparing most of them.
        match header.name.len() {
            10 if header.name.eq_ignore_ascii_case("connection") => {
                if has_token(header.value, b"close") {
                    keeps = false;
                } else if has_token(header.value, b"keep-alive") {
                    keeps = true;
                }
            }
            11 if header.name.eq_ignore_ascii_case("retry-after") => retry_after = true,
            14 if header.name.eq_ignore_ascii_case("content-length") => {
                let length = decimal(header.value).ok_or(Malformed)?;
                if content_length.is_some_and(|other| other != length) {
                    return Err(Malformed);
                }
                content_length = Some(length);
            }
            17 if header.name.eq_ignore_ascii_case("transfer-encoding") => {
                transfer_encoding = Some(has_token(header.value, b"chunked"));
            }
            _ => {}
        }
    }
    let interim = (100..200).contains(&status);
    let body = match (transfer_encoding, content_length) {
        _ if to_head || interim || matches!(status, 204 | 304) => BodyEnd::Length(0),
        (Some(true), _) => BodyEnd::Chunked(Chunk::Size { value: 0, digits: false }),
        (None, Some(length)) => BodyEnd::Length(length),
        (Some(false), _) | (None, None) => BodyEnd::Close,
    };
    keeps &= body != BodyEnd::Close;
    Ok(Some(Head { outcome: judge(status, retry_after), interim, keeps, body, length }))
}

fn judge(status: u16, retry_after: bool) -> Outcome {
    match status {
        200..300 => Outcome::Succeeded,
        503 if retry_after => Outcome::Refused,
        _ => Outcome::Failed(FailureKind::Status(status)),
    }
}

fn has_token(value: &[u8], token: &[u8]) -> bool {
    value.split(|&byte| byte == b',').any(|item| item.trim_ascii().eq_ignore_ascii_case(token))
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

impl BodyEnd {
    /// Takes the next piece of the body.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<Piece, Malformed> {
        match self {
            Self::Close => Ok(Piece::More),
            Self::Length(left) => {
                let taken = taken_of(*left, bytes.len());
                *left -= taken as u64;
                Ok(if *left == 0 { Piece::Complete(taken) } else { Piece::More })
            }
            Self::Chunked(chunk) => chunk.take(bytes),
        }
    }
}

/// How many of `available` bytes belong to something of which `left` are missing.
fn taken_of(left: u64, available: usize) -> usize {
    usize::try_from(left).unwrap_or(usize::MAX).min(available)
}

impl Chunk {
    fn take(&mut self, bytes: &[u8]) -> Result<Piece, Malformed> {
        let mut position = 0;
        while let Some(&byte) = bytes.get(position) {
            *self = match *self {
                Self::Data { left } => {
                    let taken = taken_of(left, bytes.len() - position);
                    position += taken;
                    match left - taken as u64 {
                        0 => Self::DataEnd,
                        left => Self::Data { left },
                    }
                }
                state => {
                    position += 1;
                    match state.next(byte)? {
                        Some(next) => next,
                        None => return Ok(Piece::Complete(position)),
                    }
                }
            };
        }
        Ok(Piece::More)
    }

    /// What follows a byte that is no data; none after the last one. A carriage return may be missing, as RFC 9112,
    /// section 2.2, allows readers to accept.
    fn next(self, byte: u8) -> Result<Option<Self>, Malformed> {
        let after_size =
            |value| if value == 0 { Self::Trailer { empty: true } } else { Self::Data { left: value } };
        Ok(Some(match (self, byte) {
            (Self::Size { value, .. }, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = char::from(byte).to_digit(16).ok_or(Malformed)?;
                let value = value.checked_mul(16).ok_or(Malformed)? + u64::from(digit);
                Self::Size { value, digits: true }
            }
            (Self::Size { value, digits: true } | Self::Extension { value }, b'\n') => after_size(value),
            (Self::Size { value, digits: true }, b'\r' | b';' | b' ' | b'\t')
            | (Self::Extension { value }, _) => Self::Extension { value },
            (Self::DataEnd, b'\r') => Self::DataEnd,
            (Self::DataEnd, b'\n') => Self::Size { value: 0, digits: false },
            (Self::Trailer { empty: true }, b'\n') => return Ok(None),
            (Self::Trailer { .. }, b'\n') => Self::Trailer { empty: true },
            (Self::Trailer { empty }, b'\r') => Self::Trailer { empty },
            (Self::Trailer { .. }, _) => Self::Trailer { empty: false },
            _ => return Err(Malformed),
        }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn head(text: &str) -> Head {
        read_head(text.as_bytes(), false).expect("it is an answer").expect("it is complete")
    }

    #[test]
    fn an_answer_with_a_length_keeps_the_connection() {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
        let expected = Head {
            outcome: Outcome::Succeeded,
            interim: false,
            keeps: true,
            body: BodyEnd::Length(5),
            length: text.len(),
        };
        assert_eq!(head(&format!("{text}hello")), expected);
    }

    #[test]
    fn a_head_that_is_not_complete_is_none() {
        assert_eq!(read_head(b"HTTP/1.1 200 OK\r\ncontent-le", false), Ok(None));
        assert_eq!(read_head(b"", false), Ok(None));
    }

    #[test]
    fn a_connection_is_kept_as_its_version_and_header_say() {
        let keeps = |version: &str, connection: &str| {
            head(&format!("{version} 200 OK\r\ncontent-length: 0\r\n{connection}\r\n")).keeps
        };
        assert!(keeps("HTTP/1.1", ""));
        assert!(!keeps("HTTP/1.1", "connection: Close\r\n"));
        assert!(!keeps("HTTP/1.1", "connection: upgrade, close\r\n"));
        assert!(!keeps("HTTP/1.0", ""));
        assert!(keeps("HTTP/1.0", "connection: keep-alive\r\n"));
    }

    #[test]
    fn a_body_ends_as_the_standard_says() {
        let body = |status: &str, headers: &str| head(&format!("HTTP/1.1 {status} X\r\n{headers}\r\n")).body;
        assert_eq!(body("200", "content-length: 7\r\ncontent-length: 7\r\n"), BodyEnd::Length(7));
        assert_eq!(body("200", ""), BodyEnd::Close);
        assert_eq!(body("204", ""), BodyEnd::Length(0));
        assert_eq!(body("304", "content-length: 7\r\n"), BodyEnd::Length(0));
        assert_eq!(body("100", ""), BodyEnd::Length(0));
        let chunked = BodyEnd::Chunked(Chunk::Size { value: 0, digits: false });
        assert_eq!(body("200", "transfer-encoding: chunked\r\ncontent-length: 7\r\n"), chunked);
        assert_eq!(body("200", "transfer-encoding: gzip, Chunked\r\n"), chunked);
        assert_eq!(body("200", "transfer-encoding: gzip\r\n"), BodyEnd::Close);
        let to_head = read_head(b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n", true);
        assert_eq!(to_head.expect("an answer").expect("complete").body, BodyEnd::Length(0));
    }

    #[test]
    fn a_refusal_is_503_with_retry_after() {
        let outcome = |text: &str| head(text).outcome;
        assert_eq!(outcome("HTTP/1.1 503 X\r\nRetry-After: 1\r\n\r\n"), Outcome::Refused);
        assert_eq!(outcome("HTTP/1.1 503 X\r\n\r\n"), Outcome::Failed(FailureKind::Status(503)));
        assert_eq!(outcome("HTTP/1.1 301 X\r\n\r\n"), Outcome::Failed(FailureKind::Status(301)));
    }

    #[test]
    fn what_is_no_answer_is_malformed() {
        for text in [
            "SSH-2.0-OpenSSH_9.2\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: +1\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length:\r\n\r\n",
        ] {
            assert_eq!(read_head(text.as_bytes(), false), Err(Malformed), "{text:?}");
        }
    }

    fn take_chunked(pieces: &[&[u8]]) -> Result<Piece, Malformed> {
        let mut body = BodyEnd::Chunked(Chunk::Size { value: 0, digits: false });
        let mut last = Ok(Piece::More);
        for piece in pieces {
            last = body.take(piece);
        }
        last
    }

    #[test]
    fn chunks_end_with_the_empty_one_and_its_trailers() {
        assert_eq!(take_chunked(&[b"5\r\nhello\r\n0\r\n\r\nrest"]), Ok(Piece::Complete(15)));
        assert_eq!(
            take_chunked(&[b"A;name=value\r\n0123456789\r\n0\r\nx: y\r\n\r\n"]),
            Ok(Piece::Complete(37))
        );
        assert_eq!(take_chunked(&[b"0\r\n\r\n"]), Ok(Piece::Complete(5)));
        assert_eq!(take_chunked(&[b"5\r\nhello\r\n0\r\n"]), Ok(Piece::More));
    }

    #[test]
    fn chunks_that_are_none_are_malformed() {
        for text in ["\r\n", "x\r\n", "-1\r\n", "1\r\nab", "fffffffffffffffff\r\n"] {
            assert_eq!(take_chunked(&[text.as_bytes()]), Err(Malformed), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_chunked_body_ends_at_its_end_however_it_is_cut(
            sizes in prop::collection::vec(1_usize..300, 0..6),
            cut in 1_usize..40,
        ) {
            let mut bytes = Vec::new();
            for size in sizes {
                bytes.extend(format!("{size:x}\r\n").bytes());
                bytes.extend(std::iter::repeat_n(b'0', size));
                bytes.extend(b"\r\n");
            }
            bytes.extend(b"0\r\n\r\n");
            let pieces: Vec<&[u8]> = bytes.chunks(cut).collect();
            let mut body = BodyEnd::Chunked(Chunk::Size { value: 0, digits: false });
            for (index, piece) in pieces.iter().enumerate() {
                let expected = if index + 1 == pieces.len() { Piece::Complete(piece.len()) } else { Piece::More };
                prop_assert_eq!(body.take(piece), Ok(expected));
            }
        }

        #[test]
        fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), to_head: bool) {
            let _ = read_head(&bytes, to_head);
            let _ = take_chunked(&[&bytes]);
        }
    }
}
