//! A result as a table for the terminal, and below it what a reader must know of its numbers.

use std::fmt;

use super::{ErrorResult, LoadResult, Row};

/// How many of the slowest requests the terminal shows; reports have all that are kept.
const SLOWEST: usize = 3;

/// How many kinds of error the terminal shows; reports have all.
const ERRORS: usize = 20;

impl LoadResult {
    /// What was done, in one line.
    pub(crate) fn headline(&self) -> String {
        let load = match &self.arrivals {
            Some(arrivals) => {
                format!("{} requests/s ({arrivals}, at most {} users)", self.load, self.users)
            }
            None if self.load == "1" => "1 user".to_owned(),
            None => format!("{} users", self.load),
        };
        format!(
            "{load}, scenario {}, seed {}, on {}, measured for {:.1} s",
            self.scenario, self.seed, self.host, self.duration_seconds
        )
    }
}

impl LoadResult {
    /// Which request had which error, the most frequent first.
    fn write_errors(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows: Vec<&ErrorResult> = self.errors_by_request.iter().collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.count));
        let width = |text: &dyn Fn(&ErrorResult) -> &str| {
            rows.iter().map(|row| text(row).chars().count()).max().unwrap_or(0)
        };
        let (name_width, error_width) = (width(&|row| row.request_name()), width(&|row| &row.error));
        for row in rows.iter().take(ERRORS) {
            write!(
                formatter,
                "error: {:name_width$}  {:error_width$}  {:>7}  {}",
                row.request_name(),
                row.error,
                row.count,
                row.times()
            )?;
            match &row.example {
                Some(example) => writeln!(formatter, "  {example}")?,
                None => writeln!(formatter)?,
            }
        }
        if rows.len() > ERRORS {
            writeln!(
                formatter,
                "error: {} more kinds, all of them in a report or --json",
                rows.len() - ERRORS
            )?;
        }
        Ok(())
    }
}

impl ErrorResult {
    /// The request's name, or what stands for it.
    pub(crate) fn request_name(&self) -> &str {
        self.request.as_deref().unwrap_or("(any request)")
    }

    /// When it occurred.
    pub(crate) fn times(&self) -> String {
        let (first, last) = (self.first_at_seconds, self.last_at_seconds);
        if self.count == 1 { format!("at {first:.1} s") } else { format!("from {first:.1} s to {last:.1} s") }
    }
}

impl fmt::Display for LoadResult {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.headline())?;
        writeln!(formatter)?;
        let name_width = self.rows().map(|row| row.name.chars().count()).max().unwrap_or(0);
        writeln!(
            formatter,
            "{:name_width$}  {:>9}  {:>8}  {:>8}  {:>8}  {:>8}  {:>8}  {:>8}  {:>8}  {:>8}",
            "", "requests", "failed", "refused", "per s", "mean ms", "p50 ms", "p95 ms", "p99 ms", "max ms"
        )?;
        for row in self.rows() {
            write_row(formatter, &row, name_width)?;
        }
        writeln!(formatter)?;
        writeln!(formatter, "{}", self.verdict_line())?;
        self.write_errors(formatter)?;
        self.remarks().iter().try_for_each(|remark| writeln!(formatter, "{remark}"))?;
        for slow in self.slowest.iter().take(SLOWEST) {
            let recorded = if slow.trace_recorded { ", recorded" } else { "" };
            let (took_ms, name, trace_id) = (slow.took_ms, &slow.name, &slow.trace_id);
            writeln!(formatter, "slowest: {took_ms:.1} ms {name}, trace {trace_id}{recorded}")?;
        }
        for verdict in &self.thresholds {
            writeln!(formatter, "threshold {verdict}")?;
        }
        self.report_errors.iter().try_for_each(|error| writeln!(formatter, "report not written: {error}"))
    }
}

