//! A row of the table: bytes that a client sends, and what is to come of them.

/// Stands for the method that a row is played with.
pub(crate) const METHOD: &str = "{M}";

/// A request of its own that is sent as a body, and must stay one.
pub(crate) const INNER: &str = "GET /evil HTTP/1.1\r\nHost: evil\r\n\r\n";

/// The same without an end, which would swallow the next request.
pub(crate) const UNFINISHED: &str = "GET /evil HTTP/1.1\r\nHost: evil\r\nX-Ignore: ";

/// A row.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    raw: Vec<u8>,
    /// The requests that the gateway's endpoint sees of it: method, target and body.
    pub(crate) seen: Vec<(String, String, String)>,
    /// The status of the gateway's own answer behind these, where it refuses something.
    pub(crate) refused: Option<u16>,
    /// Whether the request that follows on the connection is served.
    pub(crate) goes_on: bool,
    /// Whether bytes are missing at the end, so that what follows belongs to it.
    pub(crate) stalls: bool,
    /// Headers that the endpoint sees with the first request, or must not see.
    pub(crate) headers: Vec<(String, Option<String>)>,
}

/// The row with these bytes; `{M}` in them is the method.
pub(crate) fn row(name: impl Into<String>, raw: impl AsRef<[u8]>) -> Row {
    Row {
        name: name.into(),
        raw: raw.as_ref().to_vec(),
        seen: Vec::new(),
        refused: None,
        goes_on: true,
        stalls: false,
        headers: Vec::new(),
    }
}

/// The row with a request in HTTP/1.1 to a path `/row`, with these header lines and this body.
pub(crate) fn request(name: impl Into<String>, lines: &[&str], body: &str) -> Row {
    row(name, format!("{METHOD} /row HTTP/1.1\r\n{}\r\n\r\n{body}", lines.join("\r\n")))
}

/// The row with a request to this target, without a body.
pub(crate) fn target(target: &str) -> Row {
    row(format!("target {target}"), format!("{METHOD} {target} HTTP/1.1\r\nHost: a\r\n\r\n"))
}

impl Row {
    /// The endpoint sees a request to this target with this body.
    pub(crate) fn passes(self, target: &str, body: &str) -> Self {
        self.passes_as(METHOD, target, body)
    }

    /// The same with another method than the one that the row is played with.
    pub(crate) fn passes_as(mut self, method: &str, target: &str, body: &str) -> Self {
        self.seen.push((method.to_owned(), target.to_owned(), body.to_owned()));
        self
    }

    /// The gateway refuses it, and reads nothing more on its connection.
    pub(crate) fn refused(mut self, status: u16) -> Self {
        self.refused = Some(status);
        self.goes_on = false;
        self
    }

    /// The gateway does not pass it on, and goes on with the next request.
    pub(crate) fn answered(mut self, status: u16) -> Self {
        self.refused = Some(status);
        self
    }

    /// The connection ends with it.
    pub(crate) fn closes(mut self) -> Self {
        self.goes_on = false;
        self
    }

    /// It misses bytes at its end.
    pub(crate) fn stalls(mut self) -> Self {
        self.stalls = true;
        self.goes_on = false;
        self
    }

    /// The endpoint sees this header once, with this value.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), Some(value.to_owned())));
        self
    }

    /// The endpoint does not see this header.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.push((name.to_owned(), None));
        self
    }

    /// What is sent.
    pub(crate) fn bytes(&self, method: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut rest = &self.raw[..];
        while let Some(position) = rest.windows(METHOD.len()).position(|window| window == METHOD.as_bytes()) {
            bytes.extend_from_slice(&rest[..position]);
            bytes.extend_from_slice(method.as_bytes());
            rest = &rest[position + METHOD.len()..];
        }
        bytes.extend_from_slice(rest);
        bytes
    }

    /// What the endpoint is to see, the request that follows included.
    pub(crate) fn expected(&self, method: &str) -> Vec<(String, String, String)> {
        let with_method = |(seen, target, body): &(String, String, String)| {
            (seen.replace(METHOD, method), target.clone(), body.clone())
        };
        let mut expected: Vec<_> = self.seen.iter().map(with_method).collect();
        if self.goes_on {
            expected.push(("GET".to_owned(), "/next".to_owned(), String::new()));
        }
        expected
    }
}
