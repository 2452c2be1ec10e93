//! Finds under which path and at which host a description has an operation.

use reqwest::Url;

use super::super::super::untyped::Untyped;
use super::api::{Api, Operation};

/// The URL of the operation's first server, with its variables' defaults; the nearest list of servers counts, whole.
fn url(root: &Untyped, operation: &Operation<'_>) -> Option<String> {
    let servers =
        [operation.fields, operation.item, root].into_iter().find_map(|place| place.get("servers"))?;
    let server = servers.entries().first()?;
    let mut url = server.get("url").and_then(Untyped::as_str).unwrap_or_default().to_owned();
    for (name, variable) in server.get("variables").map(Untyped::fields).unwrap_or_default() {
        if let Some(default) = variable.get("default") {
            url = url.replace(&format!("{{{name}}}"), &default.as_text());
        }
    }
    Some(url)
}

/// The path under which the operation's server has it, without a slash at its end; empty where that is the root.
pub(super) fn path(root: &Untyped, operation: &Operation<'_>) -> String {
    let url = url(root, operation).unwrap_or_default();
    let after_slashes = url.split_once("//").filter(|(before, _)| before.is_empty() || before.ends_with(':'));
    let path = match after_slashes {
        Some((_, after)) => after.split_once('/').map_or("", |(_host, path)| path),
        None => url.as_str(),
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    segments.iter().flat_map(|segment| ["/", segment]).collect()
}

/// The hosts that the operations are described for.
#[derive(Default)]
pub(super) struct Hosts(Vec<(String, usize)>);

impl Hosts {
    pub(super) fn add(&mut self, api: &Api<'_>, operation: &Operation<'_>) {
        let Some(origin) = url(api.root, operation).and_then(|url| origin_of(&url)) else { return };
        match self.0.iter_mut().find(|(known, _)| *known == origin) {
            Some((_, count)) => *count += 1,
            None => self.0.push((origin, 1)),
        }
    }

    /// Which --host to give.
    pub(super) fn note(&self) -> String {
        match self.0.as_slice() {
            [] => "the description names no host: --host says where the service is".to_owned(),
            [(origin, _)] => format!("described for {origin}: play it with --host {origin}"),
            several => {
                let hosts: Vec<_> =
                    several.iter().map(|(origin, count)| format!("{origin} ({count})")).collect();
                format!("described for several hosts, of which --host takes one: {}", hosts.join(", "))
            }
        }
    }
}

/// Where the base of a description leads to, for one that names a host.
fn origin_of(url: &str) -> Option<String> {
    let url = url.parse::<Url>().ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    Some(url.origin().ascii_serialization())
}
