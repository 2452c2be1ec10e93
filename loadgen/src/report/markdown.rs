//! A result as Markdown, for a comment or a page.

use std::fmt::Write as _;

use crate::result::LoadResult;

pub(super) fn text(result: &LoadResult) -> String {
    let mut text = format!("# Load test\n\n{}\n\n", escaped(&result.headline()));
    text.push_str(
        "| request | requests | failed | refused | per s | mean ms | p50 ms | p95 ms | p99 ms | max ms |\n",
    );
    text.push_str("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n");
    let mut line = |arguments: std::fmt::Arguments<'_>| {
        text.write_fmt(arguments).expect("a string takes whatever is written");
    };
    for row in result.rows() {
        let times = row.latency.map_or_else(
            || "– | – | – | – | –".to_owned(),
            |latency| {
                format!(
                    "{:.1} | {:.1} | {:.1} | {:.1} | {:.1}",
                    latency.mean_ms, latency.p50_ms, latency.p95_ms, latency.p99_ms, latency.max_ms
                )
            },
        );
        line(format_args!(
            "| {} | {} | {} | {} | {:.1} | {times} |\n",
            escaped(row.name),
            row.requests,
            row.failures,
            row.refusals,
            row.requests_per_second
        ));
    }
    line(format_args!("\n- {}\n", escaped(&result.verdict_line())));
    for remark in result.remarks() {
        line(format_args!("- {}\n", escaped(&remark)));
    }
    for verdict in &result.thresholds {
        line(format_args!("- threshold {verdict}\n"));
    }
    if !result.errors_by_request.is_empty() {
        line(format_args!("\n| request | error | count | when | example |\n|---|---|--:|---|---|\n"));
    }
    for row in &result.errors_by_request {
        line(format_args!(
            "| {} | {} | {} | {} | {} |\n",
            escaped(row.request_name()),
            escaped(&row.error),
            row.count,
            row.times(),
            escaped(row.example.as_deref().unwrap_or("–"))
        ));
    }
    if !result.slowest.is_empty() {
        line(format_args!("\n| slowest | ms | status | trace |\n|---|--:|--:|---|\n"));
    }
    for slow in &result.slowest {
        let status = slow.status.map_or_else(|| "–".to_owned(), |status| status.to_string());
        let recorded = if slow.trace_recorded { " (recorded)" } else { "" };
        line(format_args!(
            "| {} | {:.1} | {status} | `{}`{recorded} |\n",
            escaped(&slow.name),
            slow.took_ms,
            slow.trace_id
        ));
    }
    text
}

/// A text in which nothing means anything to Markdown.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for each in text.chars() {
        match each {
            '|' | '*' | '_' | '`' | '<' | '[' | ']' | '\\' | '#' => {
                escaped.push('\\');
                escaped.push(each);
            }
            '\n' | '\r' => escaped.push(' '),
            _ => escaped.push(each),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn names_do_not_break_a_table() {
        assert_eq!(escaped("GET /a|b_c\n<x>"), "GET /a\\|b\\_c \\<x>");
    }
}
