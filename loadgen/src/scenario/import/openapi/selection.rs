//! Chooses operations by their tags, as a large description is imported in parts.

use std::collections::BTreeSet;

use super::super::super::error::Mistake;
use super::super::made::quoted;
use super::api::Operation;

/// How many tags a hint names.
const NAMED_MAX: usize = 40;

/// The operations that have one of `tags`, or all where there are none.
pub(super) fn with_tags<'a>(all: &[Operation<'a>], tags: &[String]) -> Result<Vec<Operation<'a>>, Mistake> {
    let known: BTreeSet<&str> = all.iter().flat_map(Operation::tags).collect();
    if let Some(unknown) = tags.iter().find(|tag| !known.contains(tag.as_str())) {
        let hint = if known.is_empty() {
            "no operation has a tag; leave --tags away".to_owned()
        } else {
            let names: Vec<_> = known.iter().take(NAMED_MAX).map(|tag| quoted(tag)).collect();
            let more = known.len().saturating_sub(NAMED_MAX);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("there are {}{more}", names.join(", "))
        };
        return Err(Mistake::new(
            None,
            format!("--tags asks for {}, which no operation has", quoted(unknown)),
            hint,
        ));
    }
    let is_chosen = |operation: &&Operation<'a>| {
        tags.is_empty() || operation.tags().any(|tag| tags.iter().any(|chosen| chosen == tag))
    };
    Ok(all.iter().filter(is_chosen).copied().collect())
}
