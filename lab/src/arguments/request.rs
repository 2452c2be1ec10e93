//! Reads a request from a flag: `GET /`, `3 POST /order {"quantity": 2}`.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method};
use loadgen::WeightedRequest;

/// What to send, and how often compared with others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestSpec {
    weight: u32,
    method: Method,
    path: String,
    body: Option<String>,
}

impl RequestSpec {
    /// The request as the engine takes it; a body is JSON.
    pub(crate) fn weighted(&self) -> WeightedRequest {
        let json = (CONTENT_TYPE, HeaderValue::from_static("application/json"));
        WeightedRequest {
            weight: self.weight,
            method: self.method.clone(),
            path: self.path.clone(),
            headers: self.body.iter().map(|_| json.clone()).collect(),
            body: self.body.clone().map(Bytes::from),
        }
    }
}

impl FromStr for RequestSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || {
            format!(
                "`{text}` is no request, expected [WEIGHT] METHOD PATH [BODY] such as `GET /` or `3 POST /order {{}}`"
            )
        };
        let (first, rest) = text.trim().split_once(' ').ok_or_else(refuse)?;
        let (weight, rest) = match first.parse::<u32>() {
            Ok(weight) => (weight, rest.trim_start()),
            Err(_) => (1, text.trim()),
        };
        let (method, rest) = rest.split_once(' ').ok_or_else(refuse)?;
        let (path, body) = match rest.trim_start().split_once(' ') {
            Some((path, body)) => (path, Some(body.trim().to_owned())),
            None => (rest.trim_start(), None),
        };
        let method = method.to_uppercase().parse::<Method>().map_err(|_| refuse())?;
        if !path.starts_with('/') || method.as_str().chars().any(|letter| !letter.is_ascii_uppercase()) {
            return Err(refuse());
        }
        Ok(Self { weight, method, path: path.to_owned(), body: body.filter(|body| !body.is_empty()) })
    }
}

impl fmt::Display for RequestSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} {}", self.weight, self.method, self.path)?;
        self.body.as_ref().map_or(Ok(()), |body| write!(formatter, " {body}"))
    }
}

#[cfg(test)]
mod tests {
    use super::RequestSpec;

    #[test]
    fn requests_are_read_or_refused_with_an_example() {
        for (text, read) in [
            ("GET /", "1 GET /"),
            ("3 get /api/dashboard", "3 GET /api/dashboard"),
            ("POST /order {\"item\": \"a b\"}", "1 POST /order {\"item\": \"a b\"}"),
        ] {
            assert_eq!(text.parse::<RequestSpec>().map(|request| request.to_string()).as_deref(), Ok(read));
        }
        for text in ["", "GET", "/", "3 /", "GET x", "G=T /", "-1 GET /"] {
            assert!(text.parse::<RequestSpec>().unwrap_err().contains("expected"), "`{text}`");
        }
    }
}
