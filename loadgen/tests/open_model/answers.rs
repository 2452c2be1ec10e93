//! Answers as servers may send them, byte by byte: taken to their end, or known as none.

use std::future::pending;
use std::time::Duration;

use axum::http::Method;
use loadgen::{FailureKind, Measurement, OpenModel, Target, WeightedRequest};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::service::{get, plan};

/// What a service that answers each request with these pieces, one write each, brings in a level of 19 requests; after
/// each answer it closes the connection or not.
async fn measure(pieces: &'static [&'static str], closes: bool, method: Method) -> Measurement {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base_url = format!("http://{}", listener.local_addr().expect("it is bound"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                stream.set_nodelay(true)?;
                let mut buffer = [0; 1_024];
                while stream.read(&mut buffer).await? > 0 {
                    for piece in pieces {
                        stream.write_all(piece.as_bytes()).await?;
                        tokio::time::sleep(Duration::from_millis(2)).await;
                    }
                    if closes {
                        break;
                    }
                }
                Ok::<_, std::io::Error>(())
            });
        }
    });
    let requests = vec![WeightedRequest { method, ..get("/") }];
    let target = Target { base_url, requests, connections: 2, timeout: Duration::from_secs(5) };
    let mut engine = OpenModel::connect(target).await.expect("it accepts");
    engine.run_level(&plan(20.0, Duration::from_secs(1)), pending(), |_| {}).await.expect("it is measured")
}

async fn assert_taken(pieces: &'static [&'static str], closes: bool, method: Method) {
    let level = measure(pieces, closes, method).await;
    assert_eq!(level.failed(), 0, "{pieces:?}: {:?}", level.failures);
    assert_eq!(level.from_sent_micros.len(), level.sent, "{pieces:?}");
    assert!(level.succeeded > 0, "{pieces:?}");
}

#[tokio::test]
async fn in_pieces() {
    let pieces = &["HTTP/1.1 200 O", "K\r\nContent-Length: 5\r", "\n\r\nhe", "llo"];
    assert_taken(pieces, false, Method::GET).await;
}

#[tokio::test]
async fn in_chunks_with_a_trailer() {
    let pieces =
        &["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r", "\nhello\r\n", "0\r\nx: y\r\n", "\r\n"];
    assert_taken(pieces, false, Method::GET).await;
}

#[tokio::test]
async fn to_the_end_of_the_connection() {
    assert_taken(&["HTTP/1.0 200 OK\r\n\r\nhel", "lo"], true, Method::GET).await;
}

#[tokio::test]
async fn after_an_interim_one() {
    let pieces = &["HTTP/1.1 103 Early Hints\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"];
    assert_taken(pieces, false, Method::GET).await;
}

#[tokio::test]
async fn to_head_without_the_body_they_announce() {
    assert_taken(&["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"], false, Method::HEAD).await;
}

#[tokio::test]
async fn that_are_none_or_end_early() {
    for (pieces, kind) in [
        (&["220 mail.example ESMTP\r\n"] as &'static [&'static str], FailureKind::NotHttp),
        (&["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"], FailureKind::BrokeOff),
        (&["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"], FailureKind::BrokeOff),
        (&["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"], FailureKind::BrokeOff),
    ] {
        let level = measure(pieces, true, Method::GET).await;
        assert_eq!(level.failures.keys().collect::<Vec<_>>(), [&kind], "{pieces:?}");
        assert_eq!((level.succeeded, level.from_sent_micros.len()), (0, 0), "{pieces:?}");
    }
}
