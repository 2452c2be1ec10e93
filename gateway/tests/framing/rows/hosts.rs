//! `Host` in all its spellings.

use crate::row::{Row, request, row};

fn host(line: &str) -> Row {
    request(format!("host as {line:?}"), &[line], "")
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        host("Host: example.org").passes("/row", "").with("host", "example.org"),
        host("host:a").passes("/row", ""),
        host("HOST: a").passes("/row", ""),
        host("Host: a_b").passes("/row", ""),
        host("Host: 127.0.0.1:8000").passes("/row", ""),
        host("Host: [::1]:8000").passes("/row", ""),
        host("Host:  a  ").passes("/row", ""),
        host("Host: a.").passes("/row", ""),
        host("Host:\ta").refused(400),
        host("Host: a\t").refused(400),
        host("X: y").refused(400),
        host("Host: a\r\nHost: a").refused(400),
        host("Host: a\r\nHost: b").refused(400),
        host("Host: a\r\nX: y\r\nhost: b").refused(400),
        host("Host:").refused(400),
        host("Host: a b").refused(400),
        host("Host: a b/c?").refused(400),
        host("Host: a/b").refused(400),
        host("Host: a?b").refused(400),
        host("Host: a#b").refused(400),
        host("Host: a@b").refused(400),
        host("Host: u:p@a").refused(400),
        host("Host: a:b").refused(400),
        host("Host: a:80:80").refused(400),
        host("Host: a:99999").refused(400),
        host("Host: a..b").refused(400),
        host("Host: .").refused(400),
        host("Host: [::1").refused(400),
        host("Host: [x]").refused(400),
        host("Host: a\\b").refused(400),
        host("Host: a\tb").refused(400),
        host("Host: a\0").refused(400),
        host("Host: http://a").refused(400),
        host("Host: \u{e9}").refused(400),
        host("Host : a").refused(400),
        host(" Host: a").refused(400),
        host("Host:\r\n a").refused(400),
        host("Host: a\r\n b").refused(400),
        host("X: y\r\n Host: a").refused(400),
        row("no host in HTTP/1.0", "{M} /row HTTP/1.0\r\n\r\n").passes("/row", "").closes(),
        row("two hosts in HTTP/1.0", "{M} /row HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n").refused(400),
        row("a bad host in HTTP/1.0", "{M} /row HTTP/1.0\r\nHost: a b\r\n\r\n").refused(400),
        row("a target that names its host, and no header", "{M} http://other/row HTTP/1.1\r\n\r\n")
            .refused(400),
        row(
            "a target that names its host, and a bad header",
            "{M} http://other/row HTTP/1.1\r\nHost: a b\r\n\r\n",
        )
        .refused(400),
        row(
            "a target that names its host, and two headers",
            "{M} http://o/row HTTP/1.1\r\nHost: a\r\nHost: o\r\n\r\n",
        )
        .refused(400),
    ]
}
