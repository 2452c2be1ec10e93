//! Serves the live page: a few small files that are part of the binary, under a strict content security policy.
//!
//! The page needs nothing from elsewhere and works offline. A browser asks again for each file, and is answered 304 as
//! long as it has the one of this binary, so a new scaler never meets an old script.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::body::Body;
use axum::extract::Path;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY,
};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use observability::http::error::ErrorReply;

use super::ROUTES_HINT;

/// Only files and requests of this origin, no text that becomes code or markup, in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

struct PageFile {
    name: &'static str,
    content_type: &'static str,
    text: &'static str,
}

macro_rules! page_files {
    ($($name:literal: $content_type:ident),* $(,)?) => {
        &[$(PageFile {
            name: $name,
            content_type: $content_type,
            text: include_str!(concat!("../page/", $name)),
        }),*]
    };
}

const FILES: &[PageFile] = page_files! {
    "index.html": HTML,
    "page.css": CSS,
    "icon.svg": SVG,
    "main.js": SCRIPT,
    "chart.js": SCRIPT,
    "chart_marks.js": SCRIPT,
    "charts.js": SCRIPT,
    "controls.js": SCRIPT,
    "decisions.js": SCRIPT,
    "dom.js": SCRIPT,
    "freshness.js": SCRIPT,
    "history.js": SCRIPT,
    "live.js": SCRIPT,
    "load.js": SCRIPT,
    "overview.js": SCRIPT,
    "replicas.js": SCRIPT,
    "service.js": SCRIPT,
    "units.js": SCRIPT,
};

/// `GET /`.
pub(super) async fn index(headers: HeaderMap) -> Response<Body> {
    serve(&FILES[0], &headers)
}

/// `GET /page/FILE`.
pub(super) async fn file(Path(name): Path<String>, headers: HeaderMap) -> Result<Response<Body>, ErrorReply> {
    let file = FILES.iter().find(|file| file.name == name);
    file.map(|file| serve(file, &headers))
        .ok_or_else(|| ErrorReply::unknown_route(&format!("/page/{name}"), ROUTES_HINT))
}

fn serve(file: &PageFile, asked: &HeaderMap) -> Response<Body> {
    let tag = tag(file.text);
    let is_known = asked.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Response::new(Body::from(file.text))
    };
    let headers = response.headers_mut();
    headers.insert(ETAG, HeaderValue::from_str(&tag).expect("a quoted hexadecimal number"));
    for (name, value) in [
        (CONTENT_TYPE, file.content_type),
        (CACHE_CONTROL, "no-cache"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn tag(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Without compression; the page must be there at once on a phone.
    const SIZE_MAX: usize = 96 * 1024;

    #[test]
    fn the_page_is_small_and_refers_to_nothing_elsewhere() {
        let size: usize = FILES.iter().map(|file| file.text.len()).sum();
        assert!(size <= SIZE_MAX, "{size} bytes, expected at most {SIZE_MAX}");
        for file in FILES {
            let text = file.text.replace("http://www.w3.org/2000/svg", "");
            for elsewhere in ["http://", "https://", "src=\"//", "@import", "url("] {
                assert!(!text.contains(elsewhere), "{} contains {elsewhere}", file.name);
            }
        }
    }

    #[test]
    fn nothing_in_it_needs_a_weaker_policy() {
        for file in FILES {
            let needs_weaker: &[&str] = match file.content_type {
                SCRIPT => &[
                    "innerHTML",
                    "outerHTML",
                    "insertAdjacentHTML",
                    "document.write",
                    "eval(",
                    "new Function",
                ],
                HTML => &["<style", "style=\"", " onclick", " onload", "javascript:"],
                _ => &[],
            };
            for text in needs_weaker {
                assert!(!file.text.contains(text), "{} contains {text}", file.name);
            }
        }
    }

    #[test]
    fn every_file_that_another_names_is_served() {
        let is_served = |name: &str| FILES.iter().any(|file| file.name == name);
        for file in FILES {
            let (html, script) = (file.text.split("\"/page/").skip(1), file.text.split("from \"./").skip(1));
            for rest in html.chain(script) {
                let name = rest.split('"').next().unwrap_or_default();
                assert!(is_served(name), "{} names {name}, which is not served", file.name);
            }
        }
    }
    /// The colours of one scheme, by name.
    fn colours(block: &str) -> BTreeMap<&str, [f64; 3]> {
        let lines = block.lines().filter_map(|line| line.trim().strip_prefix("--")?.split_once(": #"));
        let part =
            |hex: &str, at: usize| f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
        lines.map(|(name, hex)| (name, [part(hex, 0), part(hex, 2), part(hex, 4)])).collect()
    }

    /// WCAG 2.2, "relative luminance".
    fn luminance(colour: [f64; 3]) -> f64 {
        let linear = colour
            .map(|part| if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }

    #[test]
    fn text_and_lines_stand_out_from_their_ground_in_both_schemes() {
        let css = FILES.iter().find(|file| file.name == "page.css").unwrap().text;
        let (light, dark) = css.split_once("prefers-color-scheme: dark").unwrap();
        for (scheme, block) in [("light", light), ("dark", dark)] {
            let colours = colours(block);
            let contrast = |one: &str, other: &str| {
                let (one, other) = (luminance(colours[one]), luminance(colours[other]));
                (one.max(other) + 0.05) / (one.min(other) + 0.05)
            };
            let texts = [
                ("text", "ground"),
                ("text", "card"),
                ("muted", "ground"),
                ("muted", "card"),
                ("good", "card"),
                ("bad", "card"),
                ("warn", "card"),
                ("blue", "card"),
                ("orange", "card"),
                ("accent-text", "accent"),
                ("text", "good-ground"),
                ("text", "bad-ground"),
                ("text", "warn-ground"),
                ("card", "text"),
            ];
            let lines = [
                ("purple", "card"),
                ("teal", "card"),
                ("grey", "card"),
                ("focus", "card"),
                ("focus", "ground"),
            ];
            for (pairs, least) in [(&texts[..], 4.5), (&lines[..], 3.0)] {
                for (one, other) in pairs {
                    let found = contrast(one, other);
                    assert!(found >= least, "{scheme}: {one} on {other} has {found:.2}, expected {least}");
                }
            }
        }
    }
}
