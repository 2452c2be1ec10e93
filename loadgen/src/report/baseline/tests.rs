//! The page says what the file says, and needs nothing from outside.

use loadgen_baseline::FailureKind;

use super::*;
use sample::baseline;

#[path = "../../../baseline/src/sample.rs"]
#[expect(dead_code, reason = "shared with the tests of the crate `loadgen-baseline`, which use more of it")]
mod sample;

fn html(baseline: &Baseline) -> String {
    ReportFormat::Html.write(baseline)
}

#[test]
fn the_page_says_which_errors_a_level_had_and_what_ended_late_or_was_repeated() {
    let mut baseline = baseline();
    let measurement = &mut baseline.curves[0].levels[0].measurement;
    measurement.failures.insert(FailureKind::RedirectElsewhere, 7);
    (measurement.refused, measurement.ended_late, measurement.late_errors, measurement.repeated) =
        (2, 5, 3, 4);
    for part in [
        "(7 failed + 2 refused + 3 after the end of ",
        "redirected to another host: 7; hint: --host",
        "5 requests ended after the measured time",
        "4 requests were sent a second time",
    ] {
        assert!(html(&baseline).contains(part), "`{part}` is missing");
    }
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
