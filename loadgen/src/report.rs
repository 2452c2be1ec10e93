//! Report files: which formats there are, who writes them, and the one that is written here.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::config::ConfigError;
use crate::error::LoadError;
use crate::recorder::Latency;
use crate::result::LoadResult;

/// Whether Goose writes the format that this file's ending names.
pub(crate) fn is_by_goose(path: &Path) -> bool {
    matches!(ending(path), Some("html" | "json" | "md"))
}

/// Whether the format is written here: Goose has no such.
pub(crate) fn is_csv(path: &Path) -> bool {
    ending(path) == Some("csv")
}

fn ending(path: &Path) -> Option<&str> {
    path.extension()?.to_str()
}

/// Checks that the file's format is known and its folder exists.
pub(crate) fn validate(path: &Path) -> Result<(), ConfigError> {
    let refuse = |expected, hint| {
        Err(ConfigError { setting: "--report", value: format!("`{}`", path.display()), expected, hint })
    };
    // Goose takes paths as text.
    if path.to_str().is_none() {
        return refuse("a path in Unicode", "choose another name");
    }
    if !is_by_goose(path) && !is_csv(path) {
        return refuse(
            "a file that ends in .html, .json, .csv or .md",
            "the ending chooses the format; --report may be given several times",
        );
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) {
        return refuse("a file in a folder that exists", "create the folder first");
    }
    Ok(())
}

/// Creates every report empty, so that one that cannot be written is found before the load and not after it.
pub(crate) async fn create(reports: &[PathBuf]) -> Result<(), LoadError> {
    for path in reports {
        tokio::fs::File::create(path)
            .await
            .map_err(|source| LoadError::Report { path: path.clone(), source })?;
    }
    Ok(())
}

/// One line per request and one for all of them; times in milliseconds.
pub(crate) fn csv(result: &LoadResult) -> String {
    let mut text = String::from(
        "request,requests,failures,refusals,requests_per_second,mean_ms,p50_ms,p95_ms,p99_ms,max_ms\n",
    );
    for row in result.rows() {
        let times = row.latency.map_or_else(|| ",,,,".to_owned(), |latency| times_csv(&latency));
        writeln!(
            text,
            "{},{},{},{},{:.3},{times}",
            quoted(row.name),
            row.requests,
            row.failures,
            row.refusals,
            row.requests_per_second
        )
        .expect("a string takes whatever is written");
    }
    text
}

fn times_csv(latency: &Latency) -> String {
    let Latency { mean_ms, p50_ms, p95_ms, p99_ms, max_ms } = latency;
    format!("{mean_ms:.3},{p50_ms:.3},{p95_ms:.3},{p99_ms:.3},{max_ms:.3}")
}

/// A field as RFC 4180 wants it.
fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_field_is_quoted_only_where_it_must_be() {
        assert_eq!(quoted("GET /"), "GET /");
        assert_eq!(quoted("GET /a,b"), "\"GET /a,b\"");
        assert_eq!(quoted("say \"hi\""), "\"say \"\"hi\"\"\"");
    }
}
