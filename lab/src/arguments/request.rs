//! Reads a request from a flag: `GET /`, `3 POST /order {"quantity": 2}`.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use excerpt::excerpt;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method};
use loadgen::{METHODS, WeightedRequest};

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
        let refuse = |problem: &str, hint: &str| {
            format!(
                "{} is not a request: {problem}, expected [WEIGHT] METHOD PATH [BODY] such as `GET /` or \
                 `3 POST /order {{}}`; hint: {hint}",
                shown(text)
            )
        };
        let form =
            || refuse("it has no method and path", "name the method and the path, with a space between");
        let (first, rest) = text.trim().split_once(' ').ok_or_else(form)?;
        let (weight, rest) = match first.parse::<u32>() {
            Ok(weight) => (weight, rest.trim_start()),
            Err(_) => (1, text.trim()),
        };
        let (method, rest) = rest.split_once(' ').ok_or_else(form)?;
        let (path, body) = match rest.trim_start().split_once(' ') {
            Some((path, body)) => (path, Some(body.trim()).filter(|body| !body.is_empty())),
            None => (rest.trim_start(), None),
        };
        let method = method.to_uppercase();
        if !METHODS.contains(&method.as_str()) {
            let problem = format!("{} is not a method that is known", shown(&method));
            return Err(refuse(&problem, &format!("one of {}", METHODS.join(", "))));
        }
        if !path.starts_with('/') || path.starts_with("//") || path.starts_with("/\\") {
            let problem = format!("the path {} does not begin with one `/`", shown(path));
            return Err(refuse(&problem, "the host comes from --host; write the path alone, such as /order"));
        }
        if path.contains(char::is_control) {
            return Err(refuse("the path has a control character", "encode it: a line feed is %0A"));
        }
        if let Some(body) = body {
            check_body(&method, path, body).map_err(|(problem, hint)| refuse(&problem, &hint))?;
        }
        let method = method.parse::<Method>().expect("a known method is a token");
        Ok(Self { weight, method, path: path.to_owned(), body: body.map(str::to_owned) })
    }
}

/// What follows the path is a body in JSON; most that is not JSON was meant as something else.
fn check_body(method: &str, path: &str, body: &str) -> Result<(), (String, String)> {
    let version = body.to_ascii_uppercase();
    if version.starts_with("HTTP/") {
        return Err((
            format!("{} after the path is not a body", shown(body)),
            "leave the version away: requests are sent in HTTP/1.1".to_owned(),
        ));
    }
    if serde_json::from_str::<serde::de::IgnoredAny>(body).is_err() {
        return Err((
            format!("the body {} is not JSON", shown(body)),
            format!(
                "a space in a path is %20: {}; a body is JSON",
                shown(&format!("{path} {body}").replace(' ', "%20"))
            ),
        ));
    }
    if matches!(method, "GET" | "HEAD" | "TRACE") {
        return Err((
            format!("{method} has no body"),
            "write POST, or give the values in the query: /search?q=lamp".to_owned(),
        ));
    }
    Ok(())
}

/// A piece of the request in backticks, short and without control characters.
fn shown(text: &str) -> String {
    format!("`{}`", excerpt(text))
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

    #[test]
    fn what_would_be_sent_as_something_else_is_refused_with_a_hint() {
        for (text, part) in [
            ("FOO /ok", "`FOO` is not a method"),
            ("GETT /ok", "one of GET"),
            ("CONNECT /ok", "is not a method"),
            ("GET /ok HTTP/1.1", "leave the version away"),
            ("get /ok http/1.0", "leave the version away"),
            ("GET /a b", "`/a%20b`"),
            ("POST /a b c {}", "`/a%20b%20c%20{}`"),
            ("POST /order {bad", "not JSON"),
            ("GET /a {}", "GET has no body"),
            ("GET //elsewhere/x", "one `/`"),
            ("GET http://elsewhere/x", "--host"),
            ("GET /a\nb", "control character"),
        ] {
            let error = text.parse::<RequestSpec>().unwrap_err();
            assert!(error.contains(part) && error.contains("hint: "), "{text}: {error}");
        }
        let long = format!("GET /{} {}", "x".repeat(100_000), "\u{1b}[31m".repeat(1000));
        let error = long.parse::<RequestSpec>().unwrap_err();
        assert!(error.len() < 800 && !error.contains('\u{1b}'), "{error}");
        for text in ["GET /ok/ü?q=é", "PROPFIND /dav", "DELETE /a {}", "POST /a \"text\"", "options /a"] {
            text.parse::<RequestSpec>().expect(text);
        }
    }
}
