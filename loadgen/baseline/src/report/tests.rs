//! Reports say what the file says.

use super::*;
use crate::measurement::failure_kind::FailureKind;
use crate::measurement::request_error::RequestError;
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
fn every_report_says_which_request_had_which_error() {
    let mut baseline = baseline();
    let requests = ["1 GET /", "3 POST /order {\"item\":\"a\",\"quantity\":2}"];
    baseline.target.requests = requests.map(str::to_owned).to_vec();
    let measurement = &mut baseline.curves[0].levels[0].measurement;
    let status = RequestError::Failed(FailureKind::Status(500));
    measurement.failures.insert(FailureKind::Status(500), 7);
    (measurement.refused, measurement.unsent) = (2, 1);
    measurement.errors_by_request.extend([
        ((Some(1), status), 7),
        ((Some(0), RequestError::Refused), 2),
        ((None, RequestError::Unsent), 1),
    ]);
    let said = "7 × status 500 of `3 POST /order {\"item\":\"a\",\"quantity\":2}`, \
                2 × refused (503 with Retry-After) of `1 GET /`, 1 × never sent";
    for text in [table(&baseline), markdown(&baseline)] {
        assert!(text.contains(&format!("; by request: {said}")), "{text}");
    }
    let quoted = said.replace('"', "\"\"").replace("`, ", "`; ");
    assert!(csv(&baseline).contains(&format!(",\"{quoted}\"\n")), "{}", csv(&baseline));
    let text = baseline.to_json();
    let read = crate::baseline::Baseline::from_json("b.json", &text).expect("the file");
    let (left, right) = (&baseline.curves[0].levels[0], &read.curves[0].levels[0]);
    assert_eq!(left.measurement.errors_by_request, right.measurement.errors_by_request);

    // Where all errors are of the one request there is, its name says nothing.
    baseline.target.requests.truncate(1);
    assert!(!table(&baseline).contains("by request"));
    let error =
        crate::baseline::Baseline::from_json("b.json", &baseline.to_json()).expect_err("a stray place");
    assert!(error.to_string().contains("`curves[0].levels[0].errors_by_request`"), "{error}");
    assert!(error.to_string().contains("request 1"), "{error}");
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
