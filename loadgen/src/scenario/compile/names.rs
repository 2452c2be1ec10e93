//! Which weights and names there can be.

use super::super::error::Mistake;
use super::super::located::Located;

/// The largest weight.
const MOST_WEIGHT: u32 = 1000;

/// The most requests with names of their own: each has counters and histograms.
pub(crate) const MOST_REQUESTS: usize = 500;

/// Names that are functions and so cannot be variables.
const TAKEN: [&str; 3] = ["userNumber", "iteration", "uuid"];

pub(super) fn weight(weight: Option<&Located<u32>>, place: &str) -> Result<u32, Mistake> {
    match weight {
        None => Ok(1),
        Some(weight) if (1..=MOST_WEIGHT).contains(&weight.value) => Ok(weight.value),
        Some(weight) => Err(Mistake::new(
            weight.line,
            format!("`{place}.weight` is {}, expected 1 to {MOST_WEIGHT}", weight.value),
            "to leave something out, remove it or choose by --tags",
        )),
    }
}

/// Whether a text can name a variable, a feeder or a column.
pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.chars().all(|each| each.is_ascii_alphanumeric() || matches!(each, '_' | '-'))
        && !TAKEN.contains(&text)
}

pub(super) fn check_name(name: &str, place: &str, line: Option<u64>) -> Result<(), Mistake> {
    if is_name(name) {
        return Ok(());
    }
    Err(Mistake::new(
        line,
        format!("`{place}`: `{name}` cannot be a name"),
        format!(
            "a name has letters, digits, `_` and `-`, begins with a letter, and is none of {}",
            TAKEN.join(", ")
        ),
    ))
}
