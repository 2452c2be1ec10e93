//! Header lines, `Expect`, `Upgrade`, and what else a head can hold.

use crate::row::{INNER, Row, request};

fn lines(lines: &str) -> Row {
    request(format!("lines {lines:?}"), &["Host: a", lines], "")
}

fn with_body(lines: &str) -> Row {
    let length = format!("Content-Length: {}", INNER.len());
    request(format!("lines {lines:?} and a body"), &["Host: a", lines, &length], INNER)
}

pub(super) fn rows() -> Vec<Row> {
    let many = (0..98).map(|number| format!("X-{number}: y")).collect::<Vec<_>>().join("\r\n");
    let too_many = (0..101).map(|number| format!("X-{number}: y")).collect::<Vec<_>>().join("\r\n");
    vec![
        lines("X: y").passes("/row", "").with("x", "y"),
        lines("X:").passes("/row", "").with("x", ""),
        lines("X: \u{e9}").passes("/row", ""),
        lines("X: GET /evil HTTP/1.1").passes("/row", ""),
        lines("X: a\tb").passes("/row", ""),
        lines("X: 1\r\nX: 2").passes("/row", ""),
        lines("Authorization: 1\r\nAuthorization: 2").refused(400),
        lines("Cookie: a=1\r\nCookie: b=2").passes("/row", ""),
        lines("Content-Type: a/b\r\nContent-Type: c/d").passes("/row", ""),
        lines("User-Agent: a\r\nUser-Agent: b").passes("/row", ""),
        lines("Range: bytes=0-1\r\nRange: bytes=2-3").passes("/row", ""),
        lines("If-Match: \"x\"\r\nIf-Match: \"y\"").refused(400),
        lines("If-Match: \"x\", \"y\"").passes("/row", ""),
        lines("If-Modified-Since: a\r\nIf-Modified-Since: b").refused(400),
        lines("If-None-Match: a\r\nIf-None-Match: b").refused(400),
        lines("If-Unmodified-Since: a\r\nIf-Unmodified-Since: b").refused(400),
        lines("If-Range: a\r\nIf-Range: b").refused(400),
        lines("Content-Range: a\r\nContent-Range: b").refused(400),
        lines("Via: a\r\nVia: b").passes("/row", ""),
        lines("Date: a\r\nDate: b").passes("/row", ""),
        lines("Forwarded: a\r\nForwarded: b").passes("/row", ""),
        lines("Origin: a\r\nOrigin: b").passes("/row", ""),
        lines("Referer: /a\r\nReferer: /b").passes("/row", ""),
        lines("Accept: a/b\r\nAccept: c/d").passes("/row", ""),
        lines("X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2")
            .passes("/row", "")
            .with("x-forwarded-for", "1.1.1.1, 2.2.2.2, 127.0.0.1"),
        lines("Expect: 100-continue\r\nExpect: 100-continue").refused(400),
        lines("Upgrade: h2c\r\nUpgrade: websocket").passes("/row", "").without("upgrade"),
        lines("TE: trailers\r\nTE: trailers").passes("/row", "").without("te"),
        lines(&many).passes("/row", ""),
        lines(&too_many).refused(431),
        lines(&format!("X: {}", "long".repeat(15_000))).passes("/row", ""),
        lines(&format!("X: {}", "long".repeat(17_000))).refused(431),
        lines("X: \0").refused(400),
        lines("X: a\u{1}b").refused(400),
        lines("X: a\rb").refused(400),
        lines("X: a\r\r\nY: b").refused(400),
        lines("X y: z").refused(400),
        lines("X").refused(400),
        lines(": y").refused(400),
        lines("(X): y").refused(400),
        lines("X\u{e9}: y").refused(400),
        lines("X\0: y").refused(400),
        lines("X : y").refused(400),
        lines("X: y\r\n z").refused(400),
        lines("X: y\r\n\tz").refused(400),
        lines(" X: y").refused(400),
        lines("GET /evil HTTP/1.1").refused(400),
        with_body("Expect: 100-continue").passes("/row", INNER).without("expect"),
        with_body("Expect: 100-Continue").passes("/row", INNER).without("expect"),
        with_body("Expect: nothing").passes("/row", INNER).without("expect"),
        with_body("Expect:").passes("/row", INNER).without("expect"),
        lines("Expect: 100-continue").passes("/row", "").without("expect"),
        with_body("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__")
            .passes("/row", INNER)
            .without("upgrade")
            .without("http2-settings")
            .without("connection"),
        with_body("Connection: Upgrade\r\nUpgrade: TLS/1.2").passes("/row", INNER).without("upgrade"),
        with_body("Connection: Upgrade\r\nUpgrade: HTTP/2.0").passes("/row", INNER).without("upgrade"),
        with_body("Connection: Upgrade\r\nUpgrade: websocket").passes("/row", INNER).without("upgrade"),
        lines("Upgrade: websocket").passes("/row", "").without("upgrade"),
        with_body("Connection: keep-alive").passes("/row", INNER).without("connection"),
        with_body("Connection: close").passes("/row", INNER).without("connection").closes(),
        with_body("Connection: keep-alive\r\nConnection: close").passes("/row", INNER).closes(),
        with_body("Keep-Alive: timeout=1, max=1").passes("/row", INNER).without("keep-alive"),
        with_body("Proxy-Connection: close").passes("/row", INNER).without("proxy-connection"),
        with_body("Proxy-Authorization: Basic x").passes("/row", INNER).without("proxy-authorization"),
        with_body("TE: trailers, chunked").passes("/row", INNER).without("te"),
        with_body("Trailer: X").passes("/row", INNER).without("trailer"),
        with_body("X_Forwarded_For: 6.6.6.6").passes("/row", INNER).without("x_forwarded_for"),
        with_body("Content_Length: 0").passes("/row", INNER).without("content_length"),
    ]
}
