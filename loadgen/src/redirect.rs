//! Says where an answer redirects a request to, by one rule for every engine.
//!
//! The status is 301, 302, 303, 307 or 308 and there is a `Location`: the request goes on to it if it is on the service
//! under load, up to [`MOST_REDIRECTS`] times. Any other `Location` is not followed: users load the host that was named.

use std::fmt::Write as _;

use http::header::{CONTENT_TYPE, HOST};
use http::{Method, StatusCode};
use loadgen_baseline::FailureKind;
use reqwest::Url;

use crate::service_url::{ServiceUrl, without_credentials};
use crate::shown::shown;
use crate::users::prepared::Prepared;

/// How many redirects of one request are followed.
pub(crate) const MOST_REDIRECTS: usize = 10;

/// What an answer says about where to go on.
#[derive(Debug)]
pub(crate) enum Redirect {
    /// Nothing.
    None,
    /// This request is next.
    Follow(Box<Prepared>),
    /// It redirects, but not to where it could go on; and what explains that.
    Wrong(FailureKind, String),
}

/// Where a location leads, seen from a URL of the service.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// On the service.
    Here(Box<Url>),
    Wrong(FailureKind, String),
}

/// Whether an answer with this status and a `Location` redirects (RFC 9110, section 15.4).
pub(crate) fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// Whether what follows is asked for by GET and without the body: as browsers do, all but 307 and 308.
pub(crate) fn becomes_get(status: u16, method: &Method) -> bool {
    matches!(status, 301..=303) && !matches!(*method, Method::GET | Method::HEAD)
}

/// Where the answer with this status and `Location` sends the request `before`.
pub(crate) fn redirect(
    before: &Prepared,
    status: StatusCode,
    location: Option<&[u8]>,
    service: &ServiceUrl,
) -> Redirect {
    let Some(location) = location.filter(|_| is_redirect(status.as_u16())) else { return Redirect::None };
    let virtual_host = before.headers.get(HOST).filter(|host| **host != service.authority);
    let virtual_host = virtual_host.and_then(|host| host.to_str().ok());
    match destination(&before.url, location, service, virtual_host) {
        Destination::Wrong(kind, explanation) => Redirect::Wrong(kind, explanation),
        Destination::Here(url) => {
            let mut next = Prepared { url: *url, ..before.clone() };
            if becomes_get(status.as_u16(), &next.method) {
                next.method = Method::GET;
                next.body = None;
                next.headers.remove(CONTENT_TYPE);
            }
            Redirect::Follow(Box::new(next))
        }
    }
}

/// Where `location` leads from `from`; `virtual_host` is the `Host` that was sent where it is not the URL's.
pub(crate) fn destination(
    from: &Url,
    location: &[u8],
    service: &ServiceUrl,
    virtual_host: Option<&str>,
) -> Destination {
    let location = percent_encoded(location.trim_ascii());
    let bad = || {
        let explanation = format!("the Location is {}", shown(&without_credentials(&location)));
        Destination::Wrong(FailureKind::BadRedirect, explanation)
    };
    // An empty one would lead to the same URL forever.
    if location.is_empty() {
        return bad();
    }
    let Ok(mut url) = from.join(&location) else { return bad() };
    if !url.has_host() {
        return bad();
    }
    let is_virtual = virtual_host.is_some_and(|host| {
        url.scheme() == service.base.scheme() && authority(&url).eq_ignore_ascii_case(host)
    });
    if is_virtual {
        let (path, query) = (url.path().to_owned(), url.query().map(str::to_owned));
        url = service.base.clone();
        url.set_path(&path);
        url.set_query(query.as_deref());
    }
    if url.origin() != service.base.origin() {
        let origin = url.origin().ascii_serialization();
        let explanation = format!("to {}; hint: --host {origin} loads it directly", shown(&origin));
        return Destination::Wrong(FailureKind::RedirectElsewhere, explanation);
    }
    url.set_fragment(None);
    Destination::Here(Box::new(url))
}

fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Bytes beyond ASCII are encoded one by one, so raw UTF-8 is asked for as browsers do.
fn percent_encoded(location: &[u8]) -> String {
    let mut text = String::with_capacity(location.len());
    for byte in location {
        if byte.is_ascii() {
            text.push(char::from(*byte));
        } else {
            write!(text, "%{byte:02X}").expect("a string takes whatever is written");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use loadgen_baseline::FailureKind;

    use super::{Destination, destination};
    use crate::service_url::ServiceUrl;

    fn leads_to(location: &[u8], virtual_host: Option<&str>) -> Result<String, (FailureKind, String)> {
        let service = ServiceUrl::parse("http://shop.example:8000").unwrap();
        let from = service.base.join("/a/b?c=d").unwrap();
        match destination(&from, location, &service, virtual_host) {
            Destination::Here(url) => Ok(url.to_string()),
            Destination::Wrong(kind, explanation) => Err((kind, explanation)),
        }
    }

    #[test]
    fn a_location_on_the_service_is_followed_in_every_form() {
        for (location, url) in [
            (&b"/x"[..], "/x"),
            (b"y?z=1#top", "/a/y?z=1"),
            (b"?e", "/a/b?e"),
            (b"http://shop.example:8000/x", "/x"),
            (b"//shop.example:8000/x", "/x"),
            ("/ok/ü".as_bytes(), "/ok/%C3%BC"),
            (b"/caf\xe9", "/caf%E9"),
            (b" /x ", "/x"),
        ] {
            assert_eq!(
                leads_to(location, None),
                Ok(format!("http://shop.example:8000{url}")),
                "{location:?}"
            );
        }
        let of_virtual_host = leads_to(b"http://shop.test/x?y", Some("shop.test"));
        assert_eq!(of_virtual_host.as_deref(), Ok("http://shop.example:8000/x?y"));
    }

    #[test]
    fn what_leads_elsewhere_or_nowhere_has_its_own_words() {
        for (location, kind, part) in [
            (
                &b"https://shop.example:8000/x"[..],
                FailureKind::RedirectElsewhere,
                "https://shop.example:8000",
            ),
            (b"http://www.shop.example/", FailureKind::RedirectElsewhere, "--host http://www.shop.example"),
            (b"//other.example/x", FailureKind::RedirectElsewhere, "other.example"),
            (b"http://ann:secret@other.example/", FailureKind::RedirectElsewhere, "other.example"),
            (b"", FailureKind::BadRedirect, "``"),
            (b"http://", FailureKind::BadRedirect, "`http://`"),
            (b"http://ann:secret@h:99999/", FailureKind::BadRedirect, "h:99999"),
            (b"mailto:ann", FailureKind::BadRedirect, "mailto"),
        ] {
            let (found, explanation) = leads_to(location, None).expect_err("it is not followed");
            assert!(found == kind && explanation.contains(part), "{location:?}: {found} {explanation}");
            assert!(!explanation.contains("secret"), "{explanation}");
        }
        assert!(leads_to(b"https://shop.test/x", Some("shop.test")).is_err(), "another scheme");
    }
}
