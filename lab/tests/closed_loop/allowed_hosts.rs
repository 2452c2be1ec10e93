//! `lab up --allowed-hosts` reaches every part: under these names it takes changes, under others not.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::support::{TIMEOUT, Up};

/// The status line of a request under this host name, as a browser would send it.
fn status_under(url: &str, request_line: &str, host: &str) -> String {
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(TIMEOUT)).expect("a timeout can be set");
    let request =
        format!("{request_line} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn names_that_were_allowed_are_taken_and_others_are_not() {
    let up = Up::start(&["--allowed-hosts", "lab.example,other.example"]);
    let replica = up.in_rotation().await[0].0.clone();
    let delete = "DELETE /endpoints?url=http://127.0.0.1:18297";
    for (url, request, taken) in [
        (&up.scaler, "POST /api/pause", "HTTP/1.1 200 OK"),
        // There is no such endpoint, which only an order that is taken finds out.
        (&up.admin, delete, "HTTP/1.1 404 Not Found"),
        (&replica, "POST /load/reset", "HTTP/1.1 200 OK"),
        (&up.gateway, "GET /load/reset", "HTTP/1.1 200 OK"),
    ] {
        for host in ["lab.example:8080", "other.example", "localhost"] {
            assert_eq!(status_under(url, request, host), taken, "{request} under {host}");
        }
        assert_eq!(status_under(url, request, "evil.example"), "HTTP/1.1 403 Forbidden", "{request}");
    }
}
