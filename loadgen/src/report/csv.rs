//! A result as CSV: one line per request and one for all of them; times in milliseconds.
//!
//! `unsent` is empty in the line of a request, because what was due and never sent had not become one. `spoiled_by` says
//! in every line why the generator was the limit and not the service, and is empty where it was not.

use std::fmt::Write as _;

use crate::recorder::Latency;
use crate::result::LoadResult;

/// The first line; what came later stands at the end, where readers that count columns do not stumble over it.
const HEADER: &str = "request,requests,failures,refusals,requests_per_second,mean_ms,p50_ms,p95_ms,p99_ms,max_ms,\
                      unsent,unanswered,spoiled_by";

pub(super) fn table(result: &LoadResult) -> String {
    let mut text = format!("{HEADER}\n");
    let spoiled_by = quoted(&result.generator.spoiled_by.join("; "));
    for row in result.rows() {
        let times = row.latency.map_or_else(|| ",,,,".to_owned(), |latency| times(&latency));
        let unsent = row.unsent.map_or_else(String::new, |unsent| unsent.to_string());
        writeln!(
            text,
            "{},{},{},{},{:.3},{times},{unsent},{},{spoiled_by}",
            quoted(row.name),
            row.requests,
            row.failures,
            row.refusals,
            row.requests_per_second,
            row.unanswered
        )
        .expect("a string takes whatever is written");
    }
    text
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
        recorder.unanswered(1, start, start + run_time);
        let snapshot = recorder.snapshot(start + run_time);
        let table_of = |spoiled_by: &[&str]| {
            let spoiled_by = spoiled_by.iter().map(ToString::to_string).collect();
            let generator = GeneratorResult { spoiled_by, ..GeneratorResult::default() };
            table(&LoadResult::new(&config, &snapshot, Ending::default(), generator, Vec::new()))
        };
        let text = table_of(&["it acted late, by 80 ms", "it had no port"]);
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].ends_with(",max_ms,unsent,unanswered,spoiled_by"), "{text}");
        assert!(lines[1].ends_with(",,0,\"it acted late, by 80 ms; it had no port\""), "{text}");
        assert!(lines[2].ends_with(",,1,\"it acted late, by 80 ms; it had no port\""), "{text}");
        assert!(lines[4].ends_with(",3,1,\"it acted late, by 80 ms; it had no port\""), "{text}");
        assert!(table_of(&[]).lines().skip(1).all(|line| line.ends_with(',')), "{}", table_of(&[]));
    }

    #[test]
    fn a_field_is_quoted_only_where_it_must_be() {
        assert_eq!(quoted("GET /"), "GET /");
        assert_eq!(quoted("GET /a,b"), "\"GET /a,b\"");
        assert_eq!(quoted("say \"hi\""), "\"say \"\"hi\"\"\"");
    }
}
