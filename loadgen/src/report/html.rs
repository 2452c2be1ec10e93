//! A result as a page that needs nothing from outside: tables, and charts of how it went over time.

use std::fmt::Write as _;

use loadgen_baseline::Latency;

use crate::result::LoadResult;
use crate::result::series::Point;

use super::chart::{Chart, Line};

/// Remarks that begin so say that something is wrong.
const BAD: [&str; 3] = ["SPOILED", "gave up", "WARNING"];

pub(super) fn page(result: &LoadResult) -> String {
    let headline = escaped(&result.headline());
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>Load test: {}</title>\n<style>{}</style></head>\n<body>\n\
         <h1>Load test</h1>\n<p>{headline}</p>\n",
        escaped(&result.scenario),
        include_str!("style.css")
    );
    let class = if result.unnoticed_errors().is_some() { "bad" } else { "" };
    write(&mut page, format_args!("<p class=\"{class}\">{}</p>\n", escaped(&result.verdict_line())));
    verdicts(&mut page, result);
    remarks(&mut page, result);
    requests(&mut page, result);
    errors(&mut page, result);
    page.push_str("<h2>Over time</h2>\n<div class=\"charts\">\n");
    for chart in charts(result) {
        page.push_str(&chart.svg());
    }
    page.push_str("</div>\n");
    slowest(&mut page, result);
    let generator = &result.generator;
    write(
        &mut page,
        format_args!(
            "<footer>autoscale-lab {}; generator: {:.2} of {} cores, 99 % of its actions at most {:.1} ms late</footer>\n\
             </body></html>\n",
            escaped(&result.version),
            generator.cpu_cores,
            generator.cores,
            generator.late_p99_ms
        ),
    );
    page
}

fn write(page: &mut String, arguments: std::fmt::Arguments<'_>) {
    page.write_fmt(arguments).expect("a string takes whatever is written");
}

fn verdicts(page: &mut String, result: &LoadResult) {
    if result.thresholds.is_empty() {
        return;
    }
    page.push_str("<h2>Thresholds</h2>\n<ul>\n");
    for verdict in &result.thresholds {
        let class = if verdict.held { "good" } else { "bad" };
        write(page, format_args!("<li class=\"{class}\">{}</li>\n", escaped(&verdict.to_string())));
    }
    page.push_str("</ul>\n");
}

fn remarks(page: &mut String, result: &LoadResult) {
    let remarks = result.remarks();
    if remarks.is_empty() {
        return;
    }
    page.push_str("<ul>\n");
    for remark in &remarks {
        let class = if BAD.iter().any(|word| remark.starts_with(word)) { "bad" } else { "" };
        write(page, format_args!("<li class=\"{class}\">{}</li>\n", escaped(remark)));
    }
    page.push_str("</ul>\n");
}

fn requests(page: &mut String, result: &LoadResult) {
    page.push_str(
        "<h2>Requests</h2>\n<div class=\"wide\"><table><thead><tr><th>request</th><th>requests</th><th>failed</th>\
         <th>refused</th><th>per s</th><th>mean ms</th><th>p50 ms</th><th>p95 ms</th><th>p99 ms</th><th>max ms</th>\
         </tr></thead><tbody>\n",
    );
    let first_of_all = result.by_request.len();
    for (index, row) in result.rows().enumerate() {
        let class = if index >= first_of_all { "all" } else { "" };
        let times = row.latency.map_or_else(
            || "<td>–</td>".repeat(5),
            |Latency { mean_ms, p50_ms, p95_ms, p99_ms, max_ms }| {
                [mean_ms, p50_ms, p95_ms, p99_ms, max_ms].map(|time| format!("<td>{time:.1}</td>")).concat()
            },
        );
        write(
            page,
            format_args!(
                "<tr class=\"{class}\"><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{:.1}</td>{times}</tr>\n",
                escaped(row.name),
                row.requests,
                row.failures,
                row.refusals,
                row.requests_per_second
            ),
        );
    }
    page.push_str("</tbody></table></div>\n");
}

