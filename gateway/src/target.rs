//! Reads the addresses of endpoints and the name they are discovered under.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use http::Uri;

/// An address that is not one of an endpoint, or a name that is not one to discover by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Not the URL of an endpoint.
    #[error(
        "`{text}` is not the URL of an endpoint: {problem}, expected something like `http://127.0.0.1:8081`"
    )]
    BadUrl {
        /// What was given.
        text: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Not a name to discover by.
    #[error("`{text}` does not say where to discover endpoints: {problem}, expected `dns:NAME:PORT`")]
    BadDiscovery {
        /// What was given.
        text: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// The URL of an endpoint in its one canonical form, `http://HOST:PORT`.
///
/// ```
/// let url: gateway::EndpointUrl = "http://Localhost:8081/".parse().unwrap();
/// assert_eq!(url.as_str(), "http://localhost:8081");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointUrl {
    url: String,
    host: String,
    port: u16,
}

impl EndpointUrl {
    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// `HOST:PORT`.
    pub fn authority(&self) -> &str {
        self.url.strip_prefix("http://").expect("the canonical form begins so")
    }

    /// The address, where the host is one and no name.
    pub(crate) fn socket_address(&self) -> Option<SocketAddr> {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        host.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, self.port))
    }

    pub(crate) fn host_and_port(&self) -> (&str, u16) {
        (&self.host, self.port)
    }
}

impl From<SocketAddr> for EndpointUrl {
    fn from(address: SocketAddr) -> Self {
        let authority = address.to_string();
        let host = authority.rsplit_once(':').map_or("", |(host, _)| host).to_owned();
        Self { url: format!("http://{authority}"), host, port: address.port() }
    }
}

impl FromStr for EndpointUrl {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let bad = |problem| TargetError::BadUrl { text: text.to_owned(), problem };
        let uri: Uri = text.trim().parse().map_err(|_| bad("it is no URL"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err(bad("the gateway speaks plain HTTP to endpoints")),
            _ => return Err(bad("it does not begin with `http://`")),
        }
        let authority = uri.authority().ok_or_else(|| bad("it has no host"))?;
        if authority.as_str().contains('@') {
            return Err(bad("it holds a user name"));
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(bad("it has a path, and requests bring their own"));
        }
        let host = authority.host().to_ascii_lowercase();
        if host.is_empty() {
            return Err(bad("it has no host"));
        }
        let port = match authority.port() {
            None if authority.as_str().len() > host.len() => return Err(bad("its port is none")),
            None => 80,
            Some(port) if port.as_u16() == 0 => return Err(bad("port 0 cannot be connected to")),
            Some(port) => port.as_u16(),
        };
        Ok(Self { url: format!("http://{host}:{port}"), host, port })
    }
}

impl fmt::Display for EndpointUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.url)
    }
}

/// A DNS name and a port: every address the name has is an endpoint.
///
/// ```
/// let target: gateway::DnsTarget = "dns:webapp:8080".parse().unwrap();
/// assert_eq!((target.name.as_str(), target.port), ("webapp", 8080));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsTarget {
    /// The name that is looked up.
    pub name: String,
    /// The port all endpoints listen on.
    pub port: u16,
}

impl FromStr for DnsTarget {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let bad = |problem| TargetError::BadDiscovery { text: text.to_owned(), problem };
        let rest = text.strip_prefix("dns:").ok_or_else(|| bad("it does not begin with `dns:`"))?;
        let (name, port) = rest.rsplit_once(':').ok_or_else(|| bad("it has no port"))?;
        if name.is_empty() {
            return Err(bad("it has no name"));
        }
        let port: u16 = port.parse().map_err(|_| bad("its port is not a number from 1 to 65535"))?;
        if port == 0 {
            return Err(bad("its port is not a number from 1 to 65535"));
        }
        Ok(Self { name: name.to_owned(), port })
    }
}

impl fmt::Display for DnsTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "dns:{}:{}", self.name, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_endpoints_have_one_spelling() {
        for (text, canonical) in [
            ("http://127.0.0.1:8081", "http://127.0.0.1:8081"),
            ("http://127.0.0.1:8081/", "http://127.0.0.1:8081"),
            ("HTTP://Web-1:8081", "http://web-1:8081"),
            ("http://web", "http://web:80"),
            ("http://[::1]:8081", "http://[::1]:8081"),
        ] {
            let url: EndpointUrl = text.parse().unwrap();
            assert_eq!(url.as_str(), canonical, "{text}");
        }
        let address: SocketAddr = "[::1]:8081".parse().unwrap();
        let url = EndpointUrl::from(address);
        assert_eq!(Ok(url.clone()), "http://[::1]:8081".parse());
        assert_eq!(url.socket_address(), Some(address));
    }

    #[test]
    fn what_is_no_endpoint_is_refused_with_a_reason() {
        for (text, reason) in [
            ("127.0.0.1:8081", "`http://`"),
            ("https://a:1", "plain HTTP"),
            ("http://a:1/path", "path"),
            ("http://a:1?x=1", "path"),
            ("http://user@a:1", "user name"),
            ("http://a:0", "port 0"),
            ("http://a:99999", "no"),
            ("", "no URL"),
            ("http://", "no"),
        ] {
            let error = text.parse::<EndpointUrl>().expect_err(text).to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn discovery_needs_a_name_and_a_port() {
        assert_eq!("dns:web.lab:80".parse(), Ok(DnsTarget { name: "web.lab".into(), port: 80 }));
        for text in ["web:80", "dns:web", "dns::80", "dns:web:0", "dns:web:http", "dns:web:70000"] {
            let error = text.parse::<DnsTarget>().expect_err(text).to_string();
            assert!(error.contains(text) && error.contains("dns:NAME:PORT"), "{error}");
        }
    }
}
