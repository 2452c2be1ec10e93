//! A result as CSV: one line per request and one for all of them; times in milliseconds.
//!
//! `unsent` is empty in the line of a request, because what was due and never sent had not become one. `spoiled_by` says
//! in every line why the generator was the limit and not the service, and is empty where it was not. `late` and `repeated`
//! are of the requests, `errors` is the sum of failed, refused, unanswered and unsent, and `error_kinds` says which they
//! were, how often and when.

use std::fmt::Write as _;

use loadgen_baseline::Latency;

use crate::result::LoadResult;

/// The first line; what came later stands at the end, where readers that count columns do not stumble over it.
const HEADER: &str = "request,requests,failures,refusals,requests_per_second,mean_ms,p50_ms,p95_ms,p99_ms,max_ms,\
                      unsent,unanswered,spoiled_by,late,repeated,errors,error_kinds";

pub(super) fn table(result: &LoadResult) -> String {
    let mut text = format!("{HEADER}\n");
    let spoiled_by = quoted(&result.generator.spoiled_by.join("; "));
    for row in result.rows() {
        let times = row.latency.map_or_else(|| ",,,,".to_owned(), |latency| times(&latency));
        let unsent = row.unsent.map_or_else(String::new, |unsent| unsent.to_string());
        writeln!(
            text,
            "{},{},{},{},{:.3},{times},{unsent},{},{spoiled_by},{},{},{},{}",
            quoted(row.name),
            row.requests,
            row.failures,
            row.refusals,
            row.requests_per_second,
            row.unanswered,
            row.late,
            row.repeated,
            row.failures + row.refusals + row.unanswered + row.unsent.unwrap_or(0),
            quoted(&error_kinds(result, row.index))
        )
        .expect("a string takes whatever is written");
    }
    text
}

/// The errors of one request, or of all where `index` is none: kind, count and when, with semicolons between.
fn error_kinds(result: &LoadResult, index: Option<usize>) -> String {
    let name = index.and_then(|index| result.by_request.get(index)).map(|request| &request.name);
    let mut kinds = Vec::new();
    for row in &result.errors_by_request {
        if name.is_none() || row.request.as_ref() == name {
            let request = if name.is_none() { format!("{}: ", row.request_name()) } else { String::new() };
            kinds.push(format!("{request}{}: {} {}", row.error, row.count, row.times()));
        }
    }
    kinds.join("; ")
}

fn times(latency: &Latency) -> String {
    let Latency { mean_ms, p50_ms, p95_ms, p99_ms, max_ms } = latency;
    format!("{mean_ms:.3},{p50_ms:.3},{p95_ms:.3},{p99_ms:.3},{max_ms:.3}")
}

/// A field as RFC 4180 wants it.
fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use workload::Arrivals;

    use super::{quoted, table};
    use crate::config::{Load, LoadConfig};
    use crate::generator::GeneratorResult;
    use crate::levels::Levels;
    use crate::recorder::Recorder;
    use crate::result::{Ending, LoadResult};
    use crate::scenario::Scenario;

    #[test]
    fn what_was_lost_and_what_spoiled_the_result_is_in_it() {
        let config = LoadConfig {
            load: Load::Rate { levels: Levels::steady(1.0), arrivals: Arrivals::Constant, max_users: 1 },
            scenario: Scenario::load("api-user", &[]).unwrap(),
            ..LoadConfig::default()
        };
        let (start, run_time) = (Instant::now(), Duration::from_secs(10));
        let recorder = Recorder::new(2, true);
        recorder.begin(start, run_time);
        (0..3).for_each(|_| recorder.unsent(start, run_time, run_time));
        recorder.unanswered(1, start, start, start + run_time);
        let snapshot = recorder.snapshot(start + run_time);
        let table_of = |spoiled_by: &[&str]| {
            let spoiled_by = spoiled_by.iter().map(ToString::to_string).collect();
            let generator = GeneratorResult { spoiled_by, ..GeneratorResult::default() };
            table(&LoadResult::new(&config, &snapshot, Ending::default(), generator, Vec::new()))
        };
        let text = table_of(&["it acted late, by 80 ms", "it had no port"]);
        let lines: Vec<_> = text.lines().collect();
        let header = ",max_ms,unsent,unanswered,spoiled_by,late,repeated,errors,error_kinds";
        assert!(lines[0].ends_with(header), "{text}");
        let spoiled_by = "\"it acted late, by 80 ms; it had no port\"";
        assert!(lines[1].ends_with(&format!(",,0,{spoiled_by},0,0,0,")), "{text}");
        let unanswered = "unanswered at the end: 1 at 10.0 s";
        assert!(lines[2].ends_with(&format!(",,1,{spoiled_by},0,0,1,{unanswered}")), "{text}");
        let all = format!("POST /api/events: {unanswered}; (any request): never sent: 3 from 0.0 s to 0.0 s");
        assert!(lines[4].ends_with(&format!(",3,1,{spoiled_by},0,0,4,{all}")), "{text}");
        assert!(table_of(&[]).lines().skip(1).all(|line| line.contains(",,0,0,")), "{}", table_of(&[]));
    }

    #[test]
    fn a_field_is_quoted_only_where_it_must_be() {
        assert_eq!(quoted("GET /"), "GET /");
        assert_eq!(quoted("GET /a,b"), "\"GET /a,b\"");
        assert_eq!(quoted("say \"hi\""), "\"say \"\"hi\"\"\"");
    }
}
