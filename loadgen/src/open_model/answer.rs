//! Takes in an HTTP/1.1 answer as far as measuring it goes: what it says, where it ends, and whether its connection stays.
//!
//! The body itself is never kept.

use http_response::{BodyEnd, Malformed, read_head};
use loadgen_baseline::RequestOutcome;

/// An answer whose head was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// What it says about the request.
    pub(crate) outcome: RequestOutcome,
    /// Three digits.
    pub(crate) status: u16,
    /// Whether the connection takes another request afterwards.
    pub(crate) keeps_connection: bool,
    /// How the rest of the body ends.
    body: BodyEnd,
}

impl Answer {
    /// Reads the head at the beginning of `bytes`, those of interim answers before it skipped; returns the answer and the
    /// bytes of the heads, or none where they are not complete.
    pub(crate) fn read(bytes: &[u8], to_head: bool) -> Result<Option<(Self, usize)>, Malformed> {
        let mut position = 0;
        loop {
            let mut retry_after = false;
            let on_header = |name: &str, _: &[u8]| retry_after |= name.eq_ignore_ascii_case("retry-after");
            let Some(head) = read_head(&bytes[position..], to_head, on_header)? else { return Ok(None) };
            position += head.length;
            if !head.is_interim() {
                let outcome = judge(head.status, retry_after);
                let answer = Self {
                    outcome,
                    status: head.status,
                    keeps_connection: head.keeps_connection,
                    body: head.body,
                };
                return Ok(Some((answer, position)));
            }
        }
    }

    /// The `Location` of the answer whose head, after those of interim answers, is at the beginning of `bytes`. Read apart,
    /// so that only a redirect pays for it.
    pub(crate) fn location(bytes: &[u8]) -> Option<Vec<u8>> {
        let mut position = 0;
        loop {
            let mut location = None;
            let on_header = |name: &str, value: &[u8]| {
                if location.is_none() && name.eq_ignore_ascii_case("location") {
                    location = Some(value.to_vec());
                }
            };
            let head = read_head(&bytes[position..], false, on_header).ok()??;
            if !head.is_interim() {
                return location;
            }
            position += head.length;
        }
    }

    /// Takes bytes of the body; says how many of them, where it ends there.
    pub(crate) fn take_body(&mut self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        let mut position = 0;
        loop {
            let piece = self.body.take(&bytes[position..])?;
            position += piece.taken;
            if piece.complete {
                return Ok(Some(position));
            }
            if position == bytes.len() {
                return Ok(None);
            }
        }
    }

    /// Whether the end of the connection is the end of the answer.
    pub(crate) fn ends_with_connection(&self) -> bool {
        self.body == BodyEnd::Close
    }
}

fn judge(status: u16, retry_after: bool) -> RequestOutcome {
    match status {
        200..300 => RequestOutcome::Succeeded,
        _ => RequestOutcome::of_wrong_status(status, retry_after),
    }
}

#[cfg(test)]
mod tests {
    use loadgen_baseline::FailureKind;

    use super::*;

    fn answer(text: &str) -> (Answer, usize) {
        Answer::read(text.as_bytes(), false).expect("it is an answer").expect("it is complete")
    }

    #[test]
    fn a_refusal_is_503_with_retry_after() {
        let outcome = |text: &str| answer(text).0.outcome;
        assert_eq!(outcome("HTTP/1.1 200 X\r\n\r\n"), RequestOutcome::Succeeded);
        assert_eq!(outcome("HTTP/1.1 503 X\r\nRetry-After: 1\r\n\r\n"), RequestOutcome::Refused);
        assert_eq!(outcome("HTTP/1.1 503 X\r\n\r\n"), RequestOutcome::Failed(FailureKind::Status(503)));
        assert_eq!(outcome("HTTP/1.1 301 X\r\n\r\n"), RequestOutcome::Failed(FailureKind::Status(301)));
        assert_eq!(outcome("HTTP/1.1 101 X\r\n\r\n"), RequestOutcome::Failed(FailureKind::Status(101)));
    }

    #[test]
    fn interim_answers_are_skipped() {
        let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n";
        assert_eq!(Answer::read(interim.as_bytes(), false), Ok(None));
        let text = format!("{interim}HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n");
        let (mut answer, length) = answer(&text);
        assert_eq!((answer.outcome, length), (RequestOutcome::Succeeded, text.len()));
        assert_eq!(answer.take_body(b"okHTTP"), Ok(Some(2)));
    }

    #[test]
    fn a_body_in_chunks_is_taken_to_its_end() {
        let (mut answer, _) = answer("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
        assert_eq!(answer.take_body(b"2\r\nok\r\n1\r\n"), Ok(None));
        assert_eq!(answer.take_body(b""), Ok(None));
        assert_eq!(answer.take_body(b"!\r\n0\r\n\r\n"), Ok(Some(8)));
    }

    #[test]
    fn an_empty_body_ends_at_once() {
        let (mut answer, _) = answer("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        assert_eq!(answer.take_body(b""), Ok(Some(0)));
    }
}
