//! A client that sends bytes as they are, and reads the answers one by one.

use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

/// Bound of each wait for a proxy that has something to say, or closes because nothing more comes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A wait for more where nothing more is expected.
const QUIET: Duration = Duration::from_millis(150);

/// Where a proxy takes requests.
#[derive(Clone, Debug)]
pub(crate) enum Address {
    Tcp(std::net::SocketAddr),
    Unix(PathBuf),
}

/// How bytes are sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pieces {
    /// At once.
    One,
    /// So many at a time, each as a packet of its own where the other side reads quickly.
    Of(usize),
}

/// An answer, interim ones left out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Answer {
    /// Whether it refuses a request, for what it is or because the proxy does not do such a thing.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self.status, 400..=499 | 501 | 505)
    }
}

/// Sends bytes on a connection of its own, and returns the answers that come until the proxy closes it. `stalls` says
/// that the proxy will wait for more bytes: then it is waited for quiet, and the connection is closed from here.
pub(crate) async fn exchange(address: &Address, bytes: &[u8], pieces: Pieces, stalls: bool) -> Vec<Answer> {
    match address {
        Address::Tcp(address) => {
            let stream = TcpStream::connect(address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            on(stream, bytes, pieces, stalls).await
        }
        Address::Unix(path) => on(UnixStream::connect(path).await.unwrap(), bytes, pieces, stalls).await,
    }
}

async fn on(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    bytes: &[u8],
    pieces: Pieces,
    stalls: bool,
) -> Vec<Answer> {
    let size = match pieces {
        Pieces::One => bytes.len(),
        Pieces::Of(size) => size,
    };
    for piece in bytes.chunks(size) {
        // A proxy may answer and close before it has read everything.
        if !matches!(timeout(PATIENCE, stream.write_all(piece)).await, Ok(Ok(()))) {
            break;
        }
        // The proxy reads in this thread.
        tokio::task::yield_now().await;
    }
    let mut received = Vec::new();
    let mut part = vec![0; 16 * 1024];
    let wait = if stalls { QUIET } else { PATIENCE };
    loop {
        match timeout(wait, stream.read(&mut part)).await {
            Ok(Ok(size @ 1..)) => received.extend_from_slice(&part[..size]),
            Ok(Ok(0) | Err(_)) => break,
            Err(_) if stalls => break,
            Err(_) => {
                // No proxy answers so: the table cannot be met by it.
                received.extend_from_slice(b"HTTP/1.1 999 neither an answer nor an end\r\n\r\n");
                break;
            }
        }
    }
    read_answers(&received)
}

fn read_answers(mut bytes: &[u8]) -> Vec<Answer> {
    let mut answers = Vec::new();
    while let Some(length) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
        let head = String::from_utf8_lossy(&bytes[..length]).to_lowercase();
        bytes = &bytes[length + 4..];
        let status: u16 = head.split(' ').nth(1).and_then(|text| text.parse().ok()).unwrap_or_else(|| {
            panic!("the client got what is not an answer: {head:?}");
        });
        if status < 200 {
            continue;
        }
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
        let length = length.parse::<usize>().unwrap().min(bytes.len());
        let body = String::from_utf8_lossy(&bytes[..length]).into_owned();
        bytes = &bytes[length..];
        answers.push(Answer { status, body });
    }
    answers
}
