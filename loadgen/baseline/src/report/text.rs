//! A baseline as a table in the terminal and as Markdown.

use std::fmt::Write as _;

use super::rows::{
    by_rate, context, error_sum, findings, mean_milliseconds, milliseconds, request_notes, verdict,
};
use crate::baseline::Baseline;
use crate::curve::Curve;
use crate::level::Level;

const COLUMNS: [&str; 9] =
    ["rate/s", "served/s", "mean ms", "p50 ms", "p95 ms", "p99 ms", "in flight", "errors %", "verdict"];

/// The table for the terminal.
pub fn table(baseline: &Baseline) -> String {
    let mut text = String::new();
    for curve in &baseline.curves {
        if baseline.curves.len() > 1 {
            line(&mut text, &format!("replicas: {}", curve.replicas));
        }
        line(&mut text, &COLUMNS.map(|name| format!("{name:>9}")).join(" "));
        for level in by_rate(curve) {
            line(&mut text, &cells(level).map(|cell| format!("{cell:>9}")).join(" "));
        }
        for note in flaws(curve).chain(request_notes(baseline, curve)) {
            line(&mut text, &note);
        }
        for finding in findings(baseline, curve) {
            line(&mut text, &finding);
        }
        line(&mut text, "");
    }
    for sentence in context(baseline) {
        line(&mut text, &sentence);
    }
    text.trim_end().to_owned()
}

/// The same as Markdown.
pub fn markdown(baseline: &Baseline) -> String {
    let mut text = String::from("# Baseline\n\n");
    for sentence in context(baseline) {
        line(&mut text, &format!("- {sentence}"));
    }
    for curve in &baseline.curves {
        line(&mut text, &format!("\n## Replicas: {}\n", curve.replicas));
        for finding in findings(baseline, curve) {
            line(&mut text, &format!("- {finding}"));
        }
        let rule = format!(" |\n|{}", "---:|".repeat(COLUMNS.len()));
        text.push('\n');
        text.push_str(&marked_table(curve, ["| ", " | ", &rule], ["| ", " | ", " |"]));
        for note in flaws(curve).chain(request_notes(baseline, curve)) {
            line(&mut text, &format!("\n{note}"));
        }
    }
    text
}

/// One level on one line, as it is told when it was measured.
pub fn level_line(level: &Level) -> String {
    let [rate, served, mean, _, p95, _, _, errors, verdict] = cells(level);
    let sum = error_sum(level).map(|sum| format!(" ({sum})")).unwrap_or_default();
    let mut text = format!(
        "{rate}/s: {served}/s served, mean {mean} ms, p95 {p95} ms, errors {errors} %{sum}, {verdict}"
    );
    for flaw in &level.flaws {
        write!(text, "; {flaw}").expect("a string takes whatever is written");
    }
    text
}

/// The table in some markup: what is before, between and after the cells of the head, and of each row.
pub fn marked_table(curve: &Curve, head: [&str; 3], row: [&str; 3]) -> String {
    let mut text = String::new();
    line(&mut text, &format!("{}{}{}", head[0], COLUMNS.join(head[1]), head[2]));
    for level in by_rate(curve) {
        line(&mut text, &format!("{}{}{}", row[0], cells(level).join(row[1]), row[2]));
    }
    text
}

fn cells(level: &Level) -> [String; 9] {
    let time = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.1}"));
    [
        format!("{:.1}", level.offered_rps()),
        format!("{:.1}", level.measurement.throughput_rps()),
        time(mean_milliseconds(level)),
        time(milliseconds(level, 0.50)),
        time(milliseconds(level, 0.95)),
        time(milliseconds(level, 0.99)),
        format!("{:.1}", level.measurement.mean_in_flight),
        format!("{:.2}", level.error_share() * 100.0),
        verdict(level).to_owned(),
    ]
}

/// Why levels are void, a sentence each.
pub fn flaws(curve: &Curve) -> impl Iterator<Item = String> {
    by_rate(curve).into_iter().flat_map(|level| {
        let rate = level.offered_rps();
        level.flaws.iter().map(move |flaw| format!("void at {rate:.1}/s: {flaw}"))
    })
}

fn line(text: &mut String, words: &str) {
    writeln!(text, "{words}").expect("a string takes whatever is written");
}
