//! Rewrites headers on their way through: what ends here is removed, what the endpoint should know is added.

use bytes::Bytes;
use http::header::{CONNECTION, Entry, HeaderMap, HeaderName, HeaderValue, UPGRADE};

/// Whether a header speaks of one connection and not of the message (RFC 9110, section 7.6.1).
fn is_hop_by_hop(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "connection"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}

pub(crate) static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
pub(crate) static X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
pub(crate) static X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Removes the headers that belong to the connection the message came on, those that `Connection` names included.
pub(crate) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    // Most messages have none, or `Connection: keep-alive` alone: looking first is cheaper than removing each.
    let names_others = |value: &HeaderValue| !matches!(value.as_bytes(), b"keep-alive" | b"close");
    if headers.iter().any(|(name, value)| *name == CONNECTION && names_others(value)) {
        let named: Vec<HeaderName> = tokens(headers, &CONNECTION)
            .filter_map(|token| HeaderName::from_bytes(token.as_bytes()).ok())
            .collect();
        for name in named {
            headers.remove(name);
        }
    }
    while let Some(name) = headers.keys().find(|&name| is_hop_by_hop(name)).cloned() {
        headers.remove(name);
    }
}

/// The protocol a message asks to change to, where `Connection` says so too.
pub(crate) fn requested_upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let upgrade = headers.get(UPGRADE)?;
    tokens(headers, &CONNECTION).any(|token| token.eq_ignore_ascii_case("upgrade")).then(|| upgrade.clone())
}

/// Marks a message as one that changes the protocol of its connection.
pub(crate) fn set_upgrade(headers: &mut HeaderMap, protocol: HeaderValue) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, protocol);
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
            ("connection", "close, X-Private"),
            ("connection", "x-other"),
            ("x-private", "1"),
            ("x-other", "1"),
            ("keep-alive", "timeout=5"),
            ("proxy-connection", "keep-alive"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("accept", "*/*"),
            ("x-kept", "1"),
        ]);
        remove_hop_by_hop(&mut map);
        assert_eq!(map, headers(&[("accept", "*/*"), ("x-kept", "1")]));
    }

    #[test]
    fn a_connection_that_is_kept_loses_that_header_alone() {
        let mut map = headers(&[("connection", "keep-alive"), ("server", "1"), ("accept", "*/*")]);
        remove_hop_by_hop(&mut map);
        assert_eq!(map, headers(&[("server", "1"), ("accept", "*/*")]));
    }

    #[test]
    fn an_upgrade_needs_both_headers() {
        let both = headers(&[("connection", "keep-alive, Upgrade"), ("upgrade", "websocket")]);
        assert_eq!(requested_upgrade(&both), Some(HeaderValue::from_static("websocket")));
        assert_eq!(requested_upgrade(&headers(&[("upgrade", "h2c")])), None);
        assert_eq!(requested_upgrade(&headers(&[("connection", "upgrade")])), None);
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
