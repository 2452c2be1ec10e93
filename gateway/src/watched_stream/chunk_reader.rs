//! Finds the end of a request's chunked body, and takes no other line end than CR LF.
//!
//! RFC 9112, section 7.1, has CR LF behind each size and each piece of data. A reader that takes a bare LF there ends the
//! body elsewhere than one that does not, and what lies between is a request to one of them and data to the other.

/// Bytes that cannot stand where they do in a chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// How far a chunked body was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChunkReader {
    /// In a size, of which at least a digit was seen or not.
    Size { value: u64, digits: bool },
    /// In what follows the size on its line.
    Extension { value: u64 },
    /// Behind the CR of that line.
    SizeEnd { value: u64 },
    /// In the data, of which so many bytes are missing.
    Data { left: u64 },
    /// Behind the data, whose line end is due.
    DataEnd,
    /// Behind the CR of that line end.
    DataLineFeed,
    /// In a line behind the last chunk, of which something was seen or not.
    Trailer { empty: bool },
    /// Behind the CR of such a line.
    TrailerEnd { empty: bool },
}

impl ChunkReader {
    pub(super) fn new() -> Self {
        Self::Size { value: 0, digits: false }
    }

    /// Reads on. Returns the bytes that belong to the body, where it ends among these; nothing where it goes on.
    ///
    /// # Errors
    /// At the first byte that is wrong, with the number of bytes before it.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<Option<usize>, (usize, Malformed)> {
        let mut position = 0;
        while let Some(&byte) = bytes.get(position) {
            if let Self::Data { left } = *self {
                let available = bytes.len() - position;
                let taken = usize::try_from(left).unwrap_or(usize::MAX).min(available);
                position += taken;
                *self = match left - taken as u64 {
                    0 => Self::DataEnd,
                    left => Self::Data { left },
                };
                continue;
            }
            match self.next(byte).map_err(|malformed| (position, malformed))? {
                Some(next) => *self = next,
                None => return Ok(Some(position + 1)),
            }
            position += 1;
        }
        Ok(None)
    }

    /// What follows a byte that is not data; nothing after the last one.
    fn next(self, byte: u8) -> Result<Option<Self>, Malformed> {
        Ok(Some(match (self, byte) {
            (Self::Size { value, .. }, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = char::from(byte).to_digit(16).ok_or(Malformed)?;
                let value = value.checked_mul(16).ok_or(Malformed)? + u64::from(digit);
                Self::Size { value, digits: true }
            }
            (Self::Size { value, digits: true } | Self::Extension { value }, b'\r') => {
                Self::SizeEnd { value }
            }
            (Self::Size { value, digits: true }, b';' | b' ' | b'\t') => Self::Extension { value },
            (Self::Extension { value }, byte) if byte != b'\n' => Self::Extension { value },
            (Self::SizeEnd { value: 0 } | Self::TrailerEnd { empty: false }, b'\n') => {
                Self::Trailer { empty: true }
            }
            (Self::SizeEnd { value }, b'\n') => Self::Data { left: value },
            (Self::DataEnd, b'\r') => Self::DataLineFeed,
            (Self::DataLineFeed, b'\n') => Self::new(),
            (Self::Trailer { empty }, b'\r') => Self::TrailerEnd { empty },
            (Self::Trailer { .. }, byte) if byte != b'\n' => Self::Trailer { empty: false },
            (Self::TrailerEnd { empty: true }, b'\n') => return Ok(None),
            _ => return Err(Malformed),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of the body, or of what comes before the wrong one, read in pieces of so many bytes.
    fn read(text: &str, piece: usize) -> Result<Option<usize>, usize> {
        let mut reader = ChunkReader::new();
        let mut before = 0;
        for bytes in text.as_bytes().chunks(piece) {
            match reader.take(bytes) {
                Ok(Some(taken)) => return Ok(Some(before + taken)),
                Ok(None) => before += bytes.len(),
                Err((good, Malformed)) => return Err(before + good),
            }
        }
        Ok(None)
    }

    #[test]
    fn a_body_ends_where_the_standard_says() {
        for (text, end) in [
            ("0\r\n\r\n", 5),
            ("5\r\nhello\r\n0\r\n\r\nGET /", 15),
            ("5;a=b\r\nhello\r\n0\r\nx: y\r\nz: 1\r\n\r\nGET /", 31),
            ("5 \r\nhello\r\n00\r\n\r\n", 17),
            ("A\r\n0123\r\n5678\r\n0\r\n\r\n", 20),
        ] {
            for piece in 1..=text.len() {
                assert_eq!(read(text, piece), Ok(Some(end)), "{text:?} in pieces of {piece}");
            }
        }
        for text in ["5\r\nhel", "0\r\n", "0\r\nx: y\r\n", ""] {
            assert_eq!(read(text, 3), Ok(None), "{text:?}");
        }
    }

    #[test]
    fn another_line_end_than_cr_lf_and_another_size_than_hexadecimal_are_malformed() {
        for (text, good) in [
            ("zz\r\n", 0),
            ("\r\n", 0),
            ("-1\r\n", 0),
            ("0x5\r\nhello", 1),
            ("5\nhello", 1),
            ("5\r5hello", 2),
            ("5;a\nhello\r\n", 3),
            ("5\r\nhello!", 8),
            ("5\r\nhello\n0\r\n\r\n", 8),
            ("5\r\nhello\r0", 9),
            ("0\r\n\n", 3),
            ("0\r\nx: y\n\r\n", 7),
            ("0\r\nx: y\rz", 8),
            ("fffffffffffffffff\r\n", 16),
        ] {
            for piece in 1..=text.len() {
                assert_eq!(read(text, piece), Err(good), "{text:?} in pieces of {piece}");
            }
        }
    }
}
