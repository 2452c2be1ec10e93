//! Writes the head of a request as HTTP/1.1 has it on the wire.

use http::request::Parts;
use http::{HeaderValue, header};

/// Appends a head, with `host` where it names none itself. `chunked` says that the body is marked chunk by chunk.
pub(super) fn write_head(bytes: &mut Vec<u8>, head: &Parts, host: &HeaderValue, chunked: bool) {
    bytes.extend_from_slice(head.method.as_str().as_bytes());
    bytes.push(b' ');
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    bytes.extend_from_slice(target.as_bytes());
    bytes.extend_from_slice(b" HTTP/1.1\r\n");
    if !head.headers.contains_key(header::HOST) {
        write_header(bytes, "host", host);
    }
    for (name, value) in &head.headers {
        write_header(bytes, name.as_str(), value);
    }
    if chunked {
        write_header(bytes, "transfer-encoding", &HeaderValue::from_static("chunked"));
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

    fn written(request: http::request::Builder, chunked: bool) -> String {
        let (head, ()) = request.body(()).unwrap().into_parts();
        let mut bytes = Vec::new();
        write_head(&mut bytes, &head, &HeaderValue::from_static("replica:8080"), chunked);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_head_names_its_target_and_its_headers_in_order() {
        let request = Request::put("/order?x=1").header("Host", "lab").header("x-a", "1").header("x-a", "2");
        assert_eq!(
            written(request, false),
            "PUT /order?x=1 HTTP/1.1\r\nhost: lab\r\nx-a: 1\r\nx-a: 2\r\n\r\n"
        );
    }

    #[test]
    fn a_head_without_a_host_gets_the_endpoints() {
        assert_eq!(written(Request::get("/"), false), "GET / HTTP/1.1\r\nhost: replica:8080\r\n\r\n");
    }

    #[test]
    fn the_target_may_be_the_server_itself() {
        let request = Request::builder().method("OPTIONS").uri("*").header("host", "lab");
        assert_eq!(written(request, false), "OPTIONS * HTTP/1.1\r\nhost: lab\r\n\r\n");
    }

    #[test]
    fn a_body_of_unknown_length_is_announced() {
        let request = Request::post("/").header("host", "lab");
        assert_eq!(
            written(request, true),
            "POST / HTTP/1.1\r\nhost: lab\r\ntransfer-encoding: chunked\r\n\r\n"
        );
    }
}
