//! Lets only a listener's own page, and programs other than browsers, change something.
//!
//! Two attacks are meant. In DNS rebinding a page of another site points its own name at a loopback address; its
//! requests then carry that name as `Host`. In a cross-site request a page simply addresses a loopback port; the browser
//! then sends an `Origin` that is not this host, or, for an image or a link, no `Origin` but a `Sec-Fetch-Site`.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{HOST, HeaderName, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, StatusCode, Uri};

use super::error::ErrorReply;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Longest part of a header that is repeated in an answer.
const TOLD_MAX: usize = 80;

/// The names under which changes are taken.
#[derive(Clone, Debug, Default)]
pub struct AllowedHosts {
    names: Vec<String>,
    takes_private_names: bool,
}

impl AllowedHosts {
    /// Loopback addresses, `localhost`, and these names.
    pub fn new(names: &[String]) -> Self {
        let names = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        Self { names, takes_private_names: false }
    }

    /// Also any address, and any name without a dot, as other processes of a service use them in a network of
    /// containers. A page can make neither its own: a name that its owner can point somewhere has a dot.
    #[must_use]
    pub fn with_private_names(mut self) -> Self {
        self.takes_private_names = true;
        self
    }

    fn allows(&self, host: &str) -> bool {
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        match bare.parse::<IpAddr>() {
            Ok(address) => self.takes_private_names || address.is_loopback(),
            Err(_) => {
                host.eq_ignore_ascii_case("localhost")
                    || self.names.contains(&host.to_ascii_lowercase())
                    || (self.takes_private_names && !host.contains(['.', '[', ']']))
            }
        }
    }

    /// Whether a request with this target and these headers may change something.
    ///
    /// # Errors
    /// 403 with what is wrong and how to allow it.
    pub fn judge(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), ErrorReply> {
        let host = single(headers, &HOST)?.unwrap_or_default();
        self.judge_host(host)?;
        // A whole URL as the target beats `Host`, so it is held to the same rule.
        if let Some(authority) = uri.authority() {
            self.judge_host(authority.as_str())?;
        }
        if let Some(origin) = single(headers, &ORIGIN)? {
            let is_own = origin
                .strip_prefix("http://")
                .or_else(|| origin.strip_prefix("https://"))
                .is_some_and(|own| own.eq_ignore_ascii_case(host));
            if !is_own {
                return Err(refused(
                    format!("changes are not taken from a page of `{}`", shortened(origin)),
                    "use the page of this address, or a program that sends no Origin",
                ));
            }
        }
        match single(headers, &SEC_FETCH_SITE)? {
            None | Some("same-origin" | "none") => Ok(()),
            Some(site) => Err(refused(
                format!("changes are not taken from another page (Sec-Fetch-Site: {})", shortened(site)),
                "use the page of this address, or a program that is not a browser",
            )),
        }
    }

    fn judge_host(&self, host: &str) -> Result<(), ErrorReply> {
        let authority = host.parse::<Authority>().ok().filter(|_| !host.contains('@'));
        if authority.is_some_and(|authority| self.allows(authority.host())) {
            return Ok(());
        }
        Err(refused(
            format!("changes are not taken under the host name `{}`", shortened(host)),
            "use http://localhost or a loopback address, or allow the name with --allowed-hosts",
        ))
    }
}

/// axum middleware around everything that changes something.
///
/// # Errors
/// As [`AllowedHosts::judge`].
pub async fn check(
    State(allowed): State<Arc<AllowedHosts>>,
    request: Request,
    next: Next,
) -> Result<Response, ErrorReply> {
    allowed.judge(request.uri(), request.headers())?;
    Ok(next.run(request).await)
}

/// The only value of a header. Of several, each reader takes another one, so they are refused; one that is not text
/// is no name.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, ErrorReply> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().map(|value| value.to_str().unwrap_or_default());
    if values.next().is_some() {
        let error = format!("changes are not taken with several values of the header `{name}`");
        return Err(refused(error, "send the header once"));
    }
    Ok(first)
}

fn shortened(text: &str) -> String {
    text.chars().take(TOLD_MAX).flat_map(char::escape_debug).collect()
}

