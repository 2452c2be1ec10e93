//! Paths, and the spellings of those that the gateway keeps to itself.

use crate::row::{INNER, METHOD, Row, UNFINISHED, row, target};

pub(super) fn rows() -> Vec<Row> {
    let passed = [
        "//a",
        "/a//b",
        "/./a",
        "/a/./b",
        "/a/../b",
        "/a/..",
        "/a/%2e%2e/b",
        "/a%2fb",
        "/a%2Fb",
        "/a%5cb",
        "/a\\b",
        "/a;b=c/d",
        "/a%23b",
        "/a%3fb",
        "/a%20b",
        "/a%25b",
        "/a|b",
        "/a{b}",
        "/a\"b",
        "/a:80",
        "/a@b",
        "/a,b=(c)!$&'*+",
        "/...",
        "/..a",
        "/a%c3%a9",
        "/faultsx",
        "/x/faults",
        "/x?/faults",
        "/x/%66aults",
    ];
    let invalid = [
        "/..",
        "/../a",
        "/a/../../b",
        "/%2e%2e/a",
        "/%2E%2E%2Fa",
        "/..%2fa",
        "/a/..//../b",
        "/../faults",
        "/a%00",
        "/%00",
        "/%",
        "/a%2",
        "/%zz",
        "/a%u0041",
    ];
    let internal = [
        "/faults",
        "/faults/crash",
        "/faults?x",
        "/peers",
        "//faults/crash",
        "/./faults",
        "/x/../faults",
        "/%66aults",
        "/f%61ults/crash",
        "/FAULTS",
        "/Faults/crash",
        "/faults;x",
        "/faults%3bx",
        "/faults%2fcrash",
        "/faults%20",
        "/faults%3f",
        "/%2e/faults",
        "/x/%2e%2e/faults",
        "/x%2f..%2ffaults",
        "/\\faults",
        "/x\\..\\faults",
        "/%5cfaults",
        "/%2566aults",
        "/%252e/faults",
        "http://other/faults",
        "http://other//faults/crash",
    ];
    let rows = passed.map(|path| target(path).passes(path, "")).into_iter();
    let rows = rows.chain(invalid.map(|path| target(path).refused(400)));
    let rows = rows.chain(internal.map(|path| target(path).answered(404)));
    // The body of what is not passed on is not the next request either.
    let bodies = [INNER, UNFINISHED].map(|body| {
        let head = format!("{METHOD} /faults HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len());
        row(format!("target /faults with the body {body:?}"), head + body).refused(404)
    });
    rows.chain(bodies).collect()
}
