//! An endpoint that writes down each request that it reads, as a server reads that takes every byte at its word.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A request as an endpoint sees it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Seen {
    /// What of a request decides over what it does.
    pub(crate) fn essence(&self) -> (String, String, String) {
        (self.method.clone(), self.target.clone(), self.body.clone())
    }

    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// What the endpoint answers to it, so that an answer can be told by its request.
    pub(crate) fn echo(&self) -> String {
        format!("{} {} {:?}", self.method, self.target, self.body)
    }
}

/// A running endpoint.
pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    serving: JoinHandle<()>,
}

impl Endpoint {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let noted = Arc::clone(&seen);
        let serving = tokio::spawn(async move {
            let mut open = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                open.spawn(serve(stream, Arc::clone(&noted)));
            }
        });
        Self { address, seen, serving }
    }

    /// The complete requests since the last call, in the order in which they were read.
    pub(crate) fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Reads requests until the connection ends. What breaks off is not a request.
async fn serve(mut stream: TcpStream, seen: Arc<Mutex<Vec<Seen>>>) {
    let mut bytes = Vec::new();
    loop {
        while let Some((request, length)) = read_request(&bytes) {
            bytes.drain(..length);
            let echo = request.echo();
            let is_probe =
                request.values("user-agent").any(|value| value.starts_with("autoscale-lab-gateway/"));
            if !is_probe {
                seen.lock().unwrap().push(request);
            }
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{echo}", echo.len());
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
        let mut part = vec![0; 16 * 1024];
        match stream.read(&mut part).await {
            Ok(size @ 1..) => bytes.extend_from_slice(&part[..size]),
            Ok(0) | Err(_) => return,
        }
    }
}

/// The request at the beginning of these bytes and its length, once it is complete. Bytes that are not a request are
/// taken as one whose method says so.
fn read_request(bytes: &[u8]) -> Option<(Seen, usize)> {
    let head_length = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..head_length]).into_owned();
    let mut lines = head.trim_end_matches("\r\n").split("\r\n");
    let words: Vec<String> = lines.next()?.split(' ').map(str::to_owned).collect();
    let headers: Vec<(String, String)> = lines
        .map(|line| {
            let (name, value) = line.split_once(':').unwrap_or((line, "NO COLON"));
            (name.to_ascii_lowercase(), value.trim().to_owned())
        })
        .collect();
    let [method, target, _version] = &words[..] else {
        let not_a_request =
            Seen { method: "GARBAGE".to_owned(), target: head.clone(), headers, body: String::new() };
        return Some((not_a_request, head_length));
    };
    let value = |name: &str| {
        headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone()).collect::<Vec<_>>()
    };
    let (lengths, codings) = (value("content-length"), value("transfer-encoding"));
    let rest = &bytes[head_length..];
    let (body, body_length) = match (&lengths[..], &codings[..]) {
        ([], []) => (Vec::new(), 0),
        ([length], []) => {
            let length: usize = length.parse().unwrap();
            (rest.get(..length)?.to_vec(), length)
        }
        ([], [coding]) if coding == "chunked" => read_chunks(rest)?,
        contradiction => panic!("an endpoint was sent {contradiction:?} in {head:?}"),
    };
    let body = String::from_utf8_lossy(&body).into_owned();
    let seen = Seen { method: method.clone(), target: target.clone(), headers, body };
    Some((seen, head_length + body_length))
}

/// A chunked body and its length, once it is complete.
fn read_chunks(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut body, mut position) = (Vec::new(), 0);
    loop {
        let line = bytes[position..].windows(2).position(|window| window == b"\r\n")?;
        let size = std::str::from_utf8(&bytes[position..position + line]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        position += line + 2;
        let data = bytes.get(position..position + size)?;
        body.extend_from_slice(data);
        assert_eq!(
            bytes.get(position + size..position + size + 2)?,
            b"\r\n",
            "each chunk ends with its line"
        );
        position += size + 2;
        if size == 0 {
            return Some((body, position));
        }
    }
}
