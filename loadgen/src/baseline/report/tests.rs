//! Reports say what the file says.

use super::*;
use crate::baseline::file::tests::baseline;
use crate::failure_kind::FailureKind;

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
    for text in [table(&baseline), markdown(&baseline), html(&baseline)] {
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

#[test]
fn the_page_needs_nothing_from_outside() {
    let page = html(&baseline());
    let script_ends = page.find("</script>").expect("plotly's script");
    let rest = &page[script_ends..];
    for outside in ["src=", "href=", "https://"] {
        assert!(!rest.contains(outside), "`{outside}` outside of plotly's own script");
    }
    assert!(page[..script_ends].len() > 1_000_000, "the script is in the page");
    assert!(!page[..1000].contains("<script src"), "nothing is loaded");
    for chart in ["latency-0", "throughput-0", "distribution-0", "SLO: p95=250ms"] {
        assert!(rest.contains(chart), "`{chart}` is missing");
    }
}

#[test]
fn what_comes_from_a_command_line_is_no_markup() {
    let mut baseline = baseline();
    baseline.target.requests = vec!["1 GET /<script>alert(1)</script>".to_owned()];
    assert!(!html(&baseline).contains("<script>alert"));
}

#[test]
fn the_ending_names_the_format() {
    assert_eq!(ReportFormat::of(Path::new("a/b.html")), Some(ReportFormat::Html));
    assert_eq!(ReportFormat::of(Path::new("b.pdf")), None);
    assert_eq!(ReportFormat::of(Path::new("html")), None);
}
