//! A baseline as CSV: one line for each level, void ones included; times in milliseconds.

use std::fmt::Write as _;

use super::rows::{by_rate, errors_by_request, failures, mean_milliseconds, milliseconds, verdict};
use crate::baseline::Baseline;

const HEADER: &str = "replicas,number,offered_rps,throughput_rps,verdict,error_share,mean_ms,p50_ms,p95_ms,p99_ms,\
                      max_ms,mean_in_flight,scheduled,sent,unsent,refused,failed,generator_cpu_cores,measured_seconds,flaws,\
                      ended_late,late_errors,repeated,errors,errors_by_request";

/// The text of the file.
pub fn csv(baseline: &Baseline) -> String {
    const FITS: &str = "a string takes whatever is written";
    let mut text = String::from(HEADER);
    text.push('\n');
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.3}"));
    for curve in &baseline.curves {
        for level in by_rate(curve) {
            let measurement = &level.measurement;
            let flaws: Vec<String> = level.flaws.iter().map(ToString::to_string).collect();
            write!(
                text,
                "{},{},{:.3},{:.3},{},{:.6}",
                curve.replicas,
                level.number,
                level.offered_rps(),
                measurement.throughput_rps(),
                verdict(level),
                level.error_share(),
            )
            .expect(FITS);
            for value in [
                mean_milliseconds(level),
                milliseconds(level, 0.50),
                milliseconds(level, 0.95),
                milliseconds(level, 0.99),
                milliseconds(level, 1.0),
            ] {
                write!(text, ",{}", number(value)).expect(FITS);
            }
            writeln!(
                text,
                ",{:.3},{},{},{},{},{},{},{:.3},{},{},{},{},\"{}\",{}",
                measurement.mean_in_flight,
                measurement.scheduled,
                measurement.sent,
                measurement.unsent,
                measurement.refused,
                measurement.failed(),
                number(measurement.generator_cpu_cores),
                measurement.measured.as_secs_f64(),
                // The sentences have commas, and no quotation marks.
                if flaws.is_empty() { String::new() } else { format!("\"{}\"", flaws.join("; ")) },
                measurement.ended_late,
                measurement.late_errors,
                measurement.repeated,
                failures(level),
                quoted(&errors_by_request(baseline, level).join("; ")),
            )
            .expect(FITS);
        }
    }
    text
}

/// A text as one field: requests may have commas and quotation marks (RFC 4180, section 2).
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}
