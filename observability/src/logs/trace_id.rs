//! Puts the id of the trace into the lines that are logged within a sampled request, so that a line leads to its trace.

use std::fmt;

use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::traces::current_trace_id;

/// The field's name, which log viewers look for.
const FIELD: &str = "trace_id";

/// Where the id stands in a line.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// `… trace_id=4bf9…`
    AtTheEnd,
    /// `{…,"trace_id":"4bf9…"}`
    InTheObject,
}

/// A format of lines, with the id added to it.
#[derive(Debug)]
pub(super) struct WithTraceId<F> {
    lines: F,
    place: Place,
}

impl<F> WithTraceId<F> {
    pub(super) fn new(lines: F, place: Place) -> Self {
        Self { lines, place }
    }
}

impl<S, N, F> FormatEvent<S, N> for WithTraceId<F>
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    N: for<'writer> FormatFields<'writer> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Some(trace_id) = current_trace_id() else {
            return self.lines.format_event(context, writer, event);
        };
        let mut line = String::with_capacity(256);
        self.lines.format_event(context, Writer::new(&mut line), event)?;
        writer.write_str(&with_trace_id(&line, self.place, &trace_id))
    }
}

fn with_trace_id(line: &str, place: Place, trace_id: &str) -> String {
    let line = line.trim_end_matches('\n');
    match (place, line.strip_suffix('}')) {
        (Place::InTheObject, Some(open)) => format!("{open},\"{FIELD}\":\"{trace_id}\"}}\n"),
        (Place::InTheObject, None) | (Place::AtTheEnd, _) => format!("{line} {FIELD}={trace_id}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, with_trace_id};

    #[test]
    fn the_id_becomes_a_field_of_the_line() {
        let text = with_trace_id("INFO ready port=1\n", Place::AtTheEnd, "4bf9");
        assert_eq!(text, "INFO ready port=1 trace_id=4bf9\n");
        let json = with_trace_id("{\"message\":\"ready {}\"}\n", Place::InTheObject, "4bf9");
        let value: serde_json::Value = serde_json::from_str(&json).expect("still JSON");
        assert_eq!((value["message"].as_str(), value["trace_id"].as_str()), (Some("ready {}"), Some("4bf9")));
        assert!(json.ends_with('\n'), "lines end");
    }
}
