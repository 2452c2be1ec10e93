//! What an endpoint may write on its connection, byte by byte, and what the client gets of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::support::{Lab, Reply, eventually};

/// What the endpoint does after its last byte.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    Stay,
    Close,
}

/// An endpoint that answers each request, probes excepted, by writing these pieces with a short pause after each.
struct Scripted {
    lab: Lab,
    connections: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

impl Scripted {
    async fn start(pieces: &'static [&'static str], then: Then) -> Self {
        Self::start_with(pieces, then, Duration::from_millis(5)).await
    }

    /// An endpoint that writes and closes without a pause in between.
    async fn start_at_once(pieces: &'static [&'static str]) -> Self {
        Self::start_with(pieces, Then::Close, Duration::ZERO).await
    }

    async fn start_with(pieces: &'static [&'static str], then: Then, pause: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let accepted = Arc::clone(&connections);
        let serving = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                accepted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, pieces, then, pause));
            }
        });
        let lab = Lab::start(&[]).await;
        lab.ask_admin("PUT", "/endpoints", &format!(r#"{{"url": "{url}"}}"#)).await;
        lab.until_ready(1).await;
        Self { lab, connections, serving }
    }

    async fn get(&self) -> Reply {
        self.lab.get("/").await
    }

    /// A GET whose answer is taken as bytes.
    async fn raw(&self, request: &str) -> String {
        self.lab.send_raw(request.as_bytes()).await
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(mut stream: TcpStream, pieces: &[&str], then: Then, pause: Duration) {
    stream.set_nodelay(true).unwrap();
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(size @ 1..) = stream.read(&mut bytes).await {
        if bytes[..size].starts_with(b"GET /ready") {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            continue;
        }
        for piece in pieces {
            if stream.write_all(piece.as_bytes()).await.is_err() {
                return;
            }
            if !pause.is_zero() {
                sleep(pause).await;
            }
        }
        if then == Then::Close {
            return;
        }
    }
}

const CLOSING_GET: &str = "GET / HTTP/1.1\r\nhost: lab\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn a_head_and_a_body_may_come_in_pieces() {
    let pieces = &["HTTP/1.1 20", "0 OK\r\ncontent-le", "ngth: 10\r\n\r\n01234", "56", "789"];
    let endpoint = Scripted::start(pieces, Then::Stay).await;
    for _ in 0..3 {
        let reply = endpoint.get().await;
        assert_eq!((reply.status, reply.text().as_str()), (200, "0123456789"));
        assert_eq!(reply.headers["content-length"], "10");
    }
    assert_eq!(endpoint.connections.load(Ordering::SeqCst), 1, "the connection is kept");
}

#[tokio::test]
async fn chunks_are_passed_on_as_they_come() {
    let pieces = &[
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n4",
        ";x=y\r\nde",
        "fg\r\n0\r\nx-trailer: 1\r\n\r\n",
    ];
    let endpoint = Scripted::start(pieces, Then::Stay).await;
    for _ in 0..3 {
        let reply = endpoint.get().await;
        assert_eq!((reply.status, reply.text().as_str()), (200, "abcdefg"));
    }
    assert_eq!(endpoint.connections.load(Ordering::SeqCst), 1, "the connection is kept");
}

#[tokio::test]
async fn a_body_may_end_with_its_connection() {
    let endpoint = Scripted::start(&["HTTP/1.1 200 OK\r\n\r\nabc", "def"], Then::Close).await;
    for _ in 0..2 {
        assert_eq!(endpoint.get().await.text(), "abcdef");
    }
}

#[tokio::test]
async fn interim_answers_are_not_the_answer() {
    let pieces = &[
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    ];
    let endpoint = Scripted::start(pieces, Then::Stay).await;
    let reply = endpoint.get().await;
    assert_eq!((reply.status, reply.text().as_str()), (200, "ok"));
    assert!(!reply.headers.contains_key("link"), "{reply:?}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_does_not_look_complete() {
    let scripts: [&[&str]; 3] = [
        &["HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n01234"],
        &["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n01234\r\n"],
        &["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n01234\r\n", "no size\r\n"],
    ];
    for pieces in scripts {
        let endpoint = Scripted::start(pieces, Then::Close).await;
        let text = endpoint.raw(CLOSING_GET).await;
        assert!(text.starts_with("HTTP/1.1 200") && text.contains("01234"), "{text}");
        assert!(!text.ends_with("0\r\n\r\n"), "{text}");
        eventually("the stay is over", || async { endpoint.lab.in_flight().await == 0 }).await;
        assert_eq!(endpoint.lab.endpoints().await[0]["failed"], 1, "{pieces:?}");
    }
}

#[tokio::test]
async fn what_is_no_answer_is_said_to_be_none() {
    let scripts: [&[&str]; 8] = [
        // The gateway could not tell the client of the coding that it does not undo.
        &["HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"],
        &["HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nok"],
        &["220 mail.example.org ESMTP\r\n"],
        &["\u{16}\u{3}\u{1} hello\r\n\r\n"],
        &["HTTP/1.1 200 OK\r\ncontent-length: five\r\n\r\n"],
        &["SSH-2.0-OpenSSH_9.2\r\n"],
        &["HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n"],
        &["HTTP/1.1 999999 OK\r\n\r\n"],
    ];
    for pieces in scripts {
        let endpoint = Scripted::start(pieces, Then::Stay).await;
        let reply = endpoint.lab.send("POST", "/", &[], "").await;
        assert_eq!(reply.status, 502, "{pieces:?}");
        let error = reply.error();
        assert!(error.contains("not a response in HTTP/1.1") && !error.contains("ended"), "{error}");
    }
}

#[tokio::test]
async fn a_length_beside_chunks_is_dropped_with_the_connection() {
    let pieces =
        &["HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"];
    let endpoint = Scripted::start(pieces, Then::Stay).await;
    for _ in 0..2 {
        let reply = endpoint.get().await;
        assert_eq!(reply.text(), "ok");
        assert!(!reply.headers.contains_key("content-length"), "{reply:?}");
    }
    // The probe's, and one for each of the answers: the first of them takes the probe's.
    assert_eq!(endpoint.connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn what_comes_unasked_is_nobodys_answer() {
    let pieces = &[
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil",
    ];
    let endpoint = Scripted::start(pieces, Then::Stay).await;
    for _ in 0..4 {
        assert_eq!(endpoint.get().await.text(), "ok");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn an_answer_to_an_upload_may_come_before_its_end() {
    let pieces = &["HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno"];
    let endpoint = Scripted::start(pieces, Then::Stay).await;
    let request = "POST / HTTP/1.1\r\nhost: lab\r\nconnection: close\r\ncontent-length: 1000\r\n\r\nbegun";
    let text = endpoint.raw(request).await;
    assert!(text.starts_with("HTTP/1.1 403") && text.ends_with("no"), "{text}");
    // A connection on which the rest of an upload is owed takes no other request.
    assert_eq!(endpoint.get().await.status, 403);
    assert_eq!(endpoint.connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn another_protocol_may_begin_with_the_answer_that_agrees_to_it() {
    let pieces =
        &["HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nhello"];
    let endpoint = Scripted::start(pieces, Then::Close).await;
    let request = "GET / HTTP/1.1\r\nhost: lab\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
    let text = endpoint.raw(request).await;
    assert!(text.starts_with("HTTP/1.1 101") && text.ends_with("\r\n\r\nhello"), "{text}");
}

#[tokio::test]
async fn no_protocol_begins_that_was_not_asked_for() {
    let answers: [&[&str]; 2] = [
        &["HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"],
        &["HTTP/1.1 101 Switching Protocols\r\n\r\n"],
    ];
    for pieces in answers {
        let endpoint = Scripted::start(pieces, Then::Stay).await;
        for asked in ["websocket", "h2c", "HTTP/2.0"] {
            let request = format!(
                "GET / HTTP/1.1\r\nhost: lab\r\nconnection: upgrade, close\r\nupgrade: {asked}\r\n\r\n"
            );
            let text = endpoint.raw(&request).await;
            assert!(text.starts_with("HTTP/1.1 502"), "{asked}: {text}");
        }
    }
}

#[tokio::test]
async fn what_came_of_an_answer_is_passed_on_before_the_cut_however_it_came() {
    let scripts: [(&[&str], &str); 5] = [
        (&["HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n01234"], "01234"),
        (&["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n01234\r\n"], "5\r\n01234\r\n"),
        (&["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n01234\r\nzz\r\n"], "5\r\n01234\r\n"),
        (&["HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n"], ""),
        (&["HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n01234"], "01234"),
    ];
    for (pieces, part) in scripts {
        let endpoint = Scripted::start_at_once(pieces).await;
        for _ in 0..20 {
            let text = endpoint.raw(CLOSING_GET).await;
            let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head in {text:?}"));
            assert!(head.starts_with("HTTP/1.1 200"), "{text:?}");
            assert_eq!(body, part, "{pieces:?}");
        }
    }
}

#[tokio::test]
async fn an_endpoint_names_no_header_away() {
    let pieces = &["HTTP/1.1 200 OK\r\nconnection: content-length, x-mine, set-cookie\r\nx-mine: 1\r\n\
                    set-cookie: a=b\r\nkeep-alive: timeout=5\r\ncontent-length: 2\r\n\r\nok"];
    let endpoint = Scripted::start(pieces, Then::Stay).await;
    for _ in 0..3 {
        let reply = endpoint.get().await;
        assert_eq!((reply.status, reply.text().as_str()), (200, "ok"));
        assert_eq!(reply.headers["content-length"], "2");
        assert_eq!(
            (&reply.headers["x-mine"], &reply.headers["set-cookie"]),
            (&"1".parse().unwrap(), &"a=b".parse().unwrap())
        );
        assert!(
            !reply.headers.contains_key("connection") && !reply.headers.contains_key("keep-alive"),
            "{reply:?}"
        );
    }
    assert_eq!(endpoint.connections.load(Ordering::SeqCst), 1, "the connection is kept");
}

#[tokio::test]
async fn a_length_is_told_once_and_only_where_it_counts() {
    let twice = &["HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nok"];
    let endpoint = Scripted::start(twice, Then::Stay).await;
    let reply = endpoint.get().await;
    assert_eq!((reply.text().as_str(), reply.headers.get_all("content-length").iter().count()), ("ok", 1));
    // The end of the connection ends the body, whatever the length says.
    let beside = &["HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: identity\r\n\r\nlonger"];
    let endpoint = Scripted::start(beside, Then::Close).await;
    assert_eq!(endpoint.get().await.text(), "longer");
}
