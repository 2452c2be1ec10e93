//! A program with its arguments, in which placeholders stand for what is known only when it runs.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What may stand in a template.
const PLACEHOLDERS: [&str; 2] = ["{service}", "{replicas}"];

/// A command line, split into words without a shell, so that nothing in a name or a number is ever interpreted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandTemplate {
    words: Vec<String>,
}

/// A command line that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no command that can be run: {problem}, expected one such as '{example}'")]
pub struct BadCommand {
    text: String,
    problem: String,
    example: &'static str,
}

impl CommandTemplate {
    /// Reads a command that sets the count, which `{replicas}` stands for; `{service}` stands for the service's name.
    ///
    /// # Errors
    /// If there is no program, a quote is not closed, or a placeholder is unknown or missing.
    pub fn to_scale(text: &str) -> Result<Self, BadCommand> {
        let example = "./scale.sh {service} {replicas}";
        let template = Self::split(text, example)?;
        if template.words.iter().skip(1).all(|word| !word.contains("{replicas}")) {
            let problem = "it takes no {replicas}, so it could not know how many are asked for".to_owned();
            return Err(BadCommand { text: text.to_owned(), problem, example });
        }
        Ok(template)
    }

    /// Reads a command that prints the count.
    ///
    /// # Errors
    /// As [`CommandTemplate::to_scale`].
    pub fn to_count(text: &str) -> Result<Self, BadCommand> {
        let example = "./count.sh {service}";
        let template = Self::split(text, example)?;
        if template.words.iter().any(|word| word.contains("{replicas}")) {
            let problem = "it prints how many there are, and nobody can tell it {replicas}".to_owned();
            return Err(BadCommand { text: text.to_owned(), problem, example });
        }
        Ok(template)
    }

    fn split(text: &str, example: &'static str) -> Result<Self, BadCommand> {
        let refuse = |problem: String| BadCommand { text: text.to_owned(), problem, example };
        let words = shlex::split(text).ok_or_else(|| refuse("a quote is not closed".to_owned()))?;
        if words.first().is_none_or(String::is_empty) {
            return Err(refuse("the program is missing".to_owned()));
        }
        if let Some(unknown) =
            words.iter().flat_map(|word| placeholders_in(word)).find(|it| !PLACEHOLDERS.contains(it))
        {
            return Err(refuse(format!("{unknown} is not known, only {}", PLACEHOLDERS.join(" and "))));
        }
        Ok(Self { words })
    }

    /// The words with their values in place.
    pub(crate) fn fill(&self, service: &str, replicas: Option<u32>) -> Vec<String> {
        let replicas = replicas.map(|count| count.to_string()).unwrap_or_default();
        let fill = |word: &String| word.replace("{service}", service).replace("{replicas}", &replicas);
        self.words.iter().map(fill).collect()
    }
}

/// What looks like a placeholder: a name in braces. What else stands in braces is the program's own.
fn placeholders_in(word: &str) -> impl Iterator<Item = &str> {
    word.match_indices('{').filter_map(|(start, _)| {
        let end = start + word[start..].find('}')?;
        let name = &word[start + 1..end];
        let is_name =
            !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphabetic() || letter == '_');
        is_name.then(|| &word[start..=end])
    })
}

impl fmt::Display for CommandTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_would_and_filled_without_one() {
        let template =
            CommandTemplate::to_scale("'my tool' scale --name={service} '{replicas}' \"a b\"").unwrap();
        assert_eq!(
            template.fill("web; rm -rf /", Some(3)),
            ["my tool", "scale", "--name=web; rm -rf /", "3", "a b"],
            "a value stays inside its word"
        );
        let own_braces =
            CommandTemplate::to_count("kubectl get {service} -o jsonpath='{.status.replicas}'").unwrap();
        assert_eq!(own_braces.fill("web", None)[2..], ["web", "-o", "jsonpath={.status.replicas}"]);
        assert_eq!(CommandTemplate::to_count("count {service}").unwrap().fill("db", None), ["count", "db"]);
    }

    #[test]
    fn a_command_that_cannot_work_is_refused_with_an_example() {
        let cases = [
            ("", "the program is missing"),
            ("'' {replicas}", "the program is missing"),
            ("scale 'x {replicas}", "a quote is not closed"),
            ("scale {service}", "takes no {replicas}"),
            ("scale {replica} {replicas}", "{replica} is not known"),
        ];
        for (text, problem) in cases {
            let error = CommandTemplate::to_scale(text).unwrap_err().to_string();
            assert!(error.contains(problem) && error.contains("./scale.sh"), "`{text}`: {error}");
        }
        assert!(CommandTemplate::to_count("count {replicas}").is_err());
    }
}
