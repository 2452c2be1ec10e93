//! Says an error with all that caused it, in one line.

use std::error::Error;

/// The error and its causes, outermost first: the outer ones often say only that something failed.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
