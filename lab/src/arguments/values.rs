//! Reads the values of flags: durations, addresses, names to look up.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use clap::builder::{StringValueParser, TypedValueParser};

use crate::failure::Failure;

/// A duration with its unit: `50ms`, `30s`, `5m`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|error| format!("`{text}` is no duration ({error}), expected one such as 50ms, 30s or 5m"))
}

/// `host:port` to listen on.
pub(crate) fn listen_address(text: &str) -> Result<String, String> {
    let refuse = || format!("`{text}` is no address, expected host:port such as 127.0.0.1:8000");
    let (host, port) = text.rsplit_once(':').ok_or_else(refuse)?;
    if host.is_empty() || port.parse::<u16>().is_err() {
        return Err(refuse());
    }
    Ok(text.to_owned())
}

/// The socket address that `host:port` stands for; the first one where a name has several.
pub(crate) fn resolve(address: &str) -> Result<SocketAddr, String> {
    let address = known_host(address, localhost_is_known);
    let found = address.to_socket_addrs().map_err(|error| format!("`{address}` has no address: {error}"))?;
    found.into_iter().next().ok_or_else(|| format!("`{address}` has no address"))
}

/// The base URL of an HTTP service.
pub(crate) fn base_url(text: &str) -> Result<String, String> {
    url(text, &["http"], "http://127.0.0.1:8000")
}

/// The base URL of a Prometheus, which may be elsewhere and behind TLS.
pub(crate) fn prometheus_url(text: &str) -> Result<String, String> {
    url(text, &["http", "https"], "http://127.0.0.1:9090")
}

/// Reads the base URL of a service under load as it was written, with a name that can be reached here; [`check_host`]
/// judges it.
pub(crate) fn reachable_host() -> impl TypedValueParser<Value = String> {
    StringValueParser::new().map(|text| known_host(&text, localhost_is_known))
}

/// Checks the base URL of a service under load; credentials in it are not in the message, as they would be in clap's.
pub(crate) fn check_host(text: &str) -> Result<(), Failure> {
    loadgen::check_service_url(text).map_err(|error| Failure::bad_input(format!("--host is {error}")))
}

fn url(text: &str, schemes: &[&str], example: &str) -> Result<String, String> {
    let refuse = |problem: &str| {
        Err(format!("`{text}` is no URL of a service: {problem}, expected one such as {example}"))
    };
    match text.parse::<http::Uri>() {
        Ok(uri) if !uri.scheme_str().is_some_and(|scheme| schemes.contains(&scheme)) => {
            refuse(&format!("it must begin with {}://", schemes.join(":// or ")))
        }
        Ok(uri) if uri.host().is_none_or(str::is_empty) => refuse("the host is missing"),
        Ok(_) => Ok(known_host(text.trim_end_matches('/'), localhost_is_known)),
        Err(error) => refuse(&error.to_string()),
    }
}

/// `host:port` or a URL, with 127.0.0.1 in the place of `localhost` where the system does not know that name.
///
/// RFC 6761 (6.3) lets every program take `localhost` for the loopback address, and Debian's smallest system, which has
/// no /etc/hosts, does not resolve it.
fn known_host(text: &str, is_known: impl Fn() -> bool) -> String {
    let start = text.find("://").map_or(0, |scheme| scheme + 3);
    let end = text[start..].find(['/', '?', '#']).map_or(text.len(), |length| start + length);
    // After a user's name and password.
    let start = text[start..end].rfind('@').map_or(start, |user| start + user + 1);
    let host = text[start..end].split(':').next().unwrap_or_default();
    if host.eq_ignore_ascii_case("localhost") && !is_known() {
        format!("{}127.0.0.1{}", &text[..start], &text[start + host.len()..])
    } else {
        text.to_owned()
    }
}

fn localhost_is_known() -> bool {
    ("localhost", 0).to_socket_addrs().is_ok()
}

/// `dns:NAME:PORT`: a name whose addresses are the replicas.
pub(crate) fn discover(text: &str) -> Result<(String, u16), String> {
    let refuse = || format!("`{text}` cannot be looked up, expected dns:NAME:PORT such as dns:webapp:8000");
    let (name, port) = text.strip_prefix("dns:").and_then(|rest| rest.rsplit_once(':')).ok_or_else(refuse)?;
    match port.parse() {
        Ok(port) if !name.is_empty() && port != 0 => Ok((name.to_owned(), port)),
        _ => Err(refuse()),
    }
}

#[cfg(test)]
mod tests {
    use super::{base_url, check_host, discover, duration, known_host, listen_address, prometheus_url};

    #[test]
    fn localhost_is_the_loopback_address_where_the_system_does_not_know_it() {
        for (text, unknown) in [
            ("localhost:8000", "127.0.0.1:8000"),
            ("LocalHost:0", "127.0.0.1:0"),
            ("http://localhost", "http://127.0.0.1"),
            ("http://localhost:8000/localhost", "http://127.0.0.1:8000/localhost"),
            ("https://me:localhost@localhost:1?a=b", "https://me:localhost@127.0.0.1:1?a=b"),
            ("http://localhost.example/", "http://localhost.example/"),
            ("http://example/?at=http://localhost", "http://example/?at=http://localhost"),
            ("[::1]:80", "[::1]:80"),
            ("", ""),
        ] {
            assert_eq!(known_host(text, || false), unknown);
            assert_eq!(known_host(text, || true), text);
        }
    }

    #[test]
    fn values_are_read_or_refused_with_an_example() {
        assert!(duration("50ms").is_ok() && listen_address("[::1]:0").is_ok());
        assert_eq!(base_url("http://webapp:8000/").as_deref(), Ok("http://webapp:8000"));
        assert_eq!(discover("dns:webapp:8000"), Ok(("webapp".to_owned(), 8000)));
        for bad in ["", "5", "-1s", "ten seconds"] {
            assert!(duration(bad).unwrap_err().contains("30s"), "`{bad}` is no duration");
        }
        for bad in ["", "8000", ":8000", "localhost:http", "127.0.0.1:99999"] {
            assert!(listen_address(bad).is_err(), "`{bad}` is no address");
        }
        for bad in ["", "localhost", "https://localhost", "http://"] {
            assert!(base_url(bad).is_err(), "`{bad}` is no URL");
        }
        assert!(
            prometheus_url("https://localhost/path").is_ok() && prometheus_url("localhost:9090").is_err()
        );
        assert!(check_host("https://a:secret@localhost").is_ok());
        assert!(check_host("ftp://a:secret@localhost").is_err());
        for bad in ["", "dns:", "dns:webapp", "dns::80", "dns:webapp:0", "webapp:80"] {
            assert!(discover(bad).is_err(), "`{bad}` cannot be looked up");
        }
    }
}
