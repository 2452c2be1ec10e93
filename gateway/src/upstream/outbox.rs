//! What is still to be written of a request: its head, and its body as it comes.

use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::HeaderValue;
use http::request::Parts;
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;

use super::request_head::write_head;
use crate::request_body::{BodyError, Framing, RequestBody, StreamedBody};

/// Bytes whose room is kept from one request to the next.
const KEPT_BYTES_MAX: usize = 16 * 1024;

/// Why something was not sent.
#[derive(Debug)]
pub(super) enum Unsent {
    /// The endpoint takes no more.
    Endpoint(io::Error),
    /// The body broke off.
    Body(BodyError),
}

/// One request on its way out.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    written: usize,
    anything_written: bool,
    /// What follows the bytes.
    streamed: Option<StreamedBody>,
    /// Whether the body's end is marked by an empty chunk.
    chunked: bool,
    /// Whether the rest will never be sent.
    given_up: bool,
}

impl Outbox {
    /// Takes a request; whatever was there is forgotten. Of its body, what is streamed is taken away.
    pub(super) fn load(&mut self, head: &Parts, body: &mut RequestBody, host: &HeaderValue) {
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_BYTES_MAX);
        (self.written, self.anything_written, self.given_up) = (0, false, false);
        let framing = body.framing();
        self.chunked = framing == Framing::Chunked;
        write_head(&mut self.bytes, head, host, framing);
        match body {
            RequestBody::None | RequestBody::WebSocket => self.streamed = None,
            RequestBody::Whole(bytes) => {
                self.streamed = None;
                // In one piece with the head, because that is one write of the system.
                self.bytes.extend_from_slice(bytes);
            }
            RequestBody::Streamed { body, .. } => self.streamed = body.take(),
        }
    }

    /// Whether all of it has been written.
    pub(super) fn is_empty(&self) -> bool {
        !self.given_up && self.written == self.bytes.len() && self.streamed.is_none()
    }

    /// Gives a streamed body back and returns true, if nothing at all was written.
    pub(super) fn give_back(&mut self, body: &mut RequestBody) -> bool {
        if self.anything_written {
            return false;
        }
        if let RequestBody::Streamed { body, .. } = body {
            *body = self.streamed.take();
        }
        true
    }

    /// Writes what can be written; ready when all is. After an error nothing more is written: what broke off must not
    /// look complete.
    pub(super) fn poll_send(
        &mut self,
        stream: &mut TcpStream,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Unsent>> {
        if self.given_up {
            return Poll::Pending;
        }
        let sent = self.poll_write(stream, context);
        self.given_up = matches!(sent, Poll::Ready(Err(_)));
        sent
    }

    fn poll_write(&mut self, stream: &mut TcpStream, context: &mut Context<'_>) -> Poll<Result<(), Unsent>> {
        loop {
            while self.written < self.bytes.len() {
                let written = Pin::new(&mut *stream).poll_write(context, &self.bytes[self.written..]);
                let count = match ready!(written) {
                    Ok(0) => return Poll::Ready(Err(Unsent::Endpoint(io::ErrorKind::WriteZero.into()))),
                    Ok(count) => count,
                    Err(error) => return Poll::Ready(Err(Unsent::Endpoint(error))),
                };
                self.written += count;
                self.anything_written = true;
            }
            let Some(streamed) = &mut self.streamed else { return Poll::Ready(Ok(())) };
            let data = ready!(streamed.poll_data(context)).transpose().map_err(Unsent::Body)?;
            self.bytes.clear();
            self.written = 0;
            if let Some(data) = data {
                self.append(&data);
                continue;
            }
            self.streamed = None;
            if self.chunked {
                self.bytes.extend_from_slice(b"0\r\n\r\n");
            }
        }
    }

    fn append(&mut self, data: &[u8]) {
        // An empty chunk would be the last one.
        if data.is_empty() {
            return;
        }
        if self.chunked {
            write!(self.bytes, "{:x}\r\n", data.len()).expect("a vector takes whatever is written");
        }
        self.bytes.extend_from_slice(data);
        if self.chunked {
            self.bytes.extend_from_slice(b"\r\n");
        }
    }
}
