//! Reads along with hyper what a client sends, for what hyper settles by itself and does not tell.
//!
//! hyper takes a length beside chunks, a length that is said twice, tabs around it and a fragment behind a target, and hands
//! out a head that shows nothing of it. Servers differ in what they make of such requests, and so a gateway refuses them
//! (RFC 9112, sections 3.2 and 6.3). This reader decides nothing about a request that it finds in order: hyper's reading
//! is what is passed on.

use memchr::{memchr, memchr_iter};

use super::chunk_reader::{ChunkReader, Malformed};

const CONTENT_LENGTH: &[u8] = b"content-length";
const TRANSFER_ENCODING: &[u8] = b"transfer-encoding";
const HOST: &[u8] = b"host";

/// What is wrong with a head although hyper takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeadFlaw {
    /// A length beside a transfer coding.
    LengthBesideCoding,
    /// The length is said more than once.
    RepeatedLength,
    /// A tab around the length, the transfer coding or the host: some servers trim it, and some do not.
    Tab,
    /// A fragment behind the target.
    Fragment,
}

impl HeadFlaw {
    pub(super) const ALL: [Self; 4] =
        [Self::LengthBesideCoding, Self::RepeatedLength, Self::Tab, Self::Fragment];
}

/// Where the next byte of a connection belongs.
#[derive(Debug, PartialEq)]
enum Place {
    Head,
    Length {
        left: u64,
    },
    Chunks(ChunkReader),
    /// Not in HTTP/1.1 any more, or not in a form that is followed; hyper's reading alone counts.
    Lost,
}

/// What was seen of the head that is being read.
#[derive(Debug, Default)]
struct Seen {
    request_line: bool,
    /// A flaw of one line.
    flaw: Option<HeadFlaw>,
    lengths: u8,
    length: Option<u64>,
    coding: bool,
}

/// Follows one connection of a client.
#[derive(Debug)]
pub(super) struct HeadWatch {
    place: Place,
    seen: Seen,
    /// The beginning of a line that came in pieces.
    line: Vec<u8>,
    line_bytes_max: usize,
    /// Heads that were read to their end.
    heads: u64,
}

/// What the bytes of one reading hold.
#[derive(Debug, PartialEq)]
pub(super) struct Observed {
    /// Bytes before the first one that is wrong in a chunked body; all of them where none is.
    pub(super) good: usize,
    /// The first head with a flaw, counted from 0 over the connection.
    pub(super) flaw: Option<(u64, HeadFlaw)>,
}

impl HeadWatch {
    /// `line_bytes_max` is the longest line that is followed across readings.
    pub(super) fn new(line_bytes_max: usize) -> Self {
        Self { place: Place::Head, seen: Seen::default(), line: Vec::new(), line_bytes_max, heads: 0 }
    }

    /// Reads on.
    pub(super) fn observe(&mut self, bytes: &[u8]) -> Observed {
        let mut observed = Observed { good: bytes.len(), flaw: None };
        let mut position = 0;
        while position < bytes.len() {
            let rest = &bytes[position..];
            match &mut self.place {
                Place::Head => {
                    let (taken, flaw) = self.take_lines(rest);
                    position += taken;
                    observed.flaw = observed.flaw.or(flaw);
                }
                Place::Length { left } => {
                    let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
                    *left -= taken as u64;
                    if *left == 0 {
                        self.place = Place::Head;
                    }
                    position += taken;
                }
                Place::Chunks(reader) => match reader.take(rest) {
                    Ok(None) => break,
                    Ok(Some(taken)) => {
                        self.place = Place::Head;
                        position += taken;
                    }
                    Err((good, Malformed)) => {
                        self.place = Place::Lost;
                        observed.good = position + good;
                        break;
                    }
                },
                Place::Lost => break,
            }
        }
        observed
    }

    /// Takes lines up to the end of a head, or all. Returns the bytes that were taken, and the flaw of the head.
    fn take_lines(&mut self, bytes: &[u8]) -> (usize, Option<(u64, HeadFlaw)>) {
        let mut begin = 0;
        for end in memchr_iter(b'\n', bytes) {
            let line = &bytes[begin..end];
            begin = end + 1;
            let is_last = if self.line.is_empty() {
                self.seen.take_line(line)
            } else {
                let mut whole = std::mem::take(&mut self.line);
                whole.extend_from_slice(line);
                self.seen.take_line(&whole)
            };
            if is_last {
                return (begin, self.end_head());
            }
        }
        let rest = &bytes[begin..];
        if self.line.len() + rest.len() > self.line_bytes_max {
            self.line = Vec::new();
            self.place = Place::Lost;
        } else {
            self.line.extend_from_slice(rest);
        }
        (bytes.len(), None)
    }

    fn end_head(&mut self) -> Option<(u64, HeadFlaw)> {
        let seen = std::mem::take(&mut self.seen);
        self.place = match seen {
            Seen { coding: true, .. } => Place::Chunks(ChunkReader::new()),
            Seen { lengths: 0, .. } | Seen { length: Some(0), .. } => Place::Head,
            Seen { length: Some(left), .. } => Place::Length { left },
            Seen { length: None, .. } => Place::Lost,
        };
        let number = self.heads;
        self.heads += 1;
        seen.flaw().map(|flaw| (number, flaw))
    }
}

