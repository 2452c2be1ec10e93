//! Chooses the text format of a scrape from its `Accept` header, as Prometheus' own client library for Go does.
//!
//! The rule is `expfmt.NegotiateIncludingOpenMetrics`: the types that are accepted are looked at from the highest `q`
//! down, those with a wildcard after the others of the same `q`, and the first known one is taken. `text/plain` is known
//! without a version and with 0.0.4 or 1.0.0, OpenMetrics without one and with 0.0.1 or 1.0.0. Anything else, a wildcard
//! and no header at all get the classic text: a scrape is never refused. Unlike there, `q=0` excludes a type, as RFC 9110
//! says.

use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue};

/// What a scraper of the lab asks for: the format that says where it ends.
pub const ACCEPT_OPENMETRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text;version=1.0.0");

/// A text format for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextFormat {
    /// OpenMetrics, in the version that was asked for.
    OpenMetrics(OpenMetricsVersion),
    /// Prometheus' classic text, version 0.0.4: no exemplars, no end marker, no type `unknown`.
    Classic,
}

/// A version of OpenMetrics. What the lab writes is the same in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMetricsVersion {
    /// The draft that old scrapers ask for.
    V0_0_1,
    /// The standard.
    V1_0_0,
}

impl TextFormat {
    /// The media type of the text; another one makes Prometheus 3 refuse the scrape.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics(OpenMetricsVersion::V1_0_0) => {
                "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
            Self::OpenMetrics(OpenMetricsVersion::V0_0_1) => {
                "application/openmetrics-text; version=0.0.1; charset=utf-8"
            }
            Self::Classic => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// The format to answer a request with these headers in.
    pub fn negotiate(headers: &HeaderMap) -> Self {
        // Several lines are one list; a line that is not text says nothing.
        let lines = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
        let mut accepted: Vec<Accepted<'_>> =
            lines.flat_map(split_outside_quotes).filter_map(Accepted::read).collect();
        // The sort is stable: of equals the first is preferred.
        accepted.sort_by(|one, other| {
            other.quality.total_cmp(&one.quality).then(one.wildcards().cmp(&other.wildcards()))
        });
        let mut usable = accepted.iter().filter(|accepted| accepted.quality > 0.0);
        usable.find_map(Accepted::format).unwrap_or(Self::Classic)
    }
}

/// One media range of an `Accept` header.
#[derive(Debug)]
struct Accepted<'a> {
    media_type: &'a str,
    version: Option<&'a str>,
    quality: f64,
}

impl<'a> Accepted<'a> {
    fn read(range: &'a str) -> Option<Self> {
        let mut parts = range.split(';').map(str::trim);
        let media_type = parts.next().filter(|text| !text.is_empty())?;
        let mut accepted = Self { media_type, version: None, quality: 1.0 };
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            let value = value.trim().trim_matches('"');
            if name.trim().eq_ignore_ascii_case("version") {
                accepted.version = Some(value);
            } else if name.trim().eq_ignore_ascii_case("q") {
                // One that cannot be read counts as 1, as it does in Go.
                accepted.quality =
                    value.parse().ok().filter(|quality| (0.0..=1.0).contains(quality)).unwrap_or(1.0);
            }
        }
        Some(accepted)
    }

    fn wildcards(&self) -> usize {
        self.media_type.matches('*').count()
    }

    fn format(&self) -> Option<TextFormat> {
        if self.media_type.eq_ignore_ascii_case("text/plain") {
            matches!(self.version, None | Some("" | "0.0.4" | "1.0.0")).then_some(TextFormat::Classic)
        } else if self.media_type.eq_ignore_ascii_case("application/openmetrics-text") {
            match self.version {
                Some("1.0.0") => Some(TextFormat::OpenMetrics(OpenMetricsVersion::V1_0_0)),
                None | Some("" | "0.0.1") => Some(TextFormat::OpenMetrics(OpenMetricsVersion::V0_0_1)),
                Some(_) => None,
            }
        } else {
            None
        }
    }
}

/// Splits at commas that are not within quotes.
fn split_outside_quotes(line: &str) -> impl Iterator<Item = &str> {
    let mut in_quotes = false;
    line.split(move |letter| {
        in_quotes ^= letter == '"';
        letter == ',' && !in_quotes
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: TextFormat = TextFormat::OpenMetrics(OpenMetricsVersion::V1_0_0);
    const V0: TextFormat = TextFormat::OpenMetrics(OpenMetricsVersion::V0_0_1);
    const CLASSIC: TextFormat = TextFormat::Classic;

    fn negotiate(lines: &[&str]) -> TextFormat {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(ACCEPT, line.parse().unwrap());
        }
        TextFormat::negotiate(&headers)
    }

    #[test]
    fn each_scraper_gets_what_it_asks_for() {
        let cases = [
            ("", CLASSIC),
            ("*/*", CLASSIC),
            ("text/*", CLASSIC),
            ("text/plain", CLASSIC),
            ("Text/Plain; Version=0.0.4", CLASSIC),
            ("text/plain;version=0.0.4;q=0.1,*/*;q=0.9", CLASSIC),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", CLASSIC),
            ("application/json", CLASSIC),
            ("application/openmetrics-text", V0),
            ("application/openmetrics-text;version=0.0.1", V0),
            ("application/openmetrics-text; version=1.0.0; charset=utf-8", V1),
            ("APPLICATION/OpenMetrics-Text;version=\"1.0.0\"", V1),
            ("application/openmetrics-text;version=2.0.0", CLASSIC),
            (
                "application/openmetrics-text;version=2.0.0,application/openmetrics-text;version=1.0.0;q=0.1",
                V1,
            ),
            // Prometheus 2.40 and 3.1.
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                 text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                V1,
            ),
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                 application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;q=0.4,\
                 text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                V1,
            ),
            // With protocol buffers first, as for native histograms: unknown here, so the next is taken.
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,\
                 application/openmetrics-text;version=0.0.1;q=0.8,text/plain;version=0.0.4;q=0.5",
                V0,
            ),
            ("text/plain;version=0.0.4;q=0.9,application/openmetrics-text;version=1.0.0;q=0.8", CLASSIC),
            ("text/plain;q=0.5,application/openmetrics-text;version=1.0.0;q=0.6", V1),
            ("text/plain,application/openmetrics-text;version=1.0.0", CLASSIC),
            ("*/*,application/openmetrics-text;version=1.0.0", V1),
            ("application/openmetrics-text;version=1.0.0;q=0", CLASSIC),
            ("application/openmetrics-text;q=0, text/plain;q=0, */*;q=0", CLASSIC),
            ("application/openmetrics-text;version=1.0.0;q=high", V1),
            (",,;,", CLASSIC),
            ("x/y;p=\"a,application/openmetrics-text\"", CLASSIC),
        ];
        for (accept, expected) in cases {
            assert_eq!(negotiate(&[accept]), expected, "Accept: {accept}");
        }
        assert_eq!(negotiate(&[]), CLASSIC, "no header");
        assert_eq!(negotiate(&["text/plain;q=0.1", "application/openmetrics-text;version=1.0.0"]), V1);
    }
}
