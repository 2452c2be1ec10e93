//! Reads the files that `lab policy` is given: documents of other systems, policies of the lab's own, shipped ones.

use std::path::Path;

use excerpt::one_line;
use scaler::policy_file::{NamedPolicy, PolicyOverrides, SHIPPED, read_text};
use scaler_documents::{Document, Manifest, Notice};
use serde::Serialize;

use crate::failure::ExitStatus;
use crate::output::say;

/// The name that stands for standard input.
const STANDARD_INPUT: &str = "-";

/// A file that was read, with what is wrong with it.
#[derive(Debug)]
pub(super) struct PolicyFile {
    /// As it was given, fit to be shown.
    pub(super) name: String,
    pub(super) manifest: Manifest,
    /// The policy of the lab's own that the file holds.
    pub(super) own: Option<NamedPolicy>,
    pub(super) problems: Vec<FileProblem>,
}

/// A mistake in a file.
#[derive(Clone, Debug, Serialize)]
pub(super) struct FileProblem {
    file: String,
    line: Option<u64>,
    field: String,
    message: String,
    hint: String,
}

impl FileProblem {
    /// As people read it: `FILE:LINE: message`, and the hint below.
    pub(super) fn shown(&self) -> String {
        format!("{}: {}\n  hint: {}", place(&self.file, self.line), self.message, self.hint)
    }
}

/// `FILE:LINE`; a problem with the file as a whole is at its first line.
pub(super) fn place(file: &str, line: Option<u64>) -> String {
    format!("{file}:{}", line.unwrap_or(1))
}

/// A notice with the file it is about.
#[derive(Clone, Debug, Serialize)]
pub(super) struct FileNotice {
    file: String,
    line: Option<u64>,
    field: String,
    message: String,
}

impl FileNotice {
    pub(super) fn of(file: &str, notice: &Notice) -> Self {
        let Notice { line, field, message } = notice.clone();
        Self { file: file.to_owned(), line, field, message }
    }

    pub(super) fn shown(&self) -> String {
        format!("{}: note: {}", place(&self.file, self.line), self.message)
    }
}

impl PolicyFile {
    /// Reads a file, a shipped policy by its name, or standard input by `-`.
    pub(super) fn read(given: &str) -> Self {
        let shipped = SHIPPED.iter().find(|(name, _)| *name == given);
        let name = if given == STANDARD_INPUT { "standard input".to_owned() } else { one_line(given) };
        let text = match shipped {
            Some((_, text)) => Ok((*text).to_owned()),
            None if given == STANDARD_INPUT => read_text(Path::new("/dev/stdin")),
            None => read_text(Path::new(given)),
        };
        match text {
            Ok(text) => Self::from_text(name, given, &text),
            Err(problem) => {
                let hint = format!(
                    "give the path of a readable file, or one of the shipped policies: {}",
                    SHIPPED.map(|(name, _)| name).join(", ")
                );
                let message = format!("the file {problem}");
                let problem =
                    FileProblem { file: name.clone(), line: None, field: String::new(), message, hint };
                Self { name, manifest: Manifest::default(), own: None, problems: vec![problem] }
            }
        }
    }

    fn from_text(name: String, given: &str, text: &str) -> Self {
        let manifest = Manifest::read(text);
        let mut file = Self { name, manifest, own: None, problems: Vec::new() };
        for problem in &file.manifest.problems {
            file.problems.push(FileProblem {
                file: file.name.clone(),
                line: problem.line,
                field: problem.field.clone(),
                message: problem.message.clone(),
                hint: problem.hint.clone(),
            });
        }
        if file.manifest.documents.iter().any(|document| matches!(document, Document::Lab(_))) {
            file.read_own(given, text);
        }
        file
    }

    /// Lets the scaler read its own kinds.
    fn read_own(&mut self, given: &str, text: &str) {
        let stem = Path::new(given).file_stem().map_or_else(|| given.into(), |stem| stem.to_string_lossy());
        match NamedPolicy::from_text(&self.name, &stem, text, &PolicyOverrides::default()) {
            Ok(policy) => self.own = Some(policy),
            Err(error) => self.problems.push(FileProblem {
                file: self.name.clone(),
                line: error.line,
                field: quoted_field(&error.problem).to_owned(),
                message: error.problem,
                hint: error.hint,
            }),
        }
    }

    /// The notices about its documents.
    pub(super) fn notices(&self) -> Vec<FileNotice> {
        self.manifest.notices.iter().map(|notice| FileNotice::of(&self.name, notice)).collect()
    }
}

/// Reads all files; where one has mistakes, prints them as `lab policy check` does.
///
/// # Errors
/// The exit status of the command then.
pub(super) fn read_all_valid(given: &[String], json: bool) -> Result<Vec<PolicyFile>, ExitStatus> {
    let files: Vec<PolicyFile> = given.iter().map(|name| PolicyFile::read(name)).collect();
    let problems: Vec<&FileProblem> = files.iter().flat_map(|file| &file.problems).collect();
    if problems.is_empty() {
        return Ok(files);
    }
    if json {
        let refused = serde_json::json!({"valid": false, "problems": problems});
        say(&serde_json::to_string_pretty(&refused).expect("problems are JSON"));
    } else {
        for problem in problems {
            say(&problem.shown());
        }
    }
    Err(ExitStatus::BadInput)
}

/// The field that a message begins with.
fn quoted_field(message: &str) -> &str {
    message.strip_prefix('`').and_then(|rest| rest.split_once('`')).map_or("", |(field, _)| field)
}

#[cfg(test)]
mod tests {
    use super::quoted_field;

    #[test]
    fn a_message_begins_with_its_field() {
        assert_eq!(quoted_field("`spec.minReplicas` is 0, expected `x`"), "spec.minReplicas");
        assert_eq!(quoted_field("a second document begins here"), "");
    }
}