impl Seen {
    /// Takes a line without its LF. Returns whether it is the last one of the head.
    fn take_line(&mut self, line: &[u8]) -> bool {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !self.request_line {
            // Empty lines before a request are passed over (RFC 9112, section 2.2).
            self.request_line = !line.is_empty();
            if memchr(b'#', line).is_some() {
                self.flaw = Some(HeadFlaw::Fragment);
            }
            return false;
        }
        // By the length of the name first: most lines are none of these.
        let is = |name: &[u8]| {
            line.get(name.len()) == Some(&b':') && line[..name.len()].eq_ignore_ascii_case(name)
        };
        if is(CONTENT_LENGTH) {
            self.lengths = self.lengths.saturating_add(1);
            let value = line[CONTENT_LENGTH.len() + 1..].trim_ascii();
            self.length = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
        } else if is(TRANSFER_ENCODING) {
            self.coding = true;
        } else if !is(HOST) {
            return line.is_empty();
        }
        if memchr(b'\t', line).is_some() {
            self.flaw = Some(HeadFlaw::Tab);
        }
        false
    }

    fn flaw(&self) -> Option<HeadFlaw> {
        if self.coding && self.lengths > 0 {
            Some(HeadFlaw::LengthBesideCoding)
        } else if self.lengths > 1 {
            Some(HeadFlaw::RepeatedLength)
        } else {
            self.flaw
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The flaws of all heads in a text that comes in pieces of so many bytes, and the good bytes of it.
    fn watch(text: &str, piece: usize) -> (Vec<(u64, HeadFlaw)>, usize) {
        let mut watch = HeadWatch::new(1024);
        let (mut flaws, mut good) = (Vec::new(), 0);
        for bytes in text.as_bytes().chunks(piece) {
            let observed = watch.observe(bytes);
            flaws.extend(observed.flaw);
            good += observed.good;
            if observed.good < bytes.len() {
                break;
            }
        }
        (flaws, good)
    }

    fn flaws(text: &str) -> Vec<(u64, HeadFlaw)> {
        let whole = watch(text, text.len()).0;
        for piece in 1..text.len() {
            assert_eq!(watch(text, piece).0, whole, "{text:?} in pieces of {piece}");
        }
        whole
    }

    const NEXT: &str = "GET /next#x HTTP/1.1\r\nhost: a\r\n\r\n";

    #[test]
    fn a_flaw_is_told_with_the_number_of_its_head() {
        for (head, flaw) in [
            (
                "POST / HTTP/1.1\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n",
                HeadFlaw::LengthBesideCoding,
            ),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length:3\r\n\r\n",
                HeadFlaw::LengthBesideCoding,
            ),
            ("POST / HTTP/1.1\ncontent-length: 3\ncontent-length: 3\n\n", HeadFlaw::RepeatedLength),
            ("\r\n\r\nGET /a#b HTTP/1.1\r\n\r\n", HeadFlaw::Fragment),
            ("POST / HTTP/1.1\r\ncontent-length:\t3\r\n\r\nabc", HeadFlaw::Tab),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n", HeadFlaw::Tab),
            ("GET / HTTP/1.1\r\nHost:\ta\r\n\r\n", HeadFlaw::Tab),
        ] {
            assert_eq!(flaws(head), [(0, flaw)], "{head:?}");
            let second = format!("GET / HTTP/1.1\r\nhost: a\r\n\r\n{head}");
            assert_eq!(flaws(&second), [(1, flaw)], "{second:?}");
        }
    }

    #[test]
    fn a_body_is_no_head_and_the_next_head_is_found_behind_it() {
        for request in [
            "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
            "POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n",
            "POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\nx#\r\n\r\n#\r\n",
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5\r\n#\r\n\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: #\r\n\r\n",
        ] {
            assert_eq!(flaws(&format!("{request}{NEXT}")), [(1, HeadFlaw::Fragment)], "{request:?}");
        }
        let quoted = "POST / HTTP/1.1\r\ncontent-length: 64\r\n\r\n\
                      POST / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: c\r\n\r\n";
        assert_eq!(flaws(quoted), []);
    }

    #[test]
    fn what_is_wrong_in_a_chunked_body_is_held_back() {
        let head = "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n";
        for (body, good) in [("zz\r\n", 0), ("5\nhello", 1), ("5\r\nhello\r\n0\r\nx: y\n\nGET /evil", 17)] {
            let text = format!("{head}{body}");
            for piece in 1..=text.len() {
                assert_eq!(watch(&text, piece).1, head.len() + good, "{text:?} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn what_cannot_be_followed_is_left_to_hyper_and_takes_no_room() {
        let mut watch = HeadWatch::new(64);
        let bytes = [b'x'; 100];
        for _ in 0..3 {
            assert_eq!(watch.observe(&bytes), Observed { good: 100, flaw: None });
            assert!(watch.line.capacity() <= 128);
        }
        let mut watch = HeadWatch::new(64);
        let bad_length = b"POST / HTTP/1.1\r\ncontent-length: +5\r\n\r\n#\r\n\r\n";
        assert_eq!(watch.observe(bad_length), Observed { good: bad_length.len(), flaw: None });
    }
}
