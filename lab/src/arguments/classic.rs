//! Reads the classic environment variables, such as `MAX_REPLICAS`, each also as `MAX_REPLICAS_FILE`: a file with the value.

use std::ffi::OsString;
use std::io::Read as _;

use excerpt::excerpt;

use crate::failure::Failure;

/// The most that a file may hold, bytes: each value is a number, a duration, a name or a URL.
const FILE_BYTES_MAX: u64 = 4096;

/// The value of a classic variable: its own, or the content of the file that the variable with `_FILE` behind its name
/// names, without the newline at its end. None where neither is set; an empty variable counts as not set.
pub(crate) fn variable(name: &str) -> Result<Option<String>, Failure> {
    read(name, |name| std::env::var_os(name))
}

fn read(name: &str, lookup: impl Fn(&str) -> Option<OsString>) -> Result<Option<String>, Failure> {
    let file_variable = format!("{name}_FILE");
    let set = |name: &str| lookup(name).filter(|value| !value.is_empty());
    match (set(name), set(&file_variable)) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(Failure::bad_input(format!(
            "{name} and {file_variable} are both set, expected one of them; hint: unset {name} or {file_variable}"
        ))),
        (Some(value), None) => value.into_string().map(Some).map_err(|value| {
            Failure::bad_input(format!(
                "{name} is `{}`, expected text in UTF-8; hint: correct {name} or unset it",
                excerpt(&value.to_string_lossy())
            ))
        }),
        (None, Some(file)) => content(&file).map(Some).map_err(|problem| {
            Failure::bad_input(format!(
                "{file_variable} is `{}`, and {problem}, expected a file that holds the value of {name}; \
                 hint: correct {file_variable}, or set {name} itself",
                excerpt(&file.to_string_lossy())
            ))
        }),
    }
}

fn content(file: &OsString) -> Result<String, String> {
    let mut bytes = Vec::new();
    std::fs::File::open(file)
        .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(|error| format!("the file cannot be read: {error}"))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("the file holds more than {FILE_BYTES_MAX} bytes"));
    }
    let text = String::from_utf8(bytes).map_err(|_| "the file does not hold text in UTF-8".to_owned())?;
    let value = text.trim_end_matches(['\n', '\r']);
    if value.is_empty() {
        return Err("the file is empty".to_owned());
    }
    Ok(value.to_owned())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;

    use super::read;

    /// What is read where these variables are set; the message where it is refused.
    fn found(variables: &[(&str, OsString)]) -> Result<Option<String>, String> {
        let lookup =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
        read("MAX_REPLICAS", lookup).map_err(|failure| format!("{failure:?}"))
    }

    #[test]
    fn a_value_is_the_variables_or_the_files_without_its_newline() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("value");
        let file = || ("MAX_REPLICAS_FILE", OsString::from(&path));
        assert_eq!(found(&[]), Ok(None));
        assert_eq!(found(&[("MAX_REPLICAS", "".into()), ("MAX_REPLICAS_FILE", "".into())]), Ok(None));
        assert_eq!(found(&[("MAX_REPLICAS", "4".into())]), Ok(Some("4".to_owned())));
        for (text, value) in [("4", "4"), ("4\n", "4"), ("4\r\n", "4"), (" 4 \n", " 4 "), ("4\n5\n", "4\n5")]
        {
            std::fs::write(&path, text).unwrap();
            assert_eq!(found(&[file()]), Ok(Some(value.to_owned())), "{text:?}");
            // A variable that is passed on though it is empty does not compete with the file.
            assert_eq!(found(&[("MAX_REPLICAS", "".into()), file()]), Ok(Some(value.to_owned())));
        }
    }

    #[test]
    fn what_cannot_be_a_value_is_refused_with_the_variables_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("value");
        let file = || ("MAX_REPLICAS_FILE", OsString::from(&path));
        let refused = |variables: &[(&str, OsString)], word: &str| {
            let problem = found(variables).expect_err("it is refused");
            assert!(problem.contains(word) && problem.contains("hint: "), "{word}: {problem}");
            assert!(problem.contains("MAX_REPLICAS") && !problem.contains('\u{7}'), "{problem}");
        };
        refused(&[file()], "cannot be read");
        refused(&[("MAX_REPLICAS_FILE", folder.path().into())], "cannot be read");
        for (bytes, word) in [
            (&b""[..], "is empty"),
            (b"\n", "is empty"),
            (b"\xff\n", "UTF-8"),
            (&[b'4'; 5000][..], "more than 4096 bytes"),
        ] {
            std::fs::write(&path, bytes).unwrap();
            refused(&[file()], word);
        }
        std::fs::write(&path, "4\n").unwrap();
        refused(&[("MAX_REPLICAS", "4".into()), file()], "both set");
        refused(&[("MAX_REPLICAS", OsString::from_vec(vec![0xff, 7]))], "UTF-8");
    }
}
