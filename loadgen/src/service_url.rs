//! The URL of the service under load: checked once, the same for every engine, and never shown with its credentials.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use percent_encoding::percent_decode_str;
use reqwest::Url;

use crate::shown::shown;

/// What is expected of every URL.
const EXPECTED: &str = "scheme, host and port, such as http://127.0.0.1:8000";

/// Where requests go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceUrl {
    /// Scheme, host and port; no credentials, the path is `/`.
    pub(crate) base: Url,
    /// As it was given, without credentials, for results and messages.
    pub(crate) text: String,
    pub(crate) encrypted: bool,
    /// A name, or an address without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// What `Host` says.
    pub(crate) authority: HeaderValue,
    /// What `Authorization` says in each request that does not bring its own; none without credentials in the URL.
    pub(crate) authorization: Option<HeaderValue>,
}

/// A text that is not the URL of a service.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value}, expected {expected}; hint: {hint}")]
pub struct ServiceUrlError {
    /// What was given, without credentials.
    pub value: String,
    /// What would do.
    pub expected: &'static str,
    /// What to do next.
    pub hint: &'static str,
}

/// Checks the URL of a service: http or https, a host, a port that exists, no path; credentials may be in it and are
/// sent with every request.
///
/// # Errors
/// [`ServiceUrlError`] with a hint; the credentials are not in it.
pub fn check_service_url(text: &str) -> Result<(), ServiceUrlError> {
    ServiceUrl::parse(text).map(drop)
}

/// The URL without its user name and password, for messages and files.
pub fn without_credentials(text: &str) -> String {
    let Some((before, after)) = text.rsplit_once('@') else { return text.to_owned() };
    let scheme = before.find("//").map_or("", |slashes| &before[..slashes + 2]);
    format!("{scheme}{after}")
}

impl ServiceUrl {
    pub(crate) fn parse(text: &str) -> Result<Self, ServiceUrlError> {
        let text = text.trim();
        let refuse = |hint| {
            Err(ServiceUrlError { value: shown(&without_credentials(text)), expected: EXPECTED, hint })
        };
        let lower = text.to_ascii_lowercase();
        if !lower.starts_with("http://") && !lower.starts_with("https://") {
            return refuse(if lower.contains("://") {
                "only http:// and https:// can be loaded"
            } else {
                "a URL begins with http:// or https://"
            });
        }
        // A URL would drop or replace them without a word.
        if text.contains(|each: char| each.is_whitespace() || each.is_control() || each == '\\') {
            return refuse("leave away spaces and backslashes");
        }
        let mut base: Url = match text.parse() {
            Ok(url) => url,
            Err(error) => return refuse(hint_of(&error.to_string())),
        };
        if base.path() != "/" || base.query().is_some() || base.fragment().is_some() {
            return refuse("leave away what follows the port: each request brings its own path");
        }
        let (Some(host), Some(port)) = (base.host_str(), base.port_or_known_default()) else {
            return refuse("a URL names a host");
        };
        if port == 0 {
            return refuse("port 0 cannot be connected to");
        }
        let authority = base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let Ok(authority) = HeaderValue::from_str(&authority) else {
            return refuse("a host has letters, digits, `-` and `.`");
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let authorization = authorization(&base);
        // Neither fails for a URL with a host.
        let _ = base.set_username("").and_then(|()| base.set_password(None));
        let (encrypted, text) = (base.scheme() == "https", without_credentials(text));
        Ok(Self { base, text, encrypted, host, port, authority, authorization })
    }
}

/// Basic credentials (RFC 7617) of a URL that has any.
fn authorization(url: &Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let mut pair: Vec<u8> = percent_decode_str(url.username()).collect();
    pair.push(b':');
    pair.extend(percent_decode_str(url.password().unwrap_or_default()));
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair)))
        .expect("letters and digits are a header value");
    value.set_sensitive(true);
    Some(value)
}

fn hint_of(problem: &str) -> &'static str {
    if problem.contains("port") {
        "a port is a number from 1 to 65535"
    } else if problem.contains("empty host") {
        "a URL names a host"
    } else {
        "a host is a name or an address: shop.example, 127.0.0.1 or [::1]"
    }
}

#[cfg(test)]
mod tests {
    use super::{ServiceUrl, without_credentials};

    fn parse(text: &str) -> ServiceUrl {
        ServiceUrl::parse(text).expect(text)
    }

    #[test]
    fn a_url_has_its_schemes_port_and_a_host_without_brackets() {
        let url = parse("https://[::1]");
        assert_eq!((url.host.as_str(), url.port, url.encrypted), ("::1", 443, true));
        assert_eq!(url.authority, "[::1]");
        let url = parse(" http://Shop.Example:8000/ ");
        assert_eq!((url.host.as_str(), url.port, url.encrypted), ("shop.example", 8000, false));
        assert_eq!(url.authority, "shop.example:8000");
        assert_eq!(url.authorization, None);
    }

    #[test]
    fn credentials_become_a_header_and_stand_nowhere_else() {
        for (text, header) in [
            ("http://zoe:secret@shop.example:81", "Basic em9lOnNlY3JldA=="),
            ("https://zoe@shop.example", "Basic em9lOg=="),
            ("http://:secret@shop.example", "Basic OnNlY3JldA=="),
            ("http://a%40b:c%3Ad@shop.example/", "Basic YUBiOmM6ZA=="),
        ] {
            let url = parse(text);
            assert_eq!(url.authorization.as_ref().unwrap(), header, "{text}");
            let shown = format!("{url:?}");
            for secret in ["zoe", "secret", "c%3A", "em9l", "@"] {
                assert!(!shown.contains(secret), "{text}: {shown}");
            }
        }
        assert_eq!(parse("http://zoe:secret@shop.example:81").text, "http://shop.example:81");
    }

    #[test]
    fn what_is_not_the_url_of_a_service_is_refused_with_a_hint_and_without_credentials() {
        for (text, hint) in [
            ("shop.example", "begins with http://"),
            ("zoe:secret@shop.example", "begins with http://"),
            ("ftp://zoe:secret@shop.example", "only http://"),
            ("http://zoe:secret@h:99999", "65535"),
            ("http://h:0", "port 0"),
            ("http://h:http", "65535"),
            ("http://", "names a host"),
            ("http://zoe:secret@", "names a host"),
            ("http://zoe:sec/ret@h:99999", "65535"),
            ("http://h/path", "follows the port"),
            ("http://zoe:secret@h/?a=b", "follows the port"),
            ("http://h#top", "follows the port"),
            ("http://h\\path", "backslashes"),
            ("http://h h", "spaces"),
            ("http://[::1", "a name or an address"),
        ] {
            let error = ServiceUrl::parse(text).expect_err(text).to_string();
            assert!(error.contains(hint), "{text}: {error}");
            assert!(!error.contains("secret") && !error.contains("zoe"), "{text}: {error}");
        }
        let long = format!("http://{}\u{1b}[31m", "x".repeat(10_000));
        let error = ServiceUrl::parse(&long).expect_err("it has a control character").to_string();
        assert!(error.len() < 300 && !error.contains('\u{1b}'), "{error}");
    }

    #[test]
    fn credentials_are_cut_from_any_text() {
        assert_eq!(without_credentials("http://a:b@h:1/x"), "http://h:1/x");
        assert_eq!(without_credentials("http://a:b@c@h"), "http://h");
        assert_eq!(without_credentials("a:b@h"), "h");
        assert_eq!(without_credentials("http://h"), "http://h");
    }
}