fn write_row(formatter: &mut fmt::Formatter<'_>, row: &Row<'_>, name_width: usize) -> fmt::Result {
    let Row { name, requests, failures, refusals, requests_per_second, latency, .. } = row;
    write!(
        formatter,
        "{name:name_width$}  {requests:>9}  {failures:>8}  {refusals:>8}  {requests_per_second:>8.1}"
    )?;
    match latency {
        Some(latency) => writeln!(
            formatter,
            "  {:>8.1}  {:>8.1}  {:>8.1}  {:>8.1}  {:>8.1}",
            latency.mean_ms, latency.p50_ms, latency.p95_ms, latency.p99_ms, latency.max_ms
        ),
        None => writeln!(formatter, "  {0:>8}  {0:>8}  {0:>8}  {0:>8}  {0:>8}", "-"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::{Duration, Instant};

    use loadgen_baseline::{FailureKind, RequestOutcome};

    use crate::config::{Load, LoadConfig};
    use crate::generator::GeneratorResult;
    use crate::levels::Levels;
    use crate::recorder::Recorder;
    use crate::result::{Ending, LoadResult};
    use crate::scenario::Scenario;
    use crate::users::exchange::Exchange;
    use crate::users::spans::TraceId;

    /// 100 answers in 10 s, two refusals and a lost request.
    fn result() -> LoadResult {
        let config = LoadConfig {
            load: Load::Users(Levels::steady(1.0)),
            scenario: Scenario::load("api-user", &[]).unwrap(),
            thresholds: vec!["p95=100ms".parse().unwrap(), "errors=1%".parse().unwrap()],
            ..LoadConfig::default()
        };
        let (start, run_time) = (Instant::now(), Duration::from_secs(10));
        let recorder = Recorder::new(2, false);
        recorder.begin(start, run_time);
        let record = |outcome, millis| {
            recorder.record(
                0,
                &Exchange {
                    outcome,
                    status: None,
                    intended_at: start,
                    sent_at: start,
                    ended_at: start + Duration::from_millis(millis),
                    trace: TraceId::default(),
                    broken_check: None,
                    reason: None,
                    repeated: false,
                },
            );
        };
        (1..=100).for_each(|millis| record(RequestOutcome::Succeeded, millis));
        record(RequestOutcome::Refused, 0);
        record(RequestOutcome::Refused, 0);
        record(RequestOutcome::Failed(FailureKind::TimedOut), 10_000);
        let snapshot = recorder.snapshot(start + run_time);
        LoadResult::new(&config, &snapshot, Ending::default(), GeneratorResult::default(), Vec::new())
    }

    #[test]
    fn the_numbers_add_up() {
        let result = result();
        assert_eq!((result.requests, result.refusals, result.failures), (103, 2, 1));
        assert_eq!(result.errors, BTreeMap::from([("timed out".to_owned(), 1)]));
        assert!((result.requests_per_second - 10.3).abs() < 1e-9);
        assert!((result.successes_per_second - 10.0).abs() < 1e-9);
        assert!(!result.held(), "3 of 103 is more than 1 %: {result}");
        assert_eq!(result.thresholds.iter().map(|verdict| verdict.held).collect::<Vec<_>>(), [true, false]);
        let json = serde_json::to_string(&result).unwrap();
        assert_eq!(serde_json::from_str::<LoadResult>(&json).unwrap(), result);
    }

    #[test]
    fn the_table_says_all_that_the_result_does() {
        let text = result().to_string();
        for part in [
            "1 user, scenario api-user, seed 1, on http://127.0.0.1:8000, measured for 10.0 s",
            "all requests              103         1         2      10.3     149.0",
            "POST /api/events            0         0         0       0.0         -",
            "errors 2.91 % (1 failed + 2 refused of 103 requests)",
            "error: GET /api/dashboard  refused (503 with Retry-After)        2  from 0.0 s to 0.0 s",
            "error: GET /api/dashboard  timed out                             1  at 10.0 s",
            "slowest: 10000.0 ms GET /api/dashboard, trace 00000",
            "threshold errors=1% NOT held: 2.91 %",
        ] {
            assert!(text.contains(part), "`{part}` is missing:\n{text}");
        }
        let lines: Vec<_> = text.lines().skip(2).take(4).map(str::len).collect();
        assert!(
            lines.windows(2).all(|pair| pair[0] == pair[1]),
            "columns are out of line: {lines:?}\n{text}"
        );
    }
}