fn charts(result: &LoadResult) -> Vec<Chart> {
    let scheduled = result.arrivals.is_some();
    let line = |name, value: &dyn Fn(&Point) -> Option<f64>| Line {
        name,
        points: result.series.iter().map(|point| (point.at_seconds, value(point))).collect(),
    };
    let mut rates = vec![
        line("ended", &|point| Some(point.requests_per_second)),
        line("refused", &|point| Some(point.refusals_per_second)),
        line("failed", &|point| Some(point.failures_per_second)),
    ];
    if scheduled {
        rates.push(line("wanted", &|point| Some(point.wanted)));
        rates.push(line("never sent", &|point| Some(point.unsent as f64)));
    }
    let busy = if scheduled { "waiting for an answer" } else { "acting" };
    let mut users = vec![line(busy, &|point| Some(point.users as f64))];
    if !scheduled {
        users.push(line("wanted", &|point| Some(point.wanted)));
    }
    let distribution = Line {
        name: "response time",
        points: result
            .distribution
            .iter()
            .map(|point| (point.share * 100.0, Some(point.at_most_ms)))
            .collect(),
    };
    let (x_label, times) = ("seconds", if scheduled { "ms from intended start" } else { "ms from sending" });
    vec![
        Chart { title: "Requests per second", x_label, y_label: "per second", lines: rates },
        Chart {
            title: "Response times",
            x_label,
            y_label: times,
            lines: vec![
                line("p50", &|point| point.p50_ms),
                line("p95", &|point| point.p95_ms),
                line("p99", &|point| point.p99_ms),
            ],
        },
        Chart { title: "Users", x_label, y_label: "users", lines: users },
        Chart {
            title: "CPU time of the generator",
            x_label,
            y_label: "cores",
            lines: vec![line("cores", &|point| Some(point.cpu_cores))],
        },
        Chart {
            title: "Distribution of the response times",
            x_label: "% of the answers took at most",
            y_label: times,
            lines: vec![distribution],
        },
    ]
}

fn errors(page: &mut String, result: &LoadResult) {
    if result.errors_by_request.is_empty() {
        return;
    }
    page.push_str(
        "<h2>Errors</h2>\n<div class=\"wide\"><table><thead><tr><th>request</th><th>error</th><th>count</th>\
         <th>when</th><th>example</th></tr></thead><tbody>\n",
    );
    for row in &result.errors_by_request {
        write(
            page,
            format_args!(
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                escaped(row.request_name()),
                escaped(&row.error),
                row.count,
                row.times(),
                escaped(row.example.as_deref().unwrap_or("–"))
            ),
        );
    }
    page.push_str("</tbody></table></div>\n");
}

fn slowest(page: &mut String, result: &LoadResult) {
    if result.slowest.is_empty() {
        return;
    }
    page.push_str(
        "<h2>Slowest requests</h2>\n<div class=\"wide\"><table><thead><tr><th>request</th><th>ms</th><th>status</th>\
         <th>at s</th><th>trace</th></tr></thead><tbody>\n",
    );
    for slow in &result.slowest {
        let status = slow.status.map_or_else(|| "–".to_owned(), |status| status.to_string());
        let recorded = if slow.trace_recorded { " recorded" } else { "" };
        write(
            page,
            format_args!(
                "<tr><td>{}</td><td>{:.1}</td><td>{status}</td><td>{:.1}</td><td><code>{}</code>{recorded}</td></tr>\n",
                escaped(&slow.name),
                slow.took_ms,
                slow.sent_at_seconds,
                slow.trace_id
            ),
        );
    }
    page.push_str("</tbody></table></div>\n");
}

/// A text in which nothing means anything to HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn names_are_text_and_never_markup() {
        assert_eq!(escaped("<script>\"&"), "&lt;script&gt;&quot;&amp;");
    }
}
