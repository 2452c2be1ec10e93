//! Report files: writes a result in each format.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::LoadError;
use crate::result::LoadResult;

mod baseline;
mod chart;
mod csv;
pub(crate) mod format;
mod html;
mod markdown;

use format::Format;

pub use baseline::ReportFormat;

/// The text of a report.
fn text(format: Format, result: &LoadResult) -> String {
    match format {
        Format::Html => html::page(result),
        Format::Json => {
            let mut text = serde_json::to_string_pretty(result).expect("a result is JSON");
            text.push('\n');
            text
        }
        Format::Csv => csv::table(result),
        Format::Markdown => markdown::text(result),
    }
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
        if let Err(error) = tokio::fs::write(path, text(format, result)).await {
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
