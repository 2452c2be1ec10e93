//! Headers that `Connection` names. None of them is taken away by it, and none takes the framing away.

use crate::row::{INNER, Row, UNFINISHED, request};

/// A header that the client sends and names, and the value with which the endpoint is to see it.
fn kept(name: &str, value: &str) -> Row {
    let length = format!("Content-Length: {}", INNER.len());
    let lines = ["Host: a", &format!("Connection: {name}"), &format!("{name}: {value}"), &length];
    request(format!("connection names {name}, which is sent"), &lines, INNER)
        .passes("/row", INNER)
        .with(&name.to_ascii_lowercase(), value)
}

/// A line `Connection` before a body that is a request.
fn named(line: &str, body: &str) -> Row {
    let length = format!("Content-Length: {}", body.len());
    request(format!("{line:?} before {body:?}"), &["Host: a", line, &length], body).passes("/row", body)
}

/// A line `Connection` before a body in chunks.
fn named_before_chunks(line: &str) -> Row {
    let body = format!("{:x}\r\n{INNER}\r\n0\r\n\r\n", INNER.len());
    request(format!("{line:?} before chunks"), &["Host: a", line, "Transfer-Encoding: chunked"], &body)
        .passes("/row", INNER)
}

pub(super) fn rows() -> Vec<Row> {
    let mut rows = vec![
        named("Connection: content-length", INNER).with("host", "a"),
        named("Connection: content-length", UNFINISHED),
        named("Connection: Content-Length", INNER),
        named("connection:CONTENT-LENGTH", INNER),
        named("Connection: keep-alive, content-length", INNER),
        named("Connection: , content-length ,", INNER),
        named("Connection: content-length,content-length", INNER),
        named("Connection: keep-alive\r\nConnection: content-length", INNER),
        named("Connection: close, content-length", INNER).closes(),
        named("Connection: transfer-encoding", INNER),
        named("Connection: host", INNER).with("host", "a"),
        named("Connection: connection", INNER),
        named("Connection: expect, te, trailer, upgrade, keep-alive, proxy-connection", INNER),
        named("Connection: x-forwarded-host", INNER).with("x-forwarded-host", "a"),
        named("Connection: x-forwarded-proto", INNER).with("x-forwarded-proto", "http"),
        named("Connection: x-forwarded-for", INNER).with("x-forwarded-for", "127.0.0.1"),
        named("Connection: \u{e9}, \"content-length\"", INNER),
        named_before_chunks("Connection: content-length"),
        named_before_chunks("Connection: transfer-encoding"),
        named_before_chunks("Connection: Transfer-Encoding, close").closes(),
        named_before_chunks("Connection: host").with("host", "a"),
    ];
    for (name, value) in [
        ("X-Request-Id", "mine-1"),
        ("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ("Authorization", "Bearer x"),
        ("Cookie", "session=1"),
        ("Content-Type", "text/plain"),
        ("Content-Encoding", "identity"),
        ("Accept", "text/html"),
        ("Accept-Encoding", "gzip"),
        ("Cache-Control", "no-cache"),
        ("Date", "Sun, 29 Nov 2026 20:00:00 GMT"),
        ("Forwarded", "for=1.2.3.4"),
        ("If-Match", "\"x\""),
        ("If-None-Match", "\"x\""),
        ("Origin", "http://a"),
        ("Range", "bytes=0-1"),
        ("Referer", "http://a/"),
        ("User-Agent", "curl"),
        ("Via", "1.1 front"),
        ("X-Real-Ip", "1.2.3.4"),
        ("X-Private", "1"),
    ] {
        rows.push(kept(name, value));
    }
    rows
}
