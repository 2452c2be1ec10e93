//! Servers on loopback that answer, or do not, in one way each; they write bytes themselves, because no library would.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What a server does with its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Answers with these bytes, and keeps the connection.
    Answers(&'static str),
    /// Answers with these bytes and ends the connection.
    AnswersAndCloses(&'static str),
    /// Answers well and closes the connection after so long without a next request.
    ClosesWhenIdle(Duration),
    /// Answers the first request of each connection, reads the second, and closes: the race of a connection that was
    /// closed while it was idle, provoked.
    ClosesOnSecondRequest,
    /// The same, with a reset.
    ResetsOnSecondRequest,
    /// Reads a request and closes without a word.
    ClosesWithoutAnswer,
    /// The same, with a reset.
    Resets,
    /// Answers in two pieces with a pause between them.
    Slow(&'static str, &'static str),
    /// Sends this and nothing else, with the connection open.
    Stalls(&'static str),
    /// Redirects so often, each after so long, to a path that is one longer, and then answers well.
    RedirectsSlowly(usize, Duration),
    /// Redirects `/` to this location, and answers everything else well.
    RedirectsTo(&'static str),
    /// Redirects everything to `/`.
    RedirectsInACircle,
    /// Answers well where the head, in lower case, has this line, and by 401 otherwise.
    Wants(&'static str),
    /// Answers well for this long after the first request, and then never.
    FreezesAfter(Duration),
}

/// A good answer.
pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// How long a slow server pauses.
const PAUSE: Duration = Duration::from_millis(60);

/// A running server; it ends with the test's runtime.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) url: String,
    manner: Manner,
    requests: Arc<AtomicU64>,
}

impl Server {
    pub(crate) async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let server = Self { url, manner, requests: Arc::default() };
        let serving = server.clone();
        let began = Instant::now();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let server = serving.clone();
                tokio::spawn(async move {
                    // An error is a client that went away.
                    let _gone = server.serve(connection, began).await;
                });
            }
        });
        server
    }

    /// Requests that it has read to their end.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    async fn serve(&self, mut connection: TcpStream, began: Instant) -> std::io::Result<()> {
        connection.set_nodelay(true)?;
        let mut number = 0;
        loop {
            let reading = read_request(&mut connection);
            let head = match self.manner {
                Manner::ClosesWhenIdle(time) if number > 0 => match tokio::time::timeout(time, reading).await
                {
                    Ok(head) => head?,
                    Err(_) => return Ok(()),
                },
                _ => reading.await?,
            };
            let Some(head) = head else { return Ok(()) };
            let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
            self.requests.fetch_add(1, Ordering::Relaxed);
            number += 1;
            let redirect = |location: &str| {
                format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n")
            };
            match self.manner {
                Manner::Answers(bytes) => connection.write_all(bytes.as_bytes()).await?,
                Manner::AnswersAndCloses(bytes) => {
                    connection.write_all(bytes.as_bytes()).await?;
                    return Ok(());
                }
                Manner::ClosesOnSecondRequest if number == 2 => return Ok(()),
                Manner::ResetsOnSecondRequest if number == 2 => return reset(connection),
                Manner::ClosesWhenIdle(_) | Manner::ClosesOnSecondRequest | Manner::ResetsOnSecondRequest => {
                    connection.write_all(OK.as_bytes()).await?;
                }
                Manner::ClosesWithoutAnswer => return Ok(()),
                Manner::Resets => return reset(connection),
                Manner::Slow(first, second) => {
                    connection.write_all(first.as_bytes()).await?;
                    tokio::time::sleep(PAUSE).await;
                    connection.write_all(second.as_bytes()).await?;
                }
                Manner::Stalls(bytes) => {
                    connection.write_all(bytes.as_bytes()).await?;
                    std::future::pending::<()>().await;
                }
                Manner::RedirectsSlowly(times, pause) => {
                    tokio::time::sleep(pause).await;
                    let steps = path.len() - 1;
                    let answer = if steps < times { redirect(&format!("{path}x")) } else { OK.to_owned() };
                    connection.write_all(answer.as_bytes()).await?;
                }
                Manner::RedirectsTo(location) => {
                    let answer = if path == "/" { redirect(location) } else { OK.to_owned() };
                    connection.write_all(answer.as_bytes()).await?;
                }
                Manner::RedirectsInACircle => connection.write_all(redirect("/").as_bytes()).await?,
                Manner::Wants(line) => {
                    let unauthorized = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n";
                    let has_it = head.lines().any(|found| found == line);
                    connection.write_all(if has_it { OK } else { unauthorized }.as_bytes()).await?;
                }
                Manner::FreezesAfter(time) => {
                    if began.elapsed() >= time {
                        std::future::pending::<()>().await;
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    connection.write_all(OK.as_bytes()).await?;
                }
            }
        }
    }
}

/// Reads a request with its body; answers its head in lower case, or none at the end of the connection.
async fn read_request(connection: &mut TcpStream) -> std::io::Result<Option<String>> {
    let mut bytes = Vec::new();
    loop {
        let head_end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(head_end) = head_end {
            let head = String::from_utf8_lossy(&bytes[..head_end]).to_lowercase();
            let length: usize = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"))
                .map_or(0, |length| length.trim().parse().expect("a length"));
            if bytes.len() >= head_end + 4 + length {
                return Ok(Some(head));
            }
        }
        if connection.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    }
}

/// Ends the connection with a reset.
fn reset(connection: TcpStream) -> std::io::Result<()> {
    let connection = connection.into_std()?;
    rustix::net::sockopt::set_socket_linger(&connection, Some(Duration::ZERO))?;
    drop(connection);
    Ok(())
}
