//! The report files of a baseline: which formats there are, and the page with the curves.

mod html;

use std::path::Path;

use loadgen_baseline::Baseline;
use loadgen_baseline::report::{csv, markdown};

/// A form of report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportFormat {
    /// A page with the curves, which needs nothing from outside.
    Html,
    /// One line for each level.
    Csv,
    /// The tables.
    Markdown,
    /// The baseline file itself.
    Json,
}

impl ReportFormat {
    /// The form that a file's ending names.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "html" => Some(Self::Html),
            "csv" => Some(Self::Csv),
            "md" => Some(Self::Markdown),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    /// The report's text.
    pub fn write(self, baseline: &Baseline) -> String {
        match self {
            Self::Html => html::page(baseline),
            Self::Csv => csv(baseline),
            Self::Markdown => markdown(baseline),
            Self::Json => baseline.to_json(),
        }
    }
}

#[cfg(test)]
mod tests;
