//! Says why a file is not a scenario, and what it may be instead.

use excerpt::sentence;

use super::error::Mistake;

pub(super) const HAR_HINT: &str = "a recording becomes a scenario by `lab load --from-har visit.har --out visit.yaml`, which is then played";

const OPENAPI_HINT: &str = "a description becomes a scenario by `lab load --from-openapi api.yaml --out api-load.yaml`, which is then played";

const SCHEMA_HINT: &str = "`lab load --schema` prints what a scenario may have, for editors and readers";

const WAIT_HINT: &str = "`wait: none` goes on at once, `wait: {constant: 1s}` and `wait: {between: [1s, 3s]}` pause after each task";

/// How much of a file tells what it is.
const BEGINNING_BYTES: usize = 4096;

/// What the YAML library says of `text`, as a mistake with its line and a hint.
pub(super) fn mistake(text: &str, error: &serde_saphyr::Error) -> Mistake {
    let (line, problem) = problem(error);
    let hint = match written_for_another_reader(text) {
        Some(hint) => hint,
        None if problem.contains("`wait`") || problem.contains("constant, pacing") => WAIT_HINT,
        None => SCHEMA_HINT,
    };
    Mistake::new(line, problem, hint)
}

/// The line and the words of the YAML library, which repeats values of any length.
pub(super) fn problem(error: &serde_saphyr::Error) -> (Option<u64>, String) {
    let line = error.location().map(|location| location.line()).filter(|line| *line > 0);
    let problem = error.without_snippet().render_with_formatter(&serde_saphyr::UserMessageFormatter);
    (line, sentence(problem.lines().next().unwrap_or_default()))
}

/// A hint, where the file is a recording or a description.
fn written_for_another_reader(text: &str) -> Option<&'static str> {
    let beginning = &text[..text.floor_char_boundary(BEGINNING_BYTES)];
    let has_field = |name: &str| {
        let in_yaml =
            beginning.lines().any(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(':')));
        let in_json = beginning.trim_start().starts_with('{') && beginning.contains(&format!("\"{name}\""));
        in_yaml || in_json
    };
    if has_field("openapi") || has_field("swagger") {
        return Some(OPENAPI_HINT);
    }
    has_field("log").then_some(HAR_HINT)
}
