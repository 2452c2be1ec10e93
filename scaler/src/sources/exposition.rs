//! Reads the OpenMetrics text of a scrape line by line, without allocating for any of them.
//!
//! What it takes is what the lab's processes and Prometheus' client libraries write: comments, samples with labels,
//! escapes in label values, timestamps, exemplars after ` # `, `+Inf` and `NaN`, and the end marker. A text without
//! its end marker was cut off, and half a scrape is no scrape.

use std::borrow::Cow;

/// One sample line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample<'a> {
    /// The sample's name, suffix included.
    pub name: &'a str,
    /// What stands between the braces, as it is written.
    labels: &'a str,
    /// The value.
    pub value: f64,
}

impl<'a> Sample<'a> {
    /// The value of a label; none if the sample has no such label.
    pub fn label(&self, name: &str) -> Option<Cow<'a, str>> {
        let mut rest = self.labels;
        loop {
            let (key, after_key) = rest.split_once('=')?;
            let quoted = after_key.trim_start().strip_prefix('"')?;
            let end = closing_quote(quoted)?;
            if key.trim() == name {
                return Some(unescape(&quoted[..end]));
            }
            rest = quoted[end + 1..].trim_start().strip_prefix(',')?;
        }
    }
}

/// A text that is no exposition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpositionError {
    /// A line that is neither comment nor sample.
    #[error("line {line} of the metrics, `{text}`, is no sample")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// Its beginning.
        text: String,
    },
    /// The end marker is missing.
    #[error("the metrics end without `# EOF`, expected a complete OpenMetrics text")]
    CutOff,
}

/// Calls `each` for every sample of the text, in order.
///
/// # Errors
/// At the first line that is no sample, or if the end marker is missing; the samples before were passed on then.
pub fn read<'a>(text: &'a str, mut each: impl FnMut(&Sample<'a>)) -> Result<(), ExpositionError> {
    for (index, line) in text.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line == "# EOF" {
            return Ok(());
        }
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let sample = parse(line).ok_or_else(|| ExpositionError::Line {
            line: index + 1,
            text: line.chars().take(60).collect(),
        })?;
        each(&sample);
    }
    Err(ExpositionError::CutOff)
}

fn parse(line: &str) -> Option<Sample<'_>> {
    let name_end = line.find(['{', ' '])?;
    let (name, rest) = line.split_at(name_end);
    if name.is_empty() {
        return None;
    }
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(inside) => {
            let end = closing_brace(inside)?;
            (&inside[..end], &inside[end + 1..])
        }
        None => ("", rest),
    };
    // A timestamp or an exemplar may follow; neither says anything about the value.
    let value = rest.strip_prefix(' ')?.split(' ').next()?;
    Some(Sample { name, labels, value: parse_value(value)? })
}

fn parse_value(text: &str) -> Option<f64> {
    match text {
        "+Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        number => number.parse().ok(),
    }
}

fn closing_brace(inside: &str) -> Option<usize> {
    let mut in_quotes = false;
    let mut bytes = inside.bytes().enumerate();
    while let Some((index, byte)) = bytes.next() {
        match byte {
            b'\\' if in_quotes => drop(bytes.next()),
            b'"' => in_quotes = !in_quotes,
            b'}' if !in_quotes => return Some(index),
            _ => {}
        }
    }
    None
}

fn closing_quote(quoted: &str) -> Option<usize> {
    let mut bytes = quoted.bytes().enumerate();
    while let Some((index, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'"' => return Some(index),
            _ => {}
        }
    }
    None
}

fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n') => out.push('\n'),
                Some(escaped) => out.push(escaped),
                None => out.push('\\'),
            },
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(text: &str) -> Result<Vec<Sample<'_>>, ExpositionError> {
        let mut found = Vec::new();
        read(text, |sample| found.push(*sample)).map(|()| found)
    }

    #[test]
    fn samples_of_every_form_are_read() {
        let text = concat!(
            "# HELP a_seconds Help with { and \" in it.\n# TYPE a_seconds histogram\n",
            "a_seconds_bucket{le=\"0.5\",origin=\"user\"} 17 # {trace_id=\"4bf9\"} 0.43 1700000000.5\n",
            "a_seconds_bucket{origin=\"user\",le=\"+Inf\"} 1.7e1\n",
            "a_seconds_sum{origin=\"user\"} 4.5 1700000000\n",
            "empty{} 1\r\n",
            "bare 0.25\n\nnot_a_number NaN\nunder -Inf\n# EOF\n",
        );
        let found = samples(text).unwrap();
        let values: Vec<f64> = found.iter().map(|sample| sample.value).collect();
        assert_eq!(values[..5], [17.0, 17.0, 4.5, 1.0, 0.25]);
        assert!(values[5].is_nan() && values[6] == f64::NEG_INFINITY);
        assert_eq!(found[0].label("le").as_deref(), Some("0.5"));
        assert_eq!(found[1].label("le").as_deref(), Some("+Inf"));
        assert_eq!(found[1].label("origin").as_deref(), Some("user"));
        assert_eq!(found[1].label("e"), None, "a label's name is compared as a whole");
        assert_eq!(found[4].label("le"), None);
    }

    #[test]
    fn label_values_may_hold_quotes_braces_commas_and_line_breaks() {
        let text = "a{path=\"/x?a={b},c=\\\"d\\\"\",note=\"two\\nlines\\\\\",le=\"1\"} 3\n# EOF\n";
        let found = samples(text).unwrap();
        assert_eq!(found[0].label("path").as_deref(), Some("/x?a={b},c=\"d\""));
        assert_eq!(found[0].label("note").as_deref(), Some("two\nlines\\"));
        assert_eq!(found[0].label("le").as_deref(), Some("1"));
        assert_eq!(found, [Sample { name: "a", value: 3.0, ..found[0] }]);
    }

    #[test]
    fn what_is_no_exposition_is_refused_with_its_line() {
        for line in ["<html>", "a{le=\"1} 3", "a", "a b", "{} 1", "a{le=\"1\"}3", " 1"] {
            let text = format!("fine 1\n{line}\n# EOF\n");
            assert!(
                matches!(samples(&text), Err(ExpositionError::Line { line: 2, .. })),
                "{line}: {:?}",
                samples(&text)
            );
        }
        assert_eq!(samples("fine 1\n"), Err(ExpositionError::CutOff));
        assert_eq!(samples(""), Err(ExpositionError::CutOff));
    }

    #[test]
    fn any_cut_or_corrupted_byte_is_survived() {
        let text = "a{b=\"c\\\"\",d=\"é\"} 1.5 # {x=\"y\"} 2\nb 2\n# EOF\n";
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            for sample in samples(&text[..end]).unwrap_or_default() {
                drop(sample.label("d"));
            }
            let mut bytes = text.as_bytes().to_vec();
            bytes[end] = b'"';
            if let Ok(corrupted) = std::str::from_utf8(&bytes) {
                for sample in samples(corrupted).unwrap_or_default() {
                    drop(sample.label("d"));
                }
            }
        }
    }
}
