//! Lets only this scaler's own page, and programs that are no browser, change something.
//!
//! Two attacks are meant. In DNS rebinding a page of another site points its own name at a loopback address; its
//! requests then carry that name as `Host`. In a cross-site request a page simply addresses a loopback port; the browser
//! then sends an `Origin` that is not this host, or, for an image or a link, no `Origin` but a `Sec-Fetch-Site`.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{HOST, HeaderName, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use observability::http::error::ErrorReply;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The names under which changes are taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct AllowedHosts(Vec<String>);

impl AllowedHosts {
    /// Loopback addresses, `localhost`, and these names.
    pub(crate) fn new(names: &[String]) -> Self {
        Self(names.iter().map(|name| name.to_ascii_lowercase()).collect())
    }

    fn allows(&self, host: &str) -> bool {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
            || host.eq_ignore_ascii_case("localhost")
            || self.0.contains(&host.to_ascii_lowercase())
    }

    fn judge(&self, headers: &HeaderMap) -> Result<(), ErrorReply> {
        let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
        let host = text(&HOST).unwrap_or_default();
        let authority: Option<Authority> = host.parse().ok();
        if !authority.is_some_and(|authority| self.allows(authority.host())) {
            return Err(refused(
                format!("changes are not taken under the host name `{host}`"),
                "use http://localhost or a loopback address, or allow the name with --allowed-hosts",
            ));
        }
        if let Some(origin) = text(&ORIGIN) {
            let is_own = origin
                .strip_prefix("http://")
                .or_else(|| origin.strip_prefix("https://"))
                .is_some_and(|own| own.eq_ignore_ascii_case(host));
            if !is_own {
                return Err(refused(
                    format!("changes are not taken from a page of `{origin}`"),
                    "use the scaler's own page, or a program that sends no Origin",
                ));
            }
        }
        match text(&SEC_FETCH_SITE) {
            None | Some("same-origin" | "none") => Ok(()),
            Some(site) => Err(refused(
                format!("changes are not taken from another page (Sec-Fetch-Site: {site})"),
                "use the scaler's own page, or a program that is no browser",
            )),
        }
    }
}

/// axum middleware around everything that changes something.
pub(super) async fn check(
    State(allowed): State<Arc<AllowedHosts>>,
    request: Request,
    next: Next,
) -> Result<Response, ErrorReply> {
    allowed.judge(request.headers())?;
    Ok(next.run(request).await)
}

fn refused(error: String, hint: &str) -> ErrorReply {
    ErrorReply::new(StatusCode::FORBIDDEN, error, hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(pairs: &[(HeaderName, &str)]) -> bool {
        let headers = pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        AllowedHosts::new(&["Lab.Example".to_owned()]).judge(&headers).is_ok()
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
}
