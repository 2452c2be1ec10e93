//! A WebSocket, and whatever else changes the protocol, is passed through both ways.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::support::{Lab, PATIENCE, eventually};

const HANDSHAKE: &[u8] = b"GET /socket HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n";

/// A server that takes every protocol change and then sends back what it gets, in capitals.
async fn start_echo() -> (String, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(echo(stream));
        }
    });
    (url, serving)
}

async fn echo(mut stream: TcpStream) {
    let mut bytes = vec![0; 4096];
    while let Ok(size @ 1..) = stream.read(&mut bytes).await {
        let head = String::from_utf8_lossy(&bytes[..size]).to_lowercase();
        if head.starts_with("get /ready") {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            continue;
        }
        assert!(head.contains("connection: upgrade") && head.contains("upgrade: websocket"), "{head}");
        assert!(head.contains("sec-websocket-key: "), "{head}");
        let answer = b"HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n";
        stream.write_all(answer).await.unwrap();
        while let Ok(size @ 1..) = stream.read(&mut bytes).await {
            stream.write_all(bytes[..size].to_ascii_uppercase().as_slice()).await.unwrap();
        }
        return;
    }
}

async fn open(lab: &Lab) -> TcpStream {
    let mut stream = TcpStream::connect(lab.service).await.unwrap();
    stream.write_all(HANDSHAKE).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(timeout(PATIENCE, stream.read_u8()).await.unwrap().unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    assert!(head.starts_with("http/1.1 101") && head.contains("upgrade: websocket"), "{head}");
    stream
}

async fn lab_with_echo() -> (Lab, tokio::task::JoinHandle<()>) {
    let (url, serving) = start_echo().await;
    let lab = Lab::start(&[]).await;
    lab.ask_admin("PUT", "/endpoints", &format!(r#"{{"url": "{url}"}}"#)).await;
    lab.until_ready(1).await;
    (lab, serving)
}

#[tokio::test]
async fn bytes_go_both_ways_and_the_stay_lasts_as_long() {
    let (lab, serving) = lab_with_echo().await;
    let mut socket = open(&lab).await;
    for word in ["hello", "again"] {
        socket.write_all(word.as_bytes()).await.unwrap();
        let mut back = [0; 5];
        timeout(PATIENCE, socket.read_exact(&mut back)).await.unwrap().unwrap();
        assert_eq!(back.as_slice(), word.to_uppercase().as_bytes());
    }
    assert_eq!(lab.in_flight().await, 1);
    drop(socket);
    eventually("the stay is over", || async { lab.in_flight().await == 0 }).await;
    serving.abort();
}

#[tokio::test]
async fn the_bytes_of_another_protocol_are_not_read_as_http() {
    let (lab, serving) = lab_with_echo().await;
    let mut socket = open(&lab).await;
    for text in [
        "post / http/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        "get /#x http/1.1\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\n",
        "5\nhello",
    ] {
        socket.write_all(text.as_bytes()).await.unwrap();
        let mut back = vec![0; text.len()];
        timeout(PATIENCE, socket.read_exact(&mut back)).await.unwrap().unwrap();
        assert_eq!(String::from_utf8(back).unwrap(), text.to_uppercase());
    }
    serving.abort();
}

#[tokio::test]
async fn an_open_socket_does_not_keep_the_gateway_beyond_its_grace() {
    let (url, serving) = start_echo().await;
    let config =
        gateway::GatewayConfig { stop_grace: Duration::from_millis(200), ..crate::support::config() };
    let mut lab = Lab::with(config, &[]).await;
    lab.ask_admin("PUT", "/endpoints", &format!(r#"{{"url": "{url}"}}"#)).await;
    lab.until_ready(1).await;
    let mut socket = open(&lab).await;
    lab.begin_stop();
    assert!(lab.stopped().await.is_ok());
    let mut rest = Vec::new();
    timeout(PATIENCE, socket.read_to_end(&mut rest)).await.expect("it is closed").ok();
    serving.abort();
}
