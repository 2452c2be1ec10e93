//! Reads the values of flags: durations, addresses, names to look up.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

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

/// A classic variable's value; an empty one counts as not set. What is not text in it is kept as a character that no
/// setting takes, so that it is refused rather than ignored.
pub(crate) fn classic_variable(name: &str) -> Option<String> {
    let value = std::env::var_os(name)?.to_string_lossy().into_owned();
    Some(value).filter(|value| !value.is_empty())
}

/// The base URL of a service to be measured, which may be elsewhere and behind TLS.
pub(crate) fn service_url(text: &str) -> Result<String, String> {
    url(text, &["http", "https"], "http://127.0.0.1:8000")
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
        Ok(_) => Ok(text.trim_end_matches('/').to_owned()),
        Err(error) => refuse(&error.to_string()),
    }
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
    use super::{base_url, discover, duration, listen_address, prometheus_url, service_url};

    #[test]
    fn values_are_read_or_refused_with_an_example() {
        assert!(duration("50ms").is_ok() && listen_address("[::1]:0").is_ok());
        assert_eq!(base_url("http://localhost:8000/").as_deref(), Ok("http://localhost:8000"));
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
        assert!(service_url("https://localhost").is_ok() && service_url("ftp://localhost").is_err());
        for bad in ["", "dns:", "dns:webapp", "dns::80", "dns:webapp:0", "webapp:80"] {
            assert!(discover(bad).is_err(), "`{bad}` cannot be looked up");
        }
    }
}
