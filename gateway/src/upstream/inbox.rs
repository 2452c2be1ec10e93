//! What has been read of an answer: its head, and its body as it comes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use http_response::{BodyEnd, Head, Malformed, read_head};
use tokio::net::TcpStream;
use tokio_util::io::poll_read_buf;

/// Room that is made for reading a head; most answers fit as a whole.
const HEAD_READ_BYTES: usize = 8 * 1024;

/// Room that is made for reading on in a body.
const BODY_READ_BYTES: usize = 64 * 1024;

/// Longest head; bytes.
const HEAD_BYTES_MAX: usize = 256 * 1024;

/// Headers that there is room for at once.
const USUAL_HEADERS: usize = 12;

/// One answer on its way in.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    /// Room for reading, and the beginning of a head that came in pieces.
    room: BytesMut,
    /// What was read of the body and not yet taken.
    unread: Bytes,
    /// How the rest of the body ends; nothing once it has.
    body: Option<BodyEnd>,
    to_head: bool,
    keeps_connection: bool,
    /// Whether a byte came since the request was sent.
    begun: bool,
}

impl Inbox {
    /// Begins anew: the next bytes are an answer. `to_head` says that its request was a HEAD.
    pub(super) fn expect_answer(&mut self, to_head: bool) {
        self.unread = Bytes::new();
        self.to_head = to_head;
        self.keeps_connection = false;
        self.begun = false;
    }

    /// Whether a byte came of the answer that is expected.
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Reads until the head of the answer is complete; interim ones before it are dropped.
    pub(super) fn poll_head(
        &mut self,
        stream: &mut TcpStream,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<Response<()>>> {
        loop {
            if let Some(response) = self.take_head()? {
                return Poll::Ready(Ok(response));
            }
            if self.room.len() > HEAD_BYTES_MAX {
                return Poll::Ready(Err(malformed()));
            }
            self.room.reserve(HEAD_READ_BYTES);
            if ready!(poll_read_buf(Pin::new(&mut *stream), context, &mut self.room))? == 0 {
                return Poll::Ready(Err(ended_early()));
            }
            self.begun = true;
        }
    }

    fn take_head(&mut self) -> io::Result<Option<Response<()>>> {
        let mut bytes = self.room.split().freeze();
        while !bytes.is_empty() {
            let mut response = Response::new(());
            let mut is_valid = true;
            let headers = response.headers_mut();
            headers.reserve(USUAL_HEADERS);
            let on_header = |name: &str, value: &[u8]| is_valid &= take_header(headers, name, &bytes, value);
            let Some(head) = read_head(&bytes, self.to_head, on_header).map_err(|Malformed| malformed())?
            else {
                self.room = BytesMut::from(bytes);
                return Ok(None);
            };
            bytes.advance(head.length);
            if head.is_interim() {
                continue;
            }
            *response.status_mut() = StatusCode::from_u16(head.status).map_err(|_| malformed())?;
            if !is_valid {
                return Err(malformed());
            }
            if matches!(head.body, BodyEnd::Chunked(_) | BodyEnd::Close)
                && has_other_coding(response.headers())
            {
                return Err(malformed());
            }
            self.begin_body(&head, response.headers_mut(), bytes);
            return Ok(Some(response));
        }
        Ok(None)
    }

    fn begin_body(&mut self, head: &Head, headers: &mut HeaderMap, unread: Bytes) {
        match head.body {
            // The chunks or the connection say where the body ends; a length beside that would be a second opinion.
            BodyEnd::Chunked(_) | BodyEnd::Close => drop(headers.remove(header::CONTENT_LENGTH)),
            // Said twice, it was the same both times, and once is enough.
            BodyEnd::Length(_) => {
                if let header::Entry::Occupied(mut length) = headers.entry(header::CONTENT_LENGTH)
                    && length.iter().nth(1).is_some()
                {
                    let first = length.get().clone();
                    length.insert(first);
                }
            }
        }
        self.body = (head.body != BodyEnd::Length(0)).then_some(head.body);
        self.keeps_connection = head.keeps_connection;
        self.unread = unread;
    }

    /// The whole body, where it has come already and in one piece.
    pub(super) fn take_whole_body(&mut self) -> Option<Bytes> {
        match self.body {
            None => Some(Bytes::new()),
            Some(BodyEnd::Length(length)) => {
                let length = usize::try_from(length).ok().filter(|&length| length <= self.unread.len())?;
                self.body = None;
                Some(self.unread.split_to(length))
            }
            Some(_) => None,
        }
    }

    /// Reads on in the body; nothing at its end.
    pub(super) fn poll_data(
        &mut self,
        stream: &mut TcpStream,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Bytes>>> {
        loop {
            let Some(end) = &mut self.body else { return Poll::Ready(None) };
            if self.unread.is_empty() {
                self.room.reserve(BODY_READ_BYTES);
                if ready!(poll_read_buf(Pin::new(&mut *stream), context, &mut self.room))? == 0 {
                    let is_end = *end == BodyEnd::Close;
                    self.body = None;
                    return Poll::Ready((!is_end).then(|| Err(ended_early())));
                }
                self.unread = self.room.split().freeze();
            }
            let piece = end.take(&self.unread).map_err(|Malformed| malformed())?;
            let data = self.unread.slice(piece.data);
            self.unread.advance(piece.taken);
            if piece.complete {
                self.body = None;
            }
            if !data.is_empty() {
                return Poll::Ready(Some(Ok(data)));
            }
        }
    }

    /// Whether the body has been read to its end.
    pub(super) fn is_complete(&self) -> bool {
        self.body.is_none()
    }

    /// Whether another answer can follow: nothing came that was not asked for.
    pub(super) fn is_reusable(&self) -> bool {
        self.body.is_none() && self.unread.is_empty() && self.keeps_connection
    }

    /// What was read and not taken.
    pub(super) fn into_unread(self) -> Bytes {
        self.unread
    }
}

/// Takes a header whose value lies in `bytes`, and returns whether it is one.
fn take_header(headers: &mut HeaderMap, name: &str, bytes: &Bytes, value: &[u8]) -> bool {
    let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { return false };
    let Ok(value) = HeaderValue::from_maybe_shared(bytes.slice_ref(value)) else { return false };
    headers.try_append(name, value).is_ok()
}

/// Whether a body has a transfer coding that is not undone here. Without the line that names it, which ends at the
/// gateway, a client could not undo it either.
fn has_other_coding(headers: &HeaderMap) -> bool {
    headers.get_all(header::TRANSFER_ENCODING).iter().any(|value| {
        let mut codings = value.as_bytes().split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
        codings.any(|coding| {
            ![&b"chunked"[..], b"identity", b""].iter().any(|known| coding.eq_ignore_ascii_case(known))
        })
    })
}

/// Whether an answer could not be read because its bytes are not one.
pub(super) fn is_malformed(problem: &io::Error) -> bool {
    // The stream itself has no such errors.
    problem.kind() == io::ErrorKind::InvalidData
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, Malformed)
}

fn ended_early() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the connection ended before the answer did")
}
