//! `Transfer-Encoding` in all its spellings, and beside a length.

use crate::row::{INNER, Row, request, row};

const HELLO: &str = "5\r\nhello\r\n0\r\n\r\n";

/// A request with this line for its transfer coding and the body `hello` in one chunk.
fn coding(line: &str) -> Row {
    request(format!("coding as {line:?}"), &["Host: a", line], HELLO)
}

pub(super) fn rows() -> Vec<Row> {
    let inner_as_body = format!("0\r\n\r\n{INNER}");
    let inner_length = format!("Content-Length: {}", inner_as_body.len());
    vec![
        coding("Transfer-Encoding: chunked").passes("/row", "hello"),
        coding("transfer-encoding:chunked").passes("/row", "hello"),
        coding("TRANSFER-ENCODING: CHUNKED").passes("/row", "hello"),
        coding("Transfer-Encoding:   chunked  ").passes("/row", "hello"),
        coding("Transfer-Encoding:\tchunked").refused(400),
        coding("Transfer-Encoding: chunked\t").refused(400),
        coding("X: y\nTransfer-Encoding: chunked").passes("/row", "hello"),
        coding("Transfer-Encoding: identity").refused(400),
        coding("Transfer-Encoding: gzip").refused(400),
        coding("Transfer-Encoding: chunked, identity").refused(400),
        coding("Transfer-Encoding: chunked, gzip").refused(400),
        coding("Transfer-Encoding: identity, chunked").refused(501),
        coding("Transfer-Encoding: gzip, chunked").refused(501),
        coding("Transfer-Encoding: chunked, chunked").refused(501),
        coding("Transfer-Encoding: , chunked").refused(501),
        coding("Transfer-Encoding: chunked,").refused(400),
        coding("Transfer-Encoding: xchunked").refused(400),
        coding("Transfer-Encoding: chunkedx").refused(400),
        coding("Transfer-Encoding: \"chunked\"").refused(400),
        coding("Transfer-Encoding: 'chunked'").refused(400),
        coding("Transfer-Encoding: chunked;q=1").refused(400),
        coding("Transfer-Encoding: chun ked").refused(400),
        coding("Transfer-Encoding: \u{b}chunked").refused(400),
        coding("Transfer-Encoding: chunked\0").refused(400),
        coding("Transfer-Encoding: \u{a0}chunked").refused(400),
        coding("Transfer-Encoding:").refused(400),
        coding("Transfer-Encoding : chunked").refused(400),
        coding("Transfer-Encoding\t: chunked").refused(400),
        coding(" Transfer-Encoding: chunked").refused(400),
        coding("Transfer-Encoding:\r\n chunked").refused(400),
        coding("X: y\r\n\tTransfer-Encoding: chunked").refused(400),
        coding("X: y\rTransfer-Encoding: chunked").refused(400),
        coding("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked").refused(501),
        coding("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity").refused(400),
        coding("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked").refused(501),
        // What only looks like a coding says nothing: the chunks are the next request, and that is not one.
        coding("Transfer_Encoding: chunked").passes("/row", "").refused(400).without("transfer_encoding"),
        coding("X-Transfer-Encoding: chunked").passes("/row", "").refused(400),
        coding("Content-Encoding: chunked").passes("/row", "").refused(400),
        coding("TE: chunked").passes("/row", "").refused(400).without("te"),
        coding("Content-Length: 15\r\nTransfer-Encoding: chunked").refused(400),
        coding("Transfer-Encoding: chunked\r\nContent-Length: 15").refused(400),
        coding("Transfer-Encoding: chunked\r\nX: y\r\ncontent-length: 4").refused(400),
        coding("Transfer-Encoding: chunked\r\nContent-Length: 0").refused(400),
        coding("Transfer-Encoding: chunked\r\nContent-Length: x").refused(400),
        coding("Content-Length: 15\r\nTransfer-Encoding: identity").refused(400),
        coding("Content-Length: 15\r\nTransfer_Encoding: chunked")
            .passes("/row", HELLO)
            .without("transfer_encoding"),
        request(
            "a request behind the last chunk, within the length",
            &["Host: a", &inner_length, "Transfer-Encoding: chunked"],
            &inner_as_body,
        )
        .refused(400),
        request(
            "a request behind the last chunk, within the length that comes last",
            &["Host: a", "Transfer-Encoding: chunked", &inner_length],
            &inner_as_body,
        )
        .refused(400),
        request(
            "a request within the chunks, behind the length",
            &["Host: a", "Content-Length: 4", "Transfer-Encoding: chunked"],
            &format!("{:x}\r\n{INNER}\r\n0\r\n\r\n", INNER.len()),
        )
        .refused(400),
        row(
            "a length beside chunks in the second request",
            format!(
                "GET /first HTTP/1.1\r\nHost: a\r\n\r\n\
                 {{M}} /row HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n{HELLO}"
            ),
        )
        .passes_as("GET", "/first", "")
        .refused(400),
        row(
            "a length beside chunks behind a body in chunks",
            format!(
                "{{M}} /first HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{HELLO}\
                 {{M}} /row HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n{HELLO}"
            ),
        )
        .passes("/first", "hello")
        .refused(400),
        row(
            "chunks in HTTP/1.0",
            format!("{{M}} /row HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{HELLO}"),
        )
        .refused(400),
        row(
            "chunks in HTTP/1.0, on a connection that is to be kept",
            format!(
                "{{M}} /row HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n{HELLO}"
            ),
        )
        .refused(400),
    ]
}
