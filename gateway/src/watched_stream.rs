//! A client's stream whose bytes are read along with hyper, and the channel by which flaws reach the request's checks.

mod chunk_reader;
mod head_watch;

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

pub(crate) use self::head_watch::HeadFlaw;
use self::head_watch::HeadWatch;

/// Says which head of a connection has a flaw, if one has. The first is enough: its request is the connection's last.
#[derive(Debug)]
pub(crate) struct HeadFlaws(AtomicU64);

impl Default for HeadFlaws {
    fn default() -> Self {
        Self(AtomicU64::new(Self::NONE))
    }
}

impl HeadFlaws {
    const NONE: u64 = u64::MAX;
    /// Stands for a connection on which there is nothing more to watch.
    const OVER: u64 = u64::MAX - 1;
    const KINDS: u64 = HeadFlaw::ALL.len() as u64;

    fn note(&self, number: u64, flaw: HeadFlaw) {
        let code = number * Self::KINDS + flaw as u64;
        // Both ends are the connection's one task, so nothing is ordered by it.
        if self.0.load(Ordering::Relaxed) == Self::NONE {
            self.0.store(code, Ordering::Relaxed);
        }
    }

    /// The flaw of a connection's request with that number, counted from 0.
    pub(crate) fn of(&self, number: u64) -> Option<HeadFlaw> {
        let code = self.0.load(Ordering::Relaxed);
        if code >= Self::OVER || code / Self::KINDS != number {
            return None;
        }
        HeadFlaw::ALL.get(usize::try_from(code % Self::KINDS).ok()?).copied()
    }

    /// Another protocol begins: its bytes are not to be taken for heads and bodies.
    pub(crate) fn end(&self) {
        self.0.store(Self::OVER, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        self.0.load(Ordering::Relaxed) == Self::OVER
    }
}

/// A client's stream.
#[derive(Debug)]
pub(crate) struct WatchedStream {
    stream: TcpStream,
    watch: HeadWatch,
    flaws: Arc<HeadFlaws>,
    /// Whether the next bytes are wrong where they stand in a chunked body.
    malformed: bool,
}

impl WatchedStream {
    /// `head_bytes_max` is the longest head that is read.
    pub(crate) fn new(stream: TcpStream, head_bytes_max: usize, flaws: Arc<HeadFlaws>) -> Self {
        Self { stream, watch: HeadWatch::new(head_bytes_max), flaws, malformed: false }
    }
}

impl AsyncRead for WatchedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let malformed = || {
            let problem = "a chunk of the request's body is malformed";
            Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, problem)))
        };
        if self.malformed {
            return malformed();
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if self.flaws.is_over() {
            return Poll::Ready(Ok(()));
        }
        let observed = self.watch.observe(&buffer.filled()[before..]);
        if let Some((number, flaw)) = observed.flaw {
            self.flaws.note(number, flaw);
        }
        if before + observed.good < buffer.filled().len() {
            // What comes before is still read, so that the request it belongs to is answered.
            self.malformed = true;
            buffer.set_filled(before + observed.good);
            if observed.good == 0 {
                return malformed();
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for WatchedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flaw_belongs_to_one_request_and_the_first_stays() {
        let flaws = HeadFlaws::default();
        assert_eq!(flaws.of(0), None);
        for (number, flaw) in [(2, HeadFlaw::Fragment), (5, HeadFlaw::RepeatedLength)] {
            flaws.note(number, flaw);
            assert_eq!((flaws.of(1), flaws.of(2), flaws.of(5)), (None, Some(HeadFlaw::Fragment), None));
        }
        for flaw in HeadFlaw::ALL {
            let flaws = HeadFlaws::default();
            flaws.note(0, flaw);
            assert_eq!(flaws.of(0), Some(flaw));
        }
    }
}