fn refused(error: String, hint: &str) -> ErrorReply {
    ErrorReply::new(StatusCode::FORBIDDEN, error, hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge_by(allowed: &AllowedHosts, target: &str, pairs: &[(HeaderName, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name.clone(), value.parse().unwrap());
        }
        allowed.judge(&target.parse().unwrap(), &headers).is_ok()
    }

    fn judge(pairs: &[(HeaderName, &str)]) -> bool {
        judge_by(&AllowedHosts::new(&["Lab.Example".to_owned()]), "/endpoints", pairs)
    }

    #[test]
    fn own_names_pass() {
        for host in
            ["localhost:8080", "LOCALHOST", "127.0.0.1:8080", "127.1.2.3", "[::1]:8080", "lab.example:80"]
        {
            assert!(judge(&[(HOST, host)]), "{host}");
        }
    }

    #[test]
    fn foreign_names_do_not() {
        let hosts = [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "10.0.0.1:8080",
            "",
            "[::2]",
            "a b",
        ];
        for host in hosts {
            assert!(!judge(&[(HOST, host)]), "{host}");
        }
        assert!(!judge(&[]), "no host at all");
    }

    #[test]
    fn only_the_own_page_is_an_origin() {
        let host = (HOST, "localhost:8080");
        assert!(judge(&[host.clone(), (ORIGIN, "http://localhost:8080")]));
        for origin in
            ["http://localhost:3000", "http://evil.example", "null", "", "localhost:8080", "http://localhost"]
        {
            assert!(!judge(&[host.clone(), (ORIGIN, origin)]), "{origin}");
        }
    }

    #[test]
    fn an_image_on_another_page_is_recognised() {
        let host = (HOST, "localhost:8080");
        for (site, passes) in
            [("same-origin", true), ("none", true), ("same-site", false), ("cross-site", false)]
        {
            assert_eq!(judge(&[host.clone(), (SEC_FETCH_SITE, site)]), passes, "{site}");
        }
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        let host = (HOST, "localhost:8001");
        assert!(!judge(&[host.clone(), (HOST, "evil.example")]), "two hosts");
        assert!(!judge(&[(HOST, "user@localhost:8001")]), "a user");
        let origin = (ORIGIN, "http://localhost:8001");
        assert!(!judge(&[host.clone(), origin.clone(), (ORIGIN, "http://evil.example")]), "two origins");
        assert!(
            !judge(&[host.clone(), (SEC_FETCH_SITE, "none"), (SEC_FETCH_SITE, "cross-site")]),
            "two sites"
        );
        let strict = AllowedHosts::default();
        assert!(judge_by(&strict, "http://localhost:8001/endpoints", std::slice::from_ref(&host)));
        assert!(
            !judge_by(&strict, "http://evil.example/endpoints", &[host]),
            "the target names another host"
        );
    }

    #[test]
    fn private_names_are_taken_only_where_that_was_asked_for() {
        let open = AllowedHosts::new(&["shop.example".to_owned()]).with_private_names();
        for host in ["10.0.0.1:8000", "[fd00::7]:8000", "gateway:8000", "webapp", "shop.example"] {
            assert!(judge_by(&open, "/load/spike", &[(HOST, host)]), "{host}");
        }
        for host in ["evil.example", "10.0.0.1.evil.example:8000", "gateway.evil", "localhost.", "", "[x]"] {
            assert!(!judge_by(&open, "/load/spike", &[(HOST, host)]), "{host}");
        }
        assert!(!judge(&[(HOST, "gateway:8001")]));
        let cross = [(HOST, "gateway:8000"), (ORIGIN, "http://evil.example")];
        assert!(!judge_by(&open, "/load/spike", &cross), "a page is refused all the same");
    }

    #[test]
    fn a_refusal_repeats_little_and_nothing_that_controls_a_terminal() {
        let long = format!("{}.example", "x".repeat(500));
        let mut headers = HeaderMap::new();
        headers.insert(HOST, long.parse().unwrap());
        let reply = AllowedHosts::default().judge(&Uri::from_static("/"), &headers).unwrap_err();
        assert!(reply.body.error.len() < 200, "{reply:?}");
    }
}
