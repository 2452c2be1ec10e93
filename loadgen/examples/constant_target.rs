//! Answers every request with the same few bytes, as cheaply as one core can: a target for benchmarks of load generators.
//!
//! `cargo run --profile dist -p loadgen --example constant_target`
//!
//! Prints its URL, listens on a port of the system's choice on 127.0.0.1, and ends when its standard input does. It looks
//! for the end of a request's head and nothing else, so it takes requests without a body only.

#![expect(clippy::print_stdout, reason = "whoever started it has to know the address")]

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nhello";

/// Requests that are answered in one write at most.
const AT_ONCE: usize = 32;

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    let serving = async {
        loop {
            let (stream, _) = listener.accept().await?;
            // A client that goes is none of our business.
            tokio::spawn(async move { drop(serve(stream).await) });
        }
    };
    let (mut input, mut nowhere) = (tokio::io::stdin(), tokio::io::sink());
    tokio::select! {
        served = serving => served,
        ended = tokio::io::copy(&mut input, &mut nowhere) => ended.map(drop),
    }
}

async fn serve(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let answers = ANSWER.repeat(AT_ONCE);
    let mut buffer = vec![0; 16 * 1_024];
    let mut unread = 0;
    loop {
        let read = stream.read(&mut buffer[unread..]).await?;
        if read == 0 {
            return Ok(());
        }
        let filled = unread + read;
        let mut requests = 0;
        let mut rest = &buffer[..filled];
        while let Some(end) = rest.windows(4).position(|window| window == b"\r\n\r\n") {
            requests += 1;
            rest = &rest[end + 4..];
        }
        // A head may come in pieces; what is left of it moves to the front.
        let consumed = filled - rest.len();
        buffer.copy_within(consumed..filled, 0);
        unread = filled - consumed;
        if unread == buffer.len() {
            return Err(io::Error::other("a head is larger than the buffer"));
        }
        while requests > 0 {
            let count = requests.min(AT_ONCE);
            stream.write_all(&answers[..count * ANSWER.len()]).await?;
            requests -= count;
        }
    }
}
