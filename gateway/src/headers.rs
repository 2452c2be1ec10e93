//! Says which headers end at the gateway, and adds what an endpoint should know.
//!
//! The list is closed: `Connection` names nothing that would not be removed anyway. A client could otherwise take away
//! what the gateway, or a proxy before it, put in (decision 0019).

use bytes::Bytes;
use http::header::{CONNECTION, Entry, HeaderMap, HeaderName, HeaderValue, UPGRADE};

/// Whether a header speaks of one connection and not of the message (RFC 9110, section 7.6.1).
fn is_hop_by_hop(name: &str) -> bool {
    matches!(
        name,
        "connection" | "http2-settings" | "keep-alive" | "te" | "trailer" | "transfer-encoding" | "upgrade"
    ) || name.starts_with("proxy-")
}

/// Whether a header says to an endpoint what the gateway alone says: how the request is framed, where it goes, what its
/// connection does. Servers that read `_` as `-` would take the one for the other, so that is one name here.
pub(crate) fn is_written_by_the_gateway(name: &str) -> bool {
    if name.contains('_') {
        let name = name.replace('_', "-");
        return is_written_by_the_gateway(&name)
            || name.starts_with("x-forwarded-")
            || name == X_REQUEST_ID.as_str();
    }
    matches!(name, "content-length" | "expect" | "host") || is_hop_by_hop(name)
}

pub(crate) static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub(crate) static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
pub(crate) static X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
pub(crate) static X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Removes from an answer the headers that belong to the connection it came on. The length of its body stays.
pub(crate) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    // Most answers have none: looking first is cheaper than removing each.
    while let Some(name) = headers.keys().find(|name| is_hop_by_hop(name.as_str())).cloned() {
        headers.remove(name);
    }
}

/// Whether a message asks, or agrees, to become a WebSocket. Nothing else is passed on: behind another HTTP a client
/// would speak to the endpoint past the gateway's rules.
pub(crate) fn names_websocket(headers: &HeaderMap) -> bool {
    headers.get(UPGRADE).is_some_and(|protocol| protocol.as_bytes().eq_ignore_ascii_case(b"websocket"))
        && tokens(headers, &CONNECTION).any(|token| token.eq_ignore_ascii_case("upgrade"))
}

/// Marks an answer as one behind which a WebSocket begins.
pub(crate) fn set_websocket(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
}

/// Tells the endpoint who asked, under which name, and over what. What a proxy in front said of the last two stays;
/// the client's address is appended.
pub(crate) fn add_forwarded(headers: &mut HeaderMap, client: &HeaderValue, host: Option<&HeaderValue>) {
    // Room for what this and the request's identity add, at once.
    headers.reserve(5);
    match headers.entry(&X_FORWARDED_FOR) {
        Entry::Vacant(vacant) => drop(vacant.insert(client.clone())),
        Entry::Occupied(mut occupied) => {
            let mut chain = Vec::new();
            for value in occupied.iter() {
                chain.extend_from_slice(value.as_bytes());
                chain.extend_from_slice(b", ");
            }
            chain.extend_from_slice(client.as_bytes());
            occupied.insert(
                HeaderValue::from_maybe_shared(Bytes::from(chain)).unwrap_or_else(|_| client.clone()),
            );
        }
    }
    headers.entry(&X_FORWARDED_PROTO).or_insert_with(|| HeaderValue::from_static("http"));
    if let Some(host) = host {
        headers.entry(&X_FORWARDED_HOST).or_insert_with(|| host.clone());
    }
}

fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).into_iter();
    values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for &(name, value) in pairs {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn what_speaks_of_the_connection_is_removed_and_nothing_else() {
        let mut map = headers(&[
            ("connection", "close, X-Private, content-length"),
            ("connection", "x-other"),
            ("x-private", "1"),
            ("x-other", "1"),
            ("keep-alive", "timeout=5"),
            ("proxy-connection", "keep-alive"),
            ("proxy-authenticate", "Basic"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("content-length", "3"),
            ("accept", "*/*"),
        ]);
        remove_hop_by_hop(&mut map);
        let left = [("x-private", "1"), ("x-other", "1"), ("content-length", "3"), ("accept", "*/*")];
        assert_eq!(map, headers(&left));
    }

    #[test]
    fn only_a_websocket_is_changed_to_and_it_needs_both_headers() {
        for (connection, upgrade, expected) in [
            ("keep-alive, Upgrade", "websocket", true),
            ("upgrade", "WebSocket", true),
            ("keep-alive", "websocket", false),
            ("upgrade", "h2c", false),
            ("upgrade", "websocket, h2c", false),
            ("upgrade", "TLS/1.0", false),
        ] {
            let map = headers(&[("connection", connection), ("upgrade", upgrade)]);
            assert_eq!(names_websocket(&map), expected, "{connection} and {upgrade}");
        }
        assert!(!names_websocket(&headers(&[("upgrade", "websocket")])));
        assert!(!names_websocket(&headers(&[("connection", "upgrade")])));
    }

    #[test]
    fn the_chain_of_clients_grows_and_the_first_host_stays() {
        let client = HeaderValue::from_static("10.0.0.9");
        let host = HeaderValue::from_static("lab:8000");
        let mut map = HeaderMap::new();
        add_forwarded(&mut map, &client, Some(&host));
        assert_eq!(map[&X_FORWARDED_FOR], "10.0.0.9");
        assert_eq!(map[&X_FORWARDED_HOST], "lab:8000");
        assert_eq!(map[&X_FORWARDED_PROTO], "http");
        let mut map = headers(&[
            ("x-forwarded-for", "1.1.1.1"),
            ("x-forwarded-for", "2.2.2.2"),
            ("x-forwarded-host", "example.org"),
            ("x-forwarded-proto", "https"),
        ]);
        add_forwarded(&mut map, &client, Some(&host));
        assert_eq!(map[&X_FORWARDED_FOR], "1.1.1.1, 2.2.2.2, 10.0.0.9");
        assert_eq!(map.get_all(&X_FORWARDED_FOR).iter().count(), 1);
        assert_eq!(map[&X_FORWARDED_HOST], "example.org");
        assert_eq!(map[&X_FORWARDED_PROTO], "https");
    }
}
