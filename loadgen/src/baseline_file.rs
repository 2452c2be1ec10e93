//! Reads a baseline file from disk; its text is understood in [`loadgen_baseline`].

use std::path::Path;

use loadgen_baseline::{Baseline, BaselineError};

use crate::text_file;

/// The largest file that is read.
const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Reads the file that `lab baseline --out` wrote.
///
/// # Errors
/// Names the file, the field, what was found and expected, and a hint.
pub fn read_baseline(path: &Path) -> Result<Baseline, BaselineError> {
    let file = path.display().to_string();
    let text = text_file::read(path, FILE_BYTES_MAX, "a baseline").map_err(|problem| BaselineError {
        file: file.clone(),
        field: None,
        problem,
        hint: "`lab baseline --out FILE` writes one",
    })?;
    Baseline::from_json(&file, &text)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::read_baseline;

    #[test]
    fn a_file_that_is_missing_is_named() {
        let missing = read_baseline(Path::new("/nowhere/b.json")).unwrap_err().to_string();
        assert!(missing.contains("/nowhere/b.json") && missing.contains("hint: "), "{missing}");
    }
}
