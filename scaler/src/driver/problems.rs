//! Puts together what goes wrong at one moment, one sentence each.

use crate::sighting::Sighting;
use crate::status::EndpointStatus;

/// What the source and the platform have to complain of, and what was `refused` here: the last action, the policy's file.
pub(super) fn of<'a>(
    seen: Option<&Sighting>,
    endpoints: &[EndpointStatus],
    refused: impl Iterator<Item = &'a String>,
) -> Vec<String> {
    let mut problems = Vec::new();
    if let Some(seen) = seen {
        problems.extend(seen.sample.problems.iter().cloned());
        for silent in &seen.sample.silent {
            let known = endpoints.iter().find(|one| one.url.as_ref() == Some(&silent.url));
            // Where the platform has no name for it, its address is its id, too.
            problems.push(silent.sentence(known.map(|one| one.id.as_str()).filter(|id| *id != silent.url)));
        }
        problems.extend(seen.listed.as_ref().err().map(ToString::to_string));
    }
    problems.extend(refused.cloned());
    problems
}
