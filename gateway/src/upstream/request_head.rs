//! Writes the head of a request as HTTP/1.1 has it on the wire, from what the gateway parsed and holds.
//!
//! How the request is framed, where it goes and what its connection does is never taken from a header: such headers are
//! passed over, and the lines are written from the body that follows and from the host that was checked. So no header
//! can make an endpoint read the bytes otherwise than the gateway meant them (decision 0019).

use std::io::Write;

use http::HeaderValue;
use http::request::Parts;

use crate::headers::is_written_by_the_gateway;
use crate::request_body::Framing;

/// Appends a head that names `host`, for a body that is framed so.
pub(super) fn write_head(bytes: &mut Vec<u8>, head: &Parts, host: &HeaderValue, framing: Framing) {
    bytes.extend_from_slice(head.method.as_str().as_bytes());
    bytes.push(b' ');
    // From its parts, because a target in absolute form may have a query and no path.
    bytes.extend_from_slice(head.uri.path().as_bytes());
    if let Some(query) = head.uri.query() {
        bytes.push(b'?');
        bytes.extend_from_slice(query.as_bytes());
    }
    bytes.extend_from_slice(b" HTTP/1.1\r\n");
    write_header(bytes, "host", host);
    for (name, value) in &head.headers {
        if !is_written_by_the_gateway(name.as_str()) {
            write_header(bytes, name.as_str(), value);
        }
    }
    match framing {
        Framing::None => {}
        Framing::Length(length) => {
            write!(bytes, "content-length: {length}\r\n").expect("a vector takes whatever is written");
        }
        Framing::Chunked => bytes.extend_from_slice(b"transfer-encoding: chunked\r\n"),
        Framing::WebSocket => bytes.extend_from_slice(b"connection: upgrade\r\nupgrade: websocket\r\n"),
    }
    bytes.extend_from_slice(b"\r\n");
}

fn write_header(bytes: &mut Vec<u8>, name: &str, value: &HeaderValue) {
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(b": ");
    bytes.extend_from_slice(value.as_bytes());
    bytes.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn written(request: http::request::Builder, framing: Framing) -> String {
        let (head, ()) = request.body(()).unwrap().into_parts();
        let mut bytes = Vec::new();
        write_head(&mut bytes, &head, &HeaderValue::from_static("lab"), framing);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_head_names_its_target_and_its_headers_in_order() {
        let request = Request::put("/order?x=1").header("x-a", "1").header("x-a", "2");
        assert_eq!(
            written(request, Framing::None),
            "PUT /order?x=1 HTTP/1.1\r\nhost: lab\r\nx-a: 1\r\nx-a: 2\r\n\r\n"
        );
    }

    #[test]
    fn a_target_in_absolute_form_keeps_its_path_and_its_query() {
        for (uri, target) in [
            ("http://other", "/"),
            ("http://other?q=1", "/?q=1"),
            ("http://other/?q=1", "/?q=1"),
            ("http://other/a?", "/a?"),
            ("http://other:81/a//b?x?y", "/a//b?x?y"),
        ] {
            let head = format!("GET {target} HTTP/1.1\r\nhost: lab\r\n\r\n");
            assert_eq!(written(Request::get(uri), Framing::None), head, "{uri}");
        }
    }

    #[test]
    fn the_body_that_follows_decides_how_it_is_announced() {
        for (framing, line) in [
            (Framing::None, ""),
            (Framing::Length(0), "content-length: 0\r\n"),
            (Framing::Length(u64::MAX), "content-length: 18446744073709551615\r\n"),
            (Framing::Chunked, "transfer-encoding: chunked\r\n"),
            (Framing::WebSocket, "connection: upgrade\r\nupgrade: websocket\r\n"),
        ] {
            let expected = format!("POST / HTTP/1.1\r\nhost: lab\r\n{line}\r\n");
            assert_eq!(written(Request::post("/"), framing), expected);
        }
    }

    #[test]
    fn no_header_speaks_of_framing_or_of_the_connection() {
        let names = [
            "Host",
            "Content-Length",
            "Transfer-Encoding",
            "Connection",
            "Keep-Alive",
            "Proxy-Connection",
            "Proxy-Authorization",
            "Proxy-Anything",
            "TE",
            "Trailer",
            "Upgrade",
            "HTTP2-Settings",
            "Expect",
            "Content_Length",
            "Transfer_Encoding",
            "X_Forwarded_For",
            "X_Request_Id",
        ];
        let request = names.iter().fold(Request::post("/"), |request, name| request.header(*name, "evil"));
        let request = request.header("x-kept", "1").header("x_mine", "2");
        assert_eq!(
            written(request, Framing::Length(3)),
            "POST / HTTP/1.1\r\nhost: lab\r\nx-kept: 1\r\nx_mine: 2\r\ncontent-length: 3\r\n\r\n"
        );
    }
}
