//! Recorded traces: what their CSV may look like, what they become, and what is said about a broken one.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use workload::replay::shape_from_csv;
use workload::{Shape, ShapeDefinition};

/// The points of the replay as (seconds, level), and its end.
fn points(shape: &Shape) -> (Vec<(f64, f64)>, f64) {
    let ShapeDefinition::Replay(replay) = shape.definition() else { panic!("not a replay: {shape:?}") };
    (replay.points.iter().map(|point| (point.at_seconds, point.level)).collect(), replay.end_seconds)
}

#[test]
fn seconds_are_spread_up_to_the_next_row() {
    // The first row becomes 0; intervals of 10, 20 and, as the one before, 20 s.
    let shape = shape_from_csv("time,requests\n100,50\n110,40\n130,10\n").unwrap();
    assert_eq!(points(&shape), (vec![(0.0, 5.0), (10.0, 2.0), (30.0, 0.5)], 50.0));
}

#[test]
fn minutes_left_out_have_no_requests() {
    let shape = shape_from_csv("minute,requests\n5,60\n6,120\n9,30\n").unwrap();
    assert_eq!(points(&shape), (vec![(0.0, 1.0), (60.0, 2.0), (120.0, 0.0), (240.0, 0.5)], 300.0));
}

#[test]
fn comments_blank_lines_spaces_and_line_ends_do_not_matter() {
    let plain = shape_from_csv("minute,requests\n0,60\n1,6.5\n").unwrap();
    let dressed = "\u{feff}# from a log\r\n\r\n minute , requests \r\n 0, 60\r\n# lunch\r\n\r\n1,6.5";
    assert_eq!(shape_from_csv(dressed).unwrap(), plain);
}

#[test]
fn a_broken_trace_is_told_by_line_and_field() {
    let cases = [
        ("", "trace is empty, expected a first line `time,requests` or `minute,requests`"),
        ("# nothing\n", "trace is empty"),
        ("t,r\n", "line 1: header is `t,r`, expected `time,requests` (seconds) or `minute,requests`"),
        ("minute,requests\n", "trace has 0 rows, expected at least 1"),
        ("time,requests\n0,1\n", "trace has 1 rows, expected at least 2"),
        ("time,requests\n\n0,1,2\n", "line 3: row is `0,1,2`, expected two fields separated by one comma"),
        ("time,requests\n0\n", "line 2: row is `0`, expected two fields"),
        ("time,requests\n0,1\nx,2\n", "line 3: `time` is `x`, expected seconds, from 0 to 1e10"),
        ("time,requests\nNaN,1\n", "line 2: `time` is `NaN`, expected seconds"),
        ("time,requests\n0,1\n0,2\n", "line 3: `time` is `0`, expected more than in the row before"),
        (
            "minute,requests\n1.5,2\n",
            "line 2: `minute` is `1.5`, expected a whole number of minutes, 0 or more",
        ),
        (
            "minute,requests\n1,-2\n",
            "line 2: `requests` is `-2`, expected a number of requests, from 0 to 1e9",
        ),
        ("minute,requests\n1,inf\n", "line 2: `requests` is `inf`, expected a number of requests"),
        (
            "time,requests\n0,1e9\n1e-9,5\n",
            "trace makes no valid load shape: `points[0].level` of a `replay` shape is",
        ),
    ];
    for (text, expected) in cases {
        let error = shape_from_csv(text).expect_err(text).to_string();
        assert!(error.starts_with(expected), "{text:?} gives: {error}");
    }
}

#[test]
fn a_trace_has_its_limit() {
    let mut text = String::from("minute,requests\n");
    for minute in 0..=1_000_000 {
        writeln!(text, "{minute},1").unwrap();
    }
    let error = shape_from_csv(&text).unwrap_err().to_string();
    assert!(error.starts_with("line 1000002: trace goes on after 1000000 rows"), "{error}");
}

#[test]
fn two_weeks_of_a_real_server_keep_their_requests() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/traces/nasa-http-1995-per-minute.csv");
    let Ok(text) = fs::read_to_string(&path) else {
        println!("skipped: {} is not there", path.display());
        return;
    };
    let shape = shape_from_csv(&text).unwrap();
    let rows = text.lines().skip(1).map(|line| line.split_once(',').unwrap());
    let counts: Vec<f64> = rows.map(|(_, requests)| requests.parse().unwrap()).collect();
    assert_eq!(shape.ends_after(), Some(Duration::from_secs(60 * counts.len() as u64)));
    for (minute, requests) in (0..).zip(&counts) {
        let level = shape.level_at(Duration::from_secs(60 * minute + 59));
        assert!((level * 60.0 - requests).abs() < 1e-9, "minute {minute}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(time|minute),requests\n([-0-9.e,#\r\n \"inaf]{0,60})") {
        let _ = shape_from_csv(&text);
    }

    #[test]
    fn requests_are_conserved(rows in prop::collection::vec((1..100_u32, 0..1000_u32), 2..50)) {
        let (mut text, mut time, mut last_gap) = (String::from("time,requests\n"), 0, 0);
        for (index, (gap, requests)) in rows.iter().enumerate() {
            if index > 0 {
                time += gap;
                last_gap = *gap;
            }
            writeln!(text, "{time},{requests}").unwrap();
        }
        let (points, end) = points(&shape_from_csv(&text).unwrap());
        prop_assert!((end - f64::from(time + last_gap)).abs() < 1e-9);
        let ends = points.iter().skip(1).map(|point| point.0).chain([end]);
        let total: f64 = points.iter().zip(ends).map(|((from, level), to)| level * (to - from)).sum();
        let expected: f64 = rows.iter().map(|(_, requests)| f64::from(*requests)).sum();
        prop_assert!((total - expected).abs() < 1e-6 * (1.0 + expected));
    }
}
