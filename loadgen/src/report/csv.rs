//! A result as CSV: one line per request and one for all of them; times in milliseconds.

use std::fmt::Write as _;

use crate::recorder::Latency;
use crate::result::LoadResult;

pub(super) fn table(result: &LoadResult) -> String {
    let mut text = String::from(
        "request,requests,failures,refusals,requests_per_second,mean_ms,p50_ms,p95_ms,p99_ms,max_ms\n",
    );
    for row in result.rows() {
        let times = row.latency.map_or_else(|| ",,,,".to_owned(), |latency| times(&latency));
        writeln!(
            text,
            "{},{},{},{},{:.3},{times}",
            quoted(row.name),
            row.requests,
            row.failures,
            row.refusals,
            row.requests_per_second
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
    use super::quoted;

    #[test]
    fn a_field_is_quoted_only_where_it_must_be() {
        assert_eq!(quoted("GET /"), "GET /");
        assert_eq!(quoted("GET /a,b"), "\"GET /a,b\"");
        assert_eq!(quoted("say \"hi\""), "\"say \"\"hi\"\"\"");
    }
}
