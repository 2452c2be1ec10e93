//! Chunked bodies, well formed and not.

use crate::row::{INNER, Row, UNFINISHED, request};

/// A request with this body behind the announcement of chunks.
fn chunks(body: &str) -> Row {
    request(format!("chunks {body:?}"), &["Host: a", "Transfer-Encoding: chunked"], body)
}

pub(super) fn rows() -> Vec<Row> {
    let in_chunk = |text: &str| format!("{:x}\r\n{text}\r\n0\r\n\r\n", text.len());
    vec![
        chunks("0\r\n\r\n").passes("/row", ""),
        chunks("00\r\n\r\n").passes("/row", ""),
        chunks("3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n").passes("/row", "hello"),
        chunks("0005\r\nhello\r\n0\r\n\r\n").passes("/row", "hello"),
        chunks("A\r\n0123456789\r\n0\r\n\r\n").passes("/row", "0123456789"),
        chunks("5 \r\nhello\r\n0\r\n\r\n").passes("/row", "hello"),
        chunks("5;name=value\r\nhello\r\n0\r\n\r\n").passes("/row", "hello"),
        chunks("5;name=\"a;b\"\r\nhello\r\n0;last\r\n\r\n").passes("/row", "hello"),
        chunks("5\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n").passes("/row", "hello").without("x-trailer"),
        chunks("5\r\nhello\r\n0\r\nContent-Length: 50\r\nHost: evil\r\n\r\n")
            .passes("/row", "hello")
            .without("content-length")
            .with("host", "a"),
        chunks(&in_chunk(INNER)).passes("/row", INNER),
        chunks(&in_chunk(UNFINISHED)).passes("/row", UNFINISHED),
        chunks(&format!("5\r\nhello\r\n0\r\n\r\n{INNER}"))
            .passes("/row", "hello")
            .passes_as("GET", "/evil", ""),
        chunks("500\r\nhel").stalls(),
        chunks("5\r\nhello\r\n0\r\n").refused(400),
        chunks("5\r\nhello\r\n").refused(400),
        chunks("zz\r\nhello\r\n0\r\n\r\n").refused(400),
        chunks("\r\nhello\r\n0\r\n\r\n").refused(400),
        chunks(" 5\r\nhello\r\n0\r\n\r\n").refused(400),
        chunks("-5\r\nhello\r\n0\r\n\r\n").refused(400),
        chunks("+5\r\nhello\r\n0\r\n\r\n").refused(400),
        chunks("0x5\r\nhello\r\n0\r\n\r\n").refused(400),
        chunks("5_\r\nhello\r\n0\r\n\r\n").refused(400),
        chunks("5,\r\nhello\r\n0\r\n\r\n").refused(400),
        chunks("5\0\r\nhello\r\n0\r\n\r\n").refused(400),
        chunks("fffffffffffffffff\r\nhello\r\n0\r\n\r\n").refused(400),
        chunks("10000000000000005\r\nhello\r\n0\r\n\r\n").refused(400),
        chunks("fffffffffffffff0\r\nhello\r\n0\r\n\r\n").stalls(),
        chunks("5\r\nhelloX\r\n0\r\n\r\n").refused(400),
        chunks("5\r\nhello0\r\n\r\n").refused(400),
        chunks("5\r\nhell\r\n0\r\n\r\n").refused(400),
        chunks("5\nhello\r\n0\r\n\r\n").refused(400),
        chunks("5\rhello\r\n0\r\n\r\n").refused(400),
        chunks("5\r\nhello\n0\r\n\r\n").refused(400),
        chunks("5\r\nhello\r0\r\n\r\n").refused(400),
        chunks("5\r\r\nhello\r\n0\r\n\r\n").refused(400),
        chunks("5;a\nhello\r\n0\r\n\r\n").refused(400),
        chunks("5;a\rb\r\nhello\r\n0\r\n\r\n").refused(400),
        chunks("5;a=\"\r\n\"\r\nhello\r\n0\r\n\r\n").refused(400),
        chunks("0\n\n").refused(400),
        chunks("0\r\n\n").refused(400),
        chunks("0\n\r\n").refused(400),
        chunks(&format!("5\r\nhello\r\n0\r\nX: y\n\n{INNER}")).refused(400),
        chunks(&format!("5\r\nhello\r\n0\r\nX: y\n\r\n{INNER}")).refused(400),
        chunks(&format!("2;\n{:x}\r\n0\r\n\r\n{INNER}", 5)).refused(400),
    ]
}
