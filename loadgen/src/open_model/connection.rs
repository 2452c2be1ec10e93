//! One kept connection: sends a request, takes the answer to its last byte, and throws it away.
//!
//! An exchange costs one write and one read of the system and no memory: the request is written as bytes that were made
//! beforehand, and all connections of a thread read into the same buffer.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use http_response::Malformed;
use loadgen_baseline::RequestOutcome;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::open_model::answer::Answer;
use crate::open_model::target::EncodedRequest;
use crate::redirect::is_redirect;
use crate::stream::Stream;

/// Bytes that are read at a time.
const BUFFER_BYTES: usize = 64 * 1_024;

/// Longest head.
const MOST_HEAD_BYTES: usize = 256 * 1_024;

/// What all connections of a thread read into, one at a time.
#[derive(Clone, Debug)]
pub(crate) struct SharedBuffer(Rc<RefCell<Box<[u8]>>>);

impl SharedBuffer {
    pub(crate) fn new() -> Self {
        Self(Rc::new(RefCell::new(vec![0; BUFFER_BYTES].into_boxed_slice())))
    }
}

/// A connection that takes one request after the other.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: Stream,
    buffer: SharedBuffer,
    reusable: bool,
    /// Whether it has brought an answer before.
    has_served: bool,
}

/// An answer that came to its last byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) outcome: RequestOutcome,
    pub(crate) status: u16,
    /// Where it redirects to, if it does.
    pub(crate) location: Option<Vec<u8>>,
}

/// Why there was no complete answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// The connection ended before the first byte of the answer.
    BeforeFirstByte,
    /// The connection ended within the answer.
    BrokeOff,
    /// What came is not an answer in HTTP/1.
    NotHttp,
}

/// How far an exchange is.
struct Exchange<'a> {
    request: &'a EncodedRequest,
    written: usize,
    flushed: bool,
    /// The beginning of a head that came in pieces.
    partial: Vec<u8>,
    answer: Option<Answer>,
    location: Option<Vec<u8>>,
    /// Whether anything came.
    has_received: bool,
}

impl Connection {
    pub(crate) fn new(stream: Stream, buffer: SharedBuffer) -> Self {
        Self { stream, buffer, reusable: true, has_served: false }
    }

    /// Whether the connection takes another request.
    pub(crate) fn is_reusable(&self) -> bool {
        self.reusable
    }

    /// Whether it has brought an answer before.
    pub(crate) fn has_served(&self) -> bool {
        self.has_served
    }

    /// Sends a request and takes the answer to its last byte.
    pub(crate) async fn exchange(&mut self, request: &EncodedRequest) -> Result<Done, Lost> {
        let mut exchange = Exchange {
            request,
            written: 0,
            flushed: false,
            partial: Vec::new(),
            answer: None,
            location: None,
            has_received: false,
        };
        // Only an exchange that was complete leaves the connection in a known state.
        self.reusable = false;
        let answered = poll_fn(|context| self.poll_exchange(context, &mut exchange)).await;
        match answered {
            Ok(answer) => {
                self.has_served = true;
                Ok(Done { outcome: answer.outcome, status: answer.status, location: exchange.location })
            }
            Err(Lost::BrokeOff) if !exchange.has_received => Err(Lost::BeforeFirstByte),
            Err(lost) => Err(lost),
        }
    }

    /// Ready when the other side has closed it, or speaks without having been asked.
    pub(crate) fn poll_closed(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut byte = [0];
        Pin::new(&mut self.stream).poll_read(context, &mut ReadBuf::new(&mut byte)).map(drop)
    }

    fn poll_exchange(
        &mut self,
        context: &mut Context<'_>,
        exchange: &mut Exchange<'_>,
    ) -> Poll<Result<Answer, Lost>> {
        let shared = Rc::clone(&self.buffer.0);
        let mut buffer = shared.borrow_mut();
        // What cannot be written yet does not keep from reading: an answer may come before the request was taken.
        if self.poll_send(context, exchange).is_err() {
            return Poll::Ready(Err(Lost::BrokeOff));
        }
        loop {
            let mut read = ReadBuf::new(&mut buffer);
            if ready!(Pin::new(&mut self.stream).poll_read(context, &mut read)).is_err() {
                return Poll::Ready(Err(Lost::BrokeOff));
            }
            let bytes = read.filled();
            if bytes.is_empty() {
                return Poll::Ready(exchange.closed());
            }
            exchange.has_received = true;
            match exchange.take(bytes) {
                Ok(None) => {}
                Ok(Some((answer, all_taken))) => {
                    self.reusable = answer.keeps_connection && all_taken && exchange.flushed;
                    return Poll::Ready(Ok(answer));
                }
                Err(Malformed) if exchange.answer.is_none() => {
                    return Poll::Ready(Err(Lost::NotHttp));
                }
                Err(Malformed) => return Poll::Ready(Err(Lost::BrokeOff)),
            }
        }
    }

    fn poll_send(&mut self, context: &mut Context<'_>, exchange: &mut Exchange<'_>) -> std::io::Result<()> {
        let bytes = &exchange.request.bytes;
        while exchange.written < bytes.len() {
            match Pin::new(&mut self.stream).poll_write(context, &bytes[exchange.written..]) {
                Poll::Ready(written) => exchange.written += written?,
                Poll::Pending => return Ok(()),
            }
        }
        if !exchange.flushed {
            match Pin::new(&mut self.stream).poll_flush(context) {
                Poll::Ready(flushed) => flushed.map(|()| exchange.flushed = true)?,
                Poll::Pending => {}
            }
        }
        Ok(())
    }
}

impl Exchange<'_> {
    /// Takes bytes of the answer; says when it is complete, and whether nothing follows it.
    fn take(&mut self, bytes: &[u8]) -> Result<Option<(Answer, bool)>, Malformed> {
        if self.answer.is_some() {
            return self.take_body(bytes);
        }
        if self.partial.is_empty() {
            return self.take_head(bytes);
        }
        let mut partial = std::mem::take(&mut self.partial);
        partial.extend_from_slice(bytes);
        self.take_head(&partial)
    }

    fn take_head(&mut self, bytes: &[u8]) -> Result<Option<(Answer, bool)>, Malformed> {
        let Some((answer, length)) = Answer::read(bytes, self.request.is_head)? else {
            if bytes.len() > MOST_HEAD_BYTES {
                return Err(Malformed);
            }
            self.partial = bytes.to_vec();
            return Ok(None);
        };
        if is_redirect(answer.status) {
            self.location = Answer::location(&bytes[..length]);
        }
        self.answer = Some(answer);
        self.take_body(&bytes[length..])
    }

    fn take_body(&mut self, bytes: &[u8]) -> Result<Option<(Answer, bool)>, Malformed> {
        let Some(answer) = &mut self.answer else { return Ok(None) };
        let end = answer.take_body(bytes)?;
        Ok(end.map(|end| (*answer, end == bytes.len())))
    }

    /// The connection ended: an answer whose body ends with it is complete.
    fn closed(&self) -> Result<Answer, Lost> {
        self.answer.filter(Answer::ends_with_connection).ok_or(Lost::BrokeOff)
    }
}
