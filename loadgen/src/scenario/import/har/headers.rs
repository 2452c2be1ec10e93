//! Chooses the headers that are sent again: all but the connection's, the browser's own, and credentials.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue};

use super::super::super::located::Located;
use super::super::credential::is_credential;
use super::super::made::literal;
use super::super::notes::{Kind, Notes};

/// Headers of the connection or of the load generator itself.
const OF_CONNECTION: [&str; 20] = [
    "accept-encoding",
    "alt-used",
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "traceparent",
    "tracestate",
    "x-client-data",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
];

/// Headers that a browser adds to every request; what begins with `sec-` is its own too.
const OF_BROWSER: [&str; 9] = [
    "accept-charset",
    "cache-control",
    "dnt",
    "origin",
    "pragma",
    "priority",
    "referer",
    "upgrade-insecure-requests",
    "user-agent",
];

const BROWSERS_OWN: Kind =
    Kind { verb: "left out", noun: ["header", "headers"], which: "that the browser or the connection adds" };

const CREDENTIALS: Kind = Kind {
    verb: "left out",
    noun: ["credential", "credentials"],
    which: "(log in in `onStart`, or set them from a variable or feeder)",
};

const UNSENDABLE: Kind = Kind {
    verb: "left out",
    noun: ["header", "headers"],
    which: "that cannot be sent as they were recorded",
};

const JOINED: Kind = Kind { verb: "joined", noun: ["header", "headers"], which: "sent on several lines" };

/// Says that a credential of this name was left out.
pub(super) fn credential_left_out(notes: &mut Notes, name: &str, place: &str) {
    notes.count(CREDENTIALS, &format!("{name} in the {place}"));
}

/// The headers that are sent again.
pub(super) fn kept(recorded: &[(String, String)], notes: &mut Notes) -> BTreeMap<String, Located<String>> {
    let mut kept: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in recorded {
        let name = name.trim().to_ascii_lowercase();
        // What begins with a colon is HTTP/2's way to write the request line.
        if name.is_empty() || name.starts_with(':') {
            continue;
        }
        if is_credential(&name) {
            credential_left_out(notes, &name, "headers");
        } else if OF_CONNECTION.contains(&name.as_str())
            || OF_BROWSER.contains(&name.as_str())
            || name.starts_with("sec-")
        {
            notes.count(BROWSERS_OWN, &name);
        } else if name.parse::<HeaderName>().is_err() || HeaderValue::from_str(value).is_err() {
            notes.count(UNSENDABLE, &name);
        } else if let Some(first) = kept.get_mut(&name) {
            // RFC 9110, section 5.3: the same as several lines.
            notes.count(JOINED, &name);
            first.push_str(", ");
            first.push_str(value);
        } else {
            kept.insert(name, value.clone());
        }
    }
    kept.into_iter().map(|(name, value)| (name, literal(&value).into())).collect()
}
