//! Chooses the origin whose requests become the scenario: a recording has those of advertisers and of the browser too.

use reqwest::Url;

use super::super::super::error::Mistake;
use super::super::made::quoted;
use super::entry::Entry;

/// A request over HTTP that reached a server.
pub(super) struct Sent<'a> {
    pub(super) entry: &'a Entry,
    pub(super) url: &'a Url,
}

/// How many redirects are followed from the first request.
const REDIRECTS_MAX: usize = 20;

/// The origin of a URL, as it is written.
pub(super) fn of(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// The origin that the user named.
pub(super) fn named(text: &str, sent: &[Sent<'_>]) -> Result<String, Mistake> {
    let url = text.parse::<Url>().ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let Some(url) = url else {
        return Err(Mistake::new(
            None,
            format!("--har-origin is {}, expected a URL such as https://shop.example", quoted(text)),
            there_are(sent),
        ));
    };
    let origin = of(&url);
    if sent.iter().any(|sent| of(sent.url) == origin) {
        return Ok(origin);
    }
    Err(Mistake::new(
        None,
        format!("no request was recorded to {origin}, as --har-origin says"),
        there_are(sent),
    ))
}

fn there_are(sent: &[Sent<'_>]) -> String {
    let counts: Vec<_> =
        counted(sent).into_iter().map(|(origin, count)| format!("{origin} ({count})")).collect();
    format!("there are {}", counts.join(", "))
}

/// How many requests went to each origin, in the order of their first one.
pub(super) fn counted(sent: &[Sent<'_>]) -> Vec<(String, usize)> {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for sent in sent {
        let origin = of(sent.url);
        match counts.iter_mut().find(|(known, _)| *known == origin) {
            Some((_, count)) => *count += 1,
            None => counts.push((origin, 1)),
        }
    }
    counts
}

/// The origin of the visit: of those that sent pages the one with most requests; without any page, where the redirects
/// of the first request end, or else the one with most requests.
pub(super) fn of_visit(sent: &[Sent<'_>]) -> Option<String> {
    let with_pages: Vec<_> =
        sent.iter().filter(|sent| is_page(sent.entry)).map(|sent| of(sent.url)).collect();
    let counts = counted(sent);
    let most = |candidates: &dyn Fn(&str) -> bool| {
        let mut best: Option<(&str, usize)> = None;
        for (origin, count) in counts.iter().filter(|(origin, _)| candidates(origin)) {
            // Of equals the first.
            if best.is_none_or(|(_, most)| *count > most) {
                best = Some((origin, *count));
            }
        }
        best.map(|(origin, _)| origin.to_owned())
    };
    most(&|origin| with_pages.iter().any(|known| known == origin))
        .or_else(|| end_of_redirects(sent))
        .or_else(|| most(&|_| true))
}

/// Whether an entry is a page that was visited and not a redirect to one.
fn is_page(entry: &Entry) -> bool {
    entry.is_page && entry.status.is_none_or(|status| !(300..400).contains(&status))
}

/// Where the redirects of the first request end, if it was redirected to a request that was recorded.
fn end_of_redirects(sent: &[Sent<'_>]) -> Option<String> {
    let mut at = sent.first()?;
    let mut moved = false;
    for _ in 0..REDIRECTS_MAX {
        let is_redirect = at.entry.status.is_some_and(|status| (300..400).contains(&status));
        let target = at.entry.location.as_ref().filter(|_| is_redirect);
        let Some(target) = target.and_then(|location| at.url.join(location).ok()) else { break };
        let Some(next) =
            sent.iter().find(|sent| of(sent.url) == of(&target) && sent.url.path() == target.path())
        else {
            break;
        };
        at = next;
        moved = true;
    }
    moved.then(|| of(at.url))
}
