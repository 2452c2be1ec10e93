//! Requests per second, one second a line.

use std::time::Duration;

use excerpt::excerpt;

use super::{Trace, TraceError};

pub(super) fn read(text: &str) -> Result<Trace, TraceError> {
    let mut requests = Vec::new();
    let mut missing_at = None;
    for (line, content) in (1..).zip(text.lines().map(str::trim)) {
        if content.starts_with('#') {
            continue;
        }
        if content.is_empty() {
            missing_at.get_or_insert(line);
            continue;
        }
        if let Some(line) = missing_at.filter(|_| !requests.is_empty()) {
            let hint = "write 0 for a second without requests";
            return Err(TraceError::new(Some(line), "line is empty, expected a number of requests", hint));
        }
        let count = content.parse::<f64>().ok().filter(|count| *count >= 0.0 && count.is_finite());
        let Some(count) = count else {
            let problem =
                format!("count is `{}`, expected a number of requests, 0 or more", excerpt(content));
            return Err(TraceError::new(Some(line), problem, "write one number a line, for one second each"));
        };
        missing_at = None;
        requests.push(count);
    }
    if requests.is_empty() {
        return Err(TraceError::new(None, "trace is empty, expected a number a line", "check the file"));
    }
    Ok(Trace { interval: Duration::from_secs(1), requests, skipped_lines: 0 })
}
