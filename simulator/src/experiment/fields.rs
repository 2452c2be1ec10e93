//! Reads single fields: spans, numbers, counts and shares, each within its range.

use std::ops::RangeInclusive;
use std::time::Duration;

use excerpt::excerpt;
use serde_saphyr::Spanned;

use super::error::ExperimentError;

/// A scalar as it was written, with its place.
pub(super) type Text = Spanned<String>;

/// What reads fields: it names the file in errors.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a> {
    pub(super) origin: &'a str,
}

impl Fields<'_> {
    pub(super) fn refuse(&self, line: Option<u64>, problem: String, hint: &str) -> ExperimentError {
        let line = line.filter(|line| *line > 0);
        ExperimentError { origin: self.origin.to_owned(), line, problem, hint: hint.to_owned() }
    }

    /// The error for a field that does not hold what it should.
    pub(super) fn unfit(&self, path: &str, text: &Text, expected: &str, hint: &str) -> ExperimentError {
        let problem = format!("`{path}` is `{}`, expected {expected}", excerpt(&text.value));
        self.refuse(Some(text.referenced.line()), problem, hint)
    }

    pub(super) fn span(
        &self,
        path: &str,
        text: Option<&Text>,
        default: Duration,
        range: RangeInclusive<Duration>,
    ) -> Result<Duration, ExperimentError> {
        let Some(text) = text else { return Ok(default) };
        let read = humantime::parse_duration(text.value.trim()).ok();
        read.filter(|span| range.contains(span)).ok_or_else(|| {
            let shown = |span: &Duration| humantime::format_duration(*span).to_string();
            let expected = format!("a span from {} to {}", shown(range.start()), shown(range.end()));
            self.unfit(path, text, &expected, "write it with its unit, such as 250ms, 30s, 5m or 2h")
        })
    }

    pub(super) fn number(
        &self,
        path: &str,
        text: Option<&Text>,
        default: f64,
        range: RangeInclusive<f64>,
    ) -> Result<f64, ExperimentError> {
        let Some(text) = text else { return Ok(default) };
        let read = text.value.trim().parse().ok();
        read.filter(|number| range.contains(number)).ok_or_else(|| {
            let expected = format!("a number from {} to {}", range.start(), range.end());
            self.unfit(path, text, &expected, "write a plain number")
        })
    }

    pub(super) fn count(
        &self,
        path: &str,
        text: Option<&Text>,
        default: u32,
        range: RangeInclusive<u32>,
    ) -> Result<u32, ExperimentError> {
        let Some(text) = text else { return Ok(default) };
        let read = text.value.trim().parse().ok();
        read.filter(|count| range.contains(count)).ok_or_else(|| {
            let expected = format!("a whole number from {} to {}", range.start(), range.end());
            self.unfit(path, text, &expected, "write a plain whole number")
        })
    }

    /// A share from 0 to 1, or with a percent sign from 0 to 100.
    pub(super) fn share(
        &self,
        path: &str,
        text: Option<&Text>,
        default: f64,
    ) -> Result<f64, ExperimentError> {
        let Some(text) = text else { return Ok(default) };
        let value = text.value.trim();
        let read = match value.strip_suffix('%') {
            Some(percent) => percent.trim().parse::<f64>().ok().map(|percent| percent / 100.0),
            None => value.parse().ok(),
        };
        read.filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| {
            self.unfit(path, text, "a share from 0 to 1, or from 0% to 100%", "write 0.1% or 0.001")
        })
    }
}
