//! Reports say what the file says.

use super::*;
use crate::measurement::failure_kind::FailureKind;
use crate::sample::baseline;

#[test]
fn the_table_and_markdown_name_levels_and_findings() {
    let baseline = baseline();
    for text in [table(&baseline), markdown(&baseline)] {
        for part in
            ["rate/s", "highest rate within the SLO (p95=250ms, errors=0.1%)", "plateau", "too slow", "knee"]
        {
            assert!(text.contains(part), "`{part}` is missing:\n{text}");
        }
    }
}

#[test]
fn csv_has_a_line_for_each_level_with_as_many_fields_as_its_head() {
    let baseline = baseline();
    let text = csv(&baseline);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), baseline.first_curve().levels.len() + 1);
    for line in &lines {
        assert_eq!(line.split(',').count(), lines[0].split(',').count(), "{line}");
    }
}

#[test]
fn every_report_says_which_errors_a_level_had_and_what_ended_late_or_was_repeated() {
    let mut baseline = baseline();
    let measurement = &mut baseline.curves[0].levels[0].measurement;
    measurement.failures.insert(FailureKind::RedirectElsewhere, 7);
    (measurement.refused, measurement.ended_late, measurement.late_errors, measurement.repeated) =
        (2, 5, 3, 4);
    for text in [table(&baseline), markdown(&baseline)] {
        for part in [
            "(7 failed + 2 refused + 3 after the end of ",
            "redirected to another host: 7; hint: --host",
            "5 requests ended after the measured time",
            "4 requests were sent a second time",
        ] {
            assert!(text.contains(part), "`{part}` is missing");
        }
    }
    assert!(csv(&baseline).contains(",5,3,4,\"redirected to another host: 7\""), "{}", csv(&baseline));
    assert!(
        level_line(&baseline.curves[0].levels[0]).contains("(7 failed + 2 refused + 3 after the end of ")
    );
    let read: crate::baseline::Baseline = serde_json::from_str(&baseline.to_json()).expect("the file");
    assert_eq!(read.curves[0].levels[0].measurement.late_errors, 3);
}
