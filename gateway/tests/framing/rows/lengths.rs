//! `Content-Length` in all its spellings.

use crate::row::{INNER, Row, UNFINISHED, request, row};

/// A request with this line for its length and the body `hello`.
fn length(line: &str) -> Row {
    request(format!("length as {line:?}"), &["Host: a", line], "hello")
}

pub(super) fn rows() -> Vec<Row> {
    let inner = format!("Content-Length: {}", INNER.len());
    let unfinished = format!("Content-Length: {}", UNFINISHED.len());
    vec![
        request("no body", &["Host: a"], "").passes("/row", "").without("content-length"),
        length("Content-Length: 5").passes("/row", "hello").with("content-length", "5"),
        length("content-length: 5").passes("/row", "hello"),
        length("CONTENT-LENGTH:5").passes("/row", "hello"),
        length("Content-Length:    5").passes("/row", "hello"),
        length("Content-Length: 5  ").passes("/row", "hello"),
        length("Content-Length:\t5").refused(400),
        length("Content-Length: 5\t").refused(400),
        length("Content-Length: 05").passes("/row", "hello").with("content-length", "5"),
        request("an empty body with its length", &["Host: a", "Content-Length: 0"], "")
            .passes("/row", "")
            .with("content-length", "0"),
        request("a request as a body", &["Host: a", &inner], INNER).passes("/row", INNER),
        request("an unfinished request as a body", &["Host: a", &unfinished], UNFINISHED)
            .passes("/row", UNFINISHED),
        request(
            "a second request behind the length",
            &["Host: a", "Content-Length: 5"],
            &format!("hello{INNER}"),
        )
        .passes("/row", "hello")
        .passes_as("GET", "/evil", ""),
        request("a length of 0 before a request", &["Host: a", "Content-Length: 0"], INNER)
            .passes("/row", "")
            .passes_as("GET", "/evil", ""),
        request("a body without a length is the next request", &["Host: a"], INNER)
            .passes("/row", "")
            .passes_as("GET", "/evil", ""),
        request("fewer bytes than the length", &["Host: a", "Content-Length: 500"], "hello").stalls(),
        request("the same length twice", &["Host: a", "Content-Length: 5", "Content-Length: 5"], "hello")
            .refused(400),
        request("two lengths", &["Host: a", "Content-Length: 5", "Content-Length: 6"], "hello!").refused(400),
        request("two lengths, 0 first", &["Host: a", "Content-Length: 0", &inner], INNER).refused(400),
        request("two lengths, 0 last", &["Host: a", &inner, "Content-Length: 0"], INNER).refused(400),
        request(
            "the same length twice, and apart",
            &["Host: a", "Content-Length: 5", "X: y", "CONTENT-LENGTH:5"],
            "hello",
        )
        .refused(400),
        length("Content-Length: 5, 5").refused(400),
        length("Content-Length: 5,6").refused(400),
        length("Content-Length: 5 5").refused(400),
        length("Content-Length: +5").refused(400),
        length("Content-Length: -5").refused(400),
        length("Content-Length: 0x5").refused(400),
        length("Content-Length: 5.0").refused(400),
        length("Content-Length: 5e0").refused(400),
        length("Content-Length: 5;").refused(400),
        length("Content-Length: \"5\"").refused(400),
        length("Content-Length: five").refused(400),
        length("Content-Length:").refused(400),
        length("Content-Length: 5\u{b}").refused(400),
        length("Content-Length: 5\0").refused(400),
        length("Content-Length: \u{ff15}").refused(400),
        length("Content-Length: 9223372036854775807").refused(413),
        length("Content-Length: 18446744073709551615").refused(431),
        length("Content-Length: 18446744073709551621").refused(400),
        length("Content-Length: 100000000000000000000000000000000").refused(400),
        length("Content-Length : 5").refused(400),
        length("Content-Length\t: 5").refused(400),
        length(" Content-Length: 5").refused(400),
        length("Content-Length:\r\n 5").refused(400),
        length("X: y\r\n Content-Length: 5").refused(400),
        // What only looks like a length says nothing: what follows is the next request, and that is not one.
        length("X-Content-Length: 5").passes("/row", "").refused(501),
        length("Content_Length: 5").passes("/row", "").refused(501).without("content_length"),
        length("Content-Lengths: 5").passes("/row", "").refused(501),
        row("a length in HTTP/1.0", "{M} /row HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
            .passes("/row", "hello")
            .closes(),
        row(
            "a length in HTTP/1.0, and a second request",
            format!("{{M}} /row HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello{INNER}"),
        )
        .passes("/row", "hello")
        .closes(),
    ]
}
