//! The proxy before Docker's socket takes orders from programs and under allowed names only.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use crate::support::{TIMEOUT, lab};

/// A proxy before a socket that is not there; ended when dropped.
struct Proxy {
    child: Child,
    address: String,
}

impl Proxy {
    fn start() -> Self {
        let mut child = lab()
            .args(["docker-proxy", "--listen", "127.0.0.1:0", "--docker-socket", "/nonexistent/docker.sock"])
            .args(["--compose-project", "shop", "--allowed-hosts", "docker-proxy"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the proxy starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("standard output was piped");
        BufReader::new(output).read_line(&mut line).expect("it says where it listens");
        let address = line.trim().trim_start_matches("listening on http://").to_owned();
        Self { child, address }
    }

    /// The answer to a request with these headers, as they are.
    fn ask(&self, request: &str, headers: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("the proxy listens");
        stream.set_read_timeout(Some(TIMEOUT)).expect("a timeout can be set");
        let request =
            format!("{request} HTTP/1.1\r\n{headers}content-length: 0\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("the proxy reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the proxy answers");
        answer
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

#[test]
fn a_page_of_another_site_gives_no_order() {
    let proxy = Proxy::start();
    let orders = ["POST /containers/abc/stop", "POST /containers/create", "DELETE /containers/abc"];
    for order in orders {
        for headers in [
            "host: evil.example:2375\r\n",
            "host: localhost:2375\r\norigin: http://evil.example\r\n",
            "host: localhost:2375\r\nsec-fetch-site: cross-site\r\n",
        ] {
            let answer = proxy.ask(order, headers);
            assert!(answer.starts_with("HTTP/1.1 403 "), "{order} with {headers:?}: {answer}");
            assert!(answer.contains("changes are not taken"), "{order} with {headers:?}: {answer}");
        }
    }
    // These get as far as the engine, which is not there.
    for host in ["docker-proxy:2375", "localhost:2375", "127.0.0.1:2375"] {
        let answer = proxy.ask(orders[0], &format!("host: {host}\r\n"));
        assert!(answer.contains("the engine gave no answer"), "under {host}: {answer}");
    }
    let reading = proxy.ask("GET /_ping", "host: evil.example\r\n");
    assert!(reading.contains("the engine gave no answer"), "reading is free: {reading}");
}
