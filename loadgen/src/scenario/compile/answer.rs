//! Makes of a step what must hold of its answer and what is kept of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use excerpt::excerpt;
use regex::Regex;

use super::super::document::{CheckDocument, ExtractDocument};
use super::super::error::Mistake;
use super::super::located::Located;
use super::super::request::{BodyCheck, Check, Extract, Source};
use super::super::template::{JsonTemplate, Symbols, Template};

/// The check of the request called `name`.
pub(super) fn check(
    check: Option<&Located<CheckDocument>>,
    name: &str,
    place: &str,
    symbols: &Symbols,
) -> Result<Check, Mistake> {
    let Some(check) = check else { return Ok(Check::default()) };
    let (line, check) = (check.line, &check.value);
    let place = format!("{place}.check");
    let mut body = Vec::new();
    let mut add = |check, description: String| body.push((check, Arc::from(description)));
    if let Some(part) = &check.contains {
        let template = Template::parse(part, &format!("{place}.contains"), symbols)?;
        add(
            BodyCheck::Contains(template),
            format!("{name}: the body does not contain `{}`", excerpt(&part.value)),
        );
    }
    if let Some(pattern) = &check.matches {
        let regex = regex(&pattern.value, pattern.line, &format!("{place}.matches"))?;
        add(
            BodyCheck::Matches(regex),
            format!("{name}: the body does not match `{}`", excerpt(&pattern.value)),
        );
    }
    for (pointer, expected) in &check.json {
        check_pointer(pointer, expected.line, &format!("{place}.json"))?;
        let template = JsonTemplate::parse(expected, &format!("{place}.json.{pointer}"), symbols)?;
        let shown = expected.value.to_json();
        let description = format!("{name}: `{pointer}` in the body is not {}", excerpt(&shown));
        add(BodyCheck::Json { pointer: pointer.clone(), expected: template }, description);
    }
    let within = match check.within {
        Some(time) if time.0.is_zero() => {
            return Err(Mistake::new(
                line,
                format!("`{place}.within` is 0s, expected more"),
                "`within: 500ms` is an example",
            ));
        }
        time => time.map(|time| {
            let bound = humantime::format_duration(time.0);
            (time.0, Arc::from(format!("{name}: the answer took longer than {bound}")))
        }),
    };
    Ok(Check { status: check.status.clone(), within, body })
}

/// The values that are kept of the answer to the request called `name`.
pub(super) fn extracts(
    extracts: &BTreeMap<String, Located<ExtractDocument>>,
    name: &str,
    place: &str,
    symbols: &Symbols,
) -> Result<Vec<Extract>, Mistake> {
    extracts
        .iter()
        .map(|(variable, extract)| {
            let place = format!("{place}.extract.{variable}");
            let (line, document) = (extract.line, &extract.value);
            let source = match (&document.json, &document.header, &document.regex) {
                (Some(pointer), None, None) => {
                    check_pointer(pointer, line, &format!("{place}.json"))?;
                    Source::Json(pointer.clone())
                }
                (None, Some(header), None) => {
                    Source::Header(header.to_ascii_lowercase().parse().map_err(|_| {
                        Mistake::new(
                            line,
                            format!("`{place}.header` is `{}`, which is no header", excerpt(header)),
                            "a header's name has letters, digits and `-`",
                        )
                    })?)
                }
                (None, None, Some(pattern)) => {
                    Source::Regex(regex(pattern, line, &format!("{place}.regex"))?)
                }
                _ => {
                    return Err(Mistake::new(
                        line,
                        format!("`{place}` needs exactly one of `json`, `header` and `regex`"),
                        "`json: /order/id`, `header: location` and `regex: 'id=(\\d+)'` are examples",
                    ));
                }
            };
            let slot = symbols.get(variable).expect("symbols have been made from all extracts");
            let description = Arc::from(format!("{name}: `{variable}` is not in the answer"));
            Ok(Extract { slot, source, default: document.default.clone(), description })
        })
        .collect()
}

fn check_pointer(pointer: &str, line: Option<u64>, place: &str) -> Result<(), Mistake> {
    if pointer.is_empty() || pointer.starts_with('/') {
        return Ok(());
    }
    Err(Mistake::new(
        line,
        format!("`{place}` is `{}`, expected a JSON pointer that begins with `/`", excerpt(pointer)),
        format!("`/{}` may be meant", excerpt(&pointer.trim_start_matches("$.").replace('.', "/"))),
    ))
}

fn regex(pattern: &str, line: Option<u64>, place: &str) -> Result<Regex, Mistake> {
    Regex::new(pattern).map_err(|error| {
        // The crate draws the pattern over several lines and says what is wrong in the last.
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        Mistake::new(
            line,
            format!("`{place}` is `{}`, which is no regular expression: {reason}", excerpt(pattern)),
            "write it in single quotes, so that YAML leaves backslashes alone",
        )
    })
}
