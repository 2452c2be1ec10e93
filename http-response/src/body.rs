//! Finds the data in a response's body, and its end (RFC 9112, sections 6 and 7).

use core::ops::Range;

use crate::Malformed;

/// How the rest of a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyEnd {
    /// After this many bytes.
    Length(u64),
    /// With an empty chunk.
    Chunked(Chunk),
    /// With the connection.
    Close,
}

/// Where a chunked body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunk {
    /// In the size, of which at least a digit was seen or not.
    Size {
        /// As far as it was read.
        value: u64,
        /// Whether there was a digit.
        digits: bool,
    },
    /// In what follows the size on its line.
    Extension {
        /// The size.
        value: u64,
    },
    /// In the data.
    Data {
        /// Bytes that are missing.
        left: u64,
    },
    /// In the end of line behind the data.
    DataEnd,
    /// In a line behind the last chunk, of which something was seen or not.
    Trailer {
        /// Whether nothing was seen of it.
        empty: bool,
    },
}

/// What the beginning of some bytes was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Where the body's data is, in these bytes; at most one run
    pub data: Range<usize>,
    /// Bytes that belong to the body, from the first one. What follows is the next piece, unless the body is complete.
    pub taken: usize,
    /// Whether the body ends there.
    pub complete: bool,
}

impl BodyEnd {
    /// A chunked body from its beginning.
    pub fn chunked() -> Self {
        Self::Chunked(Chunk::Size { value: 0, digits: false })
    }

    /// Takes the next piece of the body from the beginning of `bytes`. A piece holds one run of data at most.
    ///
    /// # Errors
    ///
    /// Where a chunk has no size, or more than its size.
    pub fn take(&mut self, bytes: &[u8]) -> Result<Piece, Malformed> {
        match self {
            Self::Close => Ok(Piece { data: 0..bytes.len(), taken: bytes.len(), complete: false }),
            Self::Length(left) => {
                let taken = taken_of(*left, bytes.len());
                *left -= taken as u64;
                Ok(Piece { data: 0..taken, taken, complete: *left == 0 })
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
        for (position, &byte) in bytes.iter().enumerate() {
            if let Self::Data { left } = *self {
                let end = position + taken_of(left, bytes.len() - position);
                *self = match left - (end - position) as u64 {
                    0 => Self::DataEnd,
                    left => Self::Data { left },
                };
                return Ok(Piece { data: position..end, taken: end, complete: false });
            }
            match self.next(byte)? {
                Some(next) => *self = next,
                None => return Ok(Piece { data: 0..0, taken: position + 1, complete: true }),
            }
        }
        Ok(Piece { data: 0..0, taken: bytes.len(), complete: false })
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
    use std::format;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    /// The data, the bytes taken of the last piece that was given, and whether the body is complete.
    fn take_all(mut end: BodyEnd, pieces: &[&[u8]]) -> Result<(Vec<u8>, usize, bool), Malformed> {
        let (mut data, mut taken) = (Vec::new(), 0);
        for bytes in pieces {
            taken = 0;
            while taken < bytes.len() {
                let piece = end.take(&bytes[taken..])?;
                data.extend_from_slice(&bytes[taken..][piece.data.clone()]);
                taken += piece.taken;
                if piece.complete {
                    return Ok((data, taken, true));
                }
            }
        }
        Ok((data, taken, false))
    }

    fn take_chunked(pieces: &[&[u8]]) -> Result<(Vec<u8>, usize, bool), Malformed> {
        take_all(BodyEnd::chunked(), pieces)
    }

    #[test]
    fn a_length_ends_after_so_many_bytes() {
        let taken = take_all(BodyEnd::Length(7), &[b"hello", b", world"]);
        assert_eq!(taken, Ok((b"hello, ".to_vec(), 2, true)));
        assert_eq!(take_all(BodyEnd::Length(7), &[b"hello"]), Ok((b"hello".to_vec(), 5, false)));
        let none = Piece { data: 0..0, taken: 0, complete: true };
        assert_eq!(BodyEnd::Length(0).take(b"next"), Ok(none));
    }

    #[test]
    fn what_ends_with_the_connection_is_never_complete() {
        assert_eq!(take_all(BodyEnd::Close, &[b"a", b"b"]), Ok((b"ab".to_vec(), 1, false)));
    }

    #[test]
    fn chunks_end_with_the_empty_one_and_its_trailers() {
        let hello = |taken, complete| Ok((b"hello".to_vec(), taken, complete));
        assert_eq!(take_chunked(&[b"5\r\nhello\r\n0\r\n\r\nrest"]), hello(15, true));
        assert_eq!(take_chunked(&[b"3;name=value\r\nhel\r\n2\r\nlo\r\n0\r\nx: y\r\n\r\n"]), hello(37, true));
        assert_eq!(take_chunked(&[b"0\r\n\r\n"]), Ok((Vec::new(), 5, true)));
        assert_eq!(take_chunked(&[b"5\r\nhello\r\n0\r\n"]), hello(13, false));
    }

    #[test]
    fn chunks_that_are_none_are_malformed() {
        for text in ["\r\n", "x\r\n", "-1\r\n", "1\r\nab", "fffffffffffffffff\r\n"] {
            assert_eq!(take_chunked(&[text.as_bytes()]), Err(Malformed), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_chunked_body_is_what_was_put_in_however_it_is_cut(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..6),
            cut in 1_usize..40,
        ) {
            let mut bytes = Vec::new();
            for chunk in &chunks {
                bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
                bytes.extend(chunk);
                bytes.extend(b"\r\n");
            }
            bytes.extend(b"0\r\n\r\n");
            let pieces: Vec<&[u8]> = bytes.chunks(cut).collect();
            let (data, taken, complete) = take_chunked(&pieces).expect("it is chunked");
            prop_assert!(complete && taken == pieces.last().map_or(0, |last| last.len()));
            prop_assert_eq!(data, chunks.concat());
        }

        #[test]
        fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = take_chunked(&[&bytes]);
        }
    }
}
