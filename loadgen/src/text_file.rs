//! Reads a text file that somebody wrote by hand, with a bound on its size.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The text of a file of at most `bytes_max`; `what` says what it is expected to be.
pub(crate) fn read(path: &Path, bytes_max: u64, what: &str) -> Result<String, String> {
    let file = File::open(path).map_err(|error| format!("cannot be opened: {error}"))?;
    let mut text = String::new();
    file.take(bytes_max + 1)
        .read_to_string(&mut text)
        .map_err(|error| format!("cannot be read as text: {error}"))?;
    if text.len() as u64 > bytes_max {
        return Err(format!("is larger than {bytes_max} bytes, expected {what}"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_file_is_read_whole_or_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("text");
        std::fs::write(&path, "four").expect("a file");
        assert_eq!(read(&path, 4, "a word").as_deref(), Ok("four"));
        let problem = read(&path, 3, "a word").expect_err("it is too large");
        assert_eq!(problem, "is larger than 3 bytes, expected a word");
        std::fs::write(&path, [0xff, 0xfe]).expect("a file");
        assert!(read(&path, 4, "a word").is_err_and(|problem| problem.contains("as text")));
        assert!(read(folder.path(), 4, "a word").is_err(), "a folder is no file");
    }
}
