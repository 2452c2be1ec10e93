//! Draws the story as it plays: one line a second, readable in any terminal and in a log.

use scaler_engine::Slo;

use super::verdict::Point;

/// Width of the bar of p95; one column is 50 ms, so that a saturated replica's 1.3 s fits.
const BAR_COLUMNS: usize = 28;

const SECONDS_PER_COLUMN: f64 = 0.05;

/// The line above the first one.
pub(crate) fn heading() -> String {
    format!(
        "{:>6}  {:>5}  {:>7}  {:>8}  {:<BAR_COLUMNS$}  replicas",
        "time", "load", "offered", "p95", "0 … 1.4 s, │ is the SLO"
    )
}

/// One second as a line.
pub(crate) fn line(point: &Point) -> String {
    let p95 = point.p95_seconds.map_or_else(|| "-".to_owned(), |p95| format!("{:.0} ms", p95 * 1000.0));
    format!(
        "{:>4} s  {:>4.1}x  {:>5.0}/s  {:>8}  {}  {}",
        point.at.as_secs(),
        point.load_factor,
        point.offered_rps,
        p95,
        bar(point.p95_seconds.unwrap_or_default()),
        replicas(point),
    )
}

/// Full blocks up to the value, and a mark at the SLO.
fn bar(p95_seconds: f64) -> String {
    let filled = columns(p95_seconds);
    let slo = columns(Slo::DEFAULT.p95_seconds);
    (0..BAR_COLUMNS)
        .map(|column| match (column < filled, column == slo) {
            (_, true) => '│',
            (true, false) => '█',
            (false, false) => ' ',
        })
        .collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the bar's width before it becomes a number of columns"
)]
fn columns(seconds: f64) -> usize {
    (seconds / SECONDS_PER_COLUMN).round().clamp(0.0, BAR_COLUMNS as f64) as usize
}

/// A full square for each ready replica, an empty one for each that is wanted or still going.
fn replicas(point: &Point) -> String {
    let others = point.current.max(point.desired).saturating_sub(point.ready);
    format!("{}{} {}", "■".repeat(point.ready as usize), "□".repeat(others as usize), point.ready)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{BAR_COLUMNS, bar, heading, line};
    use crate::demo::verdict::Point;

    #[test]
    fn every_line_is_as_wide_as_its_heading_up_to_the_replicas() {
        let point = Point {
            at: Duration::from_secs(61),
            load_factor: 5.0,
            offered_rps: 200.0,
            p95_seconds: Some(1.27),
            ready: 2,
            current: 3,
            desired: 3,
        };
        let line = line(&point);
        assert!(line.ends_with("■■□ 2"), "{line}");
        let column = |text: &str, what: &str| {
            let (before, _) = text.split_once(what).expect(what);
            before.chars().count()
        };
        assert_eq!(column(&heading(), "replicas"), column(&line, "■■"), "{}\n{line}", heading());
    }

    #[test]
    fn the_bar_grows_with_the_value_and_never_out_of_its_frame() {
        for (p95_seconds, blocks) in [(0.0, 0), (0.1, 2), (0.25, 5), (1.0, 19), (1000.0, BAR_COLUMNS - 1)] {
            let bar = bar(p95_seconds);
            assert_eq!(bar.chars().filter(|mark| *mark == '█').count(), blocks, "{p95_seconds} s: `{bar}`");
            assert_eq!(bar.chars().count(), BAR_COLUMNS);
        }
    }
}
