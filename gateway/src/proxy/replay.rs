//! Keeps what is needed to send a request once more.
//!
//! Every request that may be repeated pays for the copy, and hardly any is: so the headers are kept as bytes in one
//! piece, and become headers again only where they are needed.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};

use super::request_body::RequestBody;

/// A copy of a request whose body is known as a whole.
#[derive(Debug)]
pub(super) struct Replay {
    method: Method,
    uri: Uri,
    headers: FlatHeaders,
    body: Option<Bytes>,
}

impl Replay {
    /// Copies a request, if its body can be had twice.
    pub(super) fn of(request: &Request<RequestBody>) -> Option<Self> {
        let RequestBody::Whole(body) = request.body() else { return None };
        Some(Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            headers: FlatHeaders::of(request.headers()),
            body: body.clone(),
        })
    }

    pub(super) fn into_request(self) -> Request<RequestBody> {
        let mut request = Request::new(RequestBody::Whole(self.body));
        *request.method_mut() = self.method;
        *request.uri_mut() = self.uri;
        *request.headers_mut() = self.headers.into_map();
        request
    }
}

/// Headers one after the other: the lengths of name and value, name, value.
#[derive(Debug)]
struct FlatHeaders(Vec<u8>);

/// Room for the headers of most requests.
const USUAL_BYTES: usize = 512;

impl FlatHeaders {
    fn of(headers: &HeaderMap) -> Self {
        let mut bytes = Vec::with_capacity(USUAL_BYTES);
        for (name, value) in headers {
            let (name, value) = (name.as_str().as_bytes(), value.as_bytes());
            for part in [name, value] {
                let length = u32::try_from(part.len()).expect("a head is shorter than its limit");
                bytes.extend_from_slice(&length.to_ne_bytes());
            }
            bytes.extend_from_slice(name);
            bytes.extend_from_slice(value);
        }
        Self(bytes)
    }

    fn into_map(self) -> HeaderMap {
        let mut left = Bytes::from(self.0);
        let mut headers = HeaderMap::new();
        while !left.is_empty() {
            let [name, value] = [take_length(&mut left), take_length(&mut left)];
            let (name, value) = (left.split_to(name), left.split_to(value));
            headers.append(
                HeaderName::from_bytes(&name).expect("it was a header's name"),
                HeaderValue::from_maybe_shared(value).expect("it was a header's value"),
            );
        }
        headers
    }
}

fn take_length(left: &mut Bytes) -> usize {
    let length = left.split_to(size_of::<u32>());
    let length: [u8; 4] = length.as_ref().try_into().expect("four bytes were split off");
    u32::from_ne_bytes(length) as usize
}

#[cfg(test)]
mod tests {
    use http::header;

    use super::*;

    #[test]
    fn a_copy_is_the_request_again() {
        let request = Request::put("/order?x=1")
            .header(header::HOST, "lab:8000")
            .header("X-Own", "1")
            .header("x-own", HeaderValue::from_bytes(b"caf\xe9").unwrap())
            .header("x-empty", "")
            .body(RequestBody::whole(Bytes::from_static(b"{}")))
            .unwrap();
        let again = Replay::of(&request).unwrap().into_request();
        assert_eq!((again.method(), again.uri()), (request.method(), request.uri()));
        assert_eq!(again.headers(), request.headers());
        let RequestBody::Whole(body) = again.body() else { panic!("a whole body") };
        assert_eq!(body.as_deref(), Some(b"{}".as_slice()));
    }
}
