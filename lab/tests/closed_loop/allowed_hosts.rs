//! `lab up --allowed-hosts` reaches the scaler: under these names the page may change something, under others not.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::support::{TIMEOUT, Up};

/// The status line of a POST under this host name, as a browser would send it.
fn status_under(up: &Up, host: &str) -> String {
    let address = up.scaler.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("the scaler listens");
    stream.set_read_timeout(Some(TIMEOUT)).expect("a timeout can be set");
    let request =
        format!("POST /api/pause HTTP/1.1\r\nhost: {host}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("the scaler reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the scaler answers");
    answer.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn names_that_were_allowed_are_taken_and_others_are_not() {
    let up = Up::start(&["--allowed-hosts", "lab.example,other.example"]);
    for host in ["lab.example:8080", "other.example", "localhost"] {
        assert_eq!(status_under(&up, host), "HTTP/1.1 200 OK", "{host}");
    }
    assert_eq!(status_under(&up, "evil.example"), "HTTP/1.1 403 Forbidden");
}
