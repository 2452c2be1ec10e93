//! Report files: which formats there are, and writing a result in each of them.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};

use crate::config::ConfigError;
use crate::error::LoadError;
use crate::result::LoadResult;

mod baseline;
mod chart;
mod csv;
mod html;
mod markdown;

pub use baseline::ReportFormat;

/// The formats, by the file's ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Html,
    Json,
    Csv,
    Markdown,
}

impl Format {
    fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "html" => Some(Self::Html),
            "json" => Some(Self::Json),
            "csv" => Some(Self::Csv),
            "md" => Some(Self::Markdown),
            _ => None,
        }
    }

    fn write(self, result: &LoadResult) -> String {
        match self {
            Self::Html => html::page(result),
            Self::Json => {
                let mut text = serde_json::to_string_pretty(result).expect("a result is JSON");
                text.push('\n');
                text
            }
            Self::Csv => csv::table(result),
            Self::Markdown => markdown::text(result),
        }
    }
}

/// Checks that the file's format is known and its folder exists.
pub(crate) fn validate(path: &Path) -> Result<(), ConfigError> {
    let refuse = |expected, hint| {
        Err(ConfigError { setting: "--report", value: format!("`{}`", path.display()), expected, hint })
    };
    if Format::of(path).is_none() {
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

/// Finds out whether a file can be written, without a trace: what is there stays, and what is not is not made.
///
/// A report that cannot be written is to be found before the load and not after it; and a load that never begins must
/// not cost the report of an earlier one.
///
/// # Errors
/// What kept it from being opened.
pub fn check_writable(path: &Path) -> io::Result<()> {
    let is_new = !path.exists();
    OpenOptions::new().append(true).create(true).open(path)?;
    if is_new { std::fs::remove_file(path) } else { Ok(()) }
}

/// Checks that every report can be written.
pub(crate) fn check_all_writable(reports: &[PathBuf]) -> Result<(), LoadError> {
    for path in reports {
        check_writable(path).map_err(|source| LoadError::Report { path: path.clone(), source })?;
    }
    Ok(())
}

/// Writes every report; what cannot be written is noted in the result.
pub(crate) async fn write(reports: &[PathBuf], result: &mut LoadResult) {
    for path in reports {
        let Some(format) = Format::of(path) else { continue };
        if let Err(error) = tokio::fs::write(path, format.write(result)).await {
            result.report_errors.push(format!("`{}`: {error}", path.display()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::check_writable;

    #[test]
    fn a_check_leaves_everything_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.html");
        check_writable(&path).unwrap();
        assert!(!path.exists(), "a file that was not there is not made");
        std::fs::write(&path, "old").unwrap();
        check_writable(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        check_writable(folder.path()).unwrap_err();
        check_writable(&folder.path().join("nowhere/report.html")).unwrap_err();
    }
}
