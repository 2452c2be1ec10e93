//! Says what went wrong in one look, as a sentence for people: which part, what it did, no request's address.

use std::time::Duration;

use http_client::ClientError;

/// Longest text of a problem, in characters; what an endpoint answers may be longer than a page can show.
const TEXT_MAX: usize = 240;

/// What one replica did instead of giving its metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaProblem {
    /// Its URL.
    pub url: String,
    /// What it did, to follow its name.
    pub predicate: String,
}

impl ReplicaProblem {
    pub(super) fn new(url: &str, predicate: &str) -> Self {
        Self { url: url.to_owned(), predicate: bounded(predicate) }
    }

    /// The sentence, with the platform's name of the replica if that is known.
    pub(crate) fn sentence(&self, id: Option<&str>) -> String {
        let address = address_of(&self.url);
        match id {
            Some(id) => format!("{id} ({address}) {}", self.predicate),
            None => format!("the replica at {address} {}", self.predicate),
        }
    }
}

/// What a part did instead of answering `request`, to follow its name.
pub(super) fn instead_of_answering(request: &str, error: &ClientError) -> String {
    match error {
        ClientError::TimedOut { after, .. } => format!("did not answer {request} within {}", millis(*after)),
        ClientError::Failed { problem, .. } => format!("could not be reached for {request}: {problem}"),
        ClientError::TooLarge { limit_bytes, .. } => {
            format!("answered {request} with more than {limit_bytes} bytes")
        }
        ClientError::Refused { status, message, .. } => {
            format!("answered {request} with status {status}: {message}")
        }
        ClientError::BadJson { problem, .. } => {
            format!("answered {request} with unexpected JSON: {problem}")
        }
        ClientError::BadUrl { problem, .. } => {
            format!("has an address that cannot be sent {request}: {problem}")
        }
    }
}

/// Host and port of a URL.
pub(super) fn address_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

fn millis(span: Duration) -> String {
    format!("{} ms", span.as_millis())
}

/// The text in one line, without control characters, and no longer than a page can show.
pub(super) fn bounded(text: &str) -> String {
    let mut bounded = String::new();
    for (index, letter) in text.chars().enumerate() {
        if index == TEXT_MAX {
            bounded.push('…');
            break;
        }
        if letter.is_control() {
            bounded.extend(letter.escape_default());
        } else {
            bounded.push(letter);
        }
    }
    bounded
}

#[cfg(test)]
mod tests {
    use http::{Method, StatusCode};

    use super::*;

    const METRICS: &str = "http://127.0.0.1:33655/metrics?name%5B%5D=webapp_workers&name%5B%5D=webapp_info";

    fn errors() -> Vec<ClientError> {
        let (method, url) = (Method::GET, METRICS.to_owned());
        vec![
            ClientError::TimedOut {
                method: method.clone(),
                url: url.clone(),
                after: Duration::from_millis(800),
            },
            ClientError::Failed {
                method: method.clone(),
                url: url.clone(),
                problem: "connection refused".to_owned(),
            },
            ClientError::TooLarge { method: method.clone(), url: url.clone(), limit_bytes: 9 },
            ClientError::Refused {
                method: method.clone(),
                url: url.clone(),
                status: StatusCode::INTERNAL_SERVER_ERROR,
                message: "x".repeat(5000),
            },
            ClientError::BadJson { method, url, problem: "line 1\nof \u{1b}[31m".to_owned() },
        ]
    }

    #[test]
    fn a_replica_is_named_and_no_requests_url_is_shown() {
        for error in errors() {
            let text = instead_of_answering("its metrics request", &error);
            let sentence = ReplicaProblem::new("http://127.0.0.1:33655/", &text).sentence(Some("webapp-5"));
            assert!(sentence.starts_with("webapp-5 (127.0.0.1:33655) "), "{sentence}");
            assert!(!sentence.contains('%') && !sentence.contains("name"), "{sentence}");
            assert!(!sentence.chars().any(char::is_control), "{sentence}");
            assert!(sentence.chars().count() < 300, "{} characters", sentence.chars().count());
        }
    }

    #[test]
    fn the_sentence_says_what_was_waited_for_and_how_long() {
        let text = instead_of_answering("its metrics request", &errors()[0]);
        let problem = ReplicaProblem::new("http://127.0.0.1:33655", &text);
        assert_eq!(
            problem.sentence(Some("webapp-5")),
            "webapp-5 (127.0.0.1:33655) did not answer its metrics request within 800 ms"
        );
        assert_eq!(
            problem.sentence(None),
            "the replica at 127.0.0.1:33655 did not answer its metrics request within 800 ms"
        );
    }

    #[test]
    fn addresses_lose_what_stands_around_them() {
        for (url, address) in [
            ("http://127.0.0.1:33655", "127.0.0.1:33655"),
            ("http://[::1]:80/metrics?a=b", "[::1]:80"),
            ("webapp-1:8000", "webapp-1:8000"),
            ("", ""),
        ] {
            assert_eq!(address_of(url), address);
        }
    }
}
