use super::*;

fn read(text: &str) -> Result<Trace, TraceError> {
    Trace::from_text(text, None)
}

#[test]
fn tables_with_other_headers_and_units() {
    for (text, interval, requests) in [
        ("minute,requests\n0,43\n1,62\n", 60, vec![43.0, 62.0]),
        ("time,requests\n0,10\n5,20\n10,30\n", 5, vec![10.0, 20.0, 30.0]),
        ("timestamp;count\n1700000000;1\n1700000060;2\n", 60, vec![1.0, 2.0]),
        ("timestamp_ms\thits\n1700000000000\t1\n1700000001000\t2\n", 1, vec![1.0, 2.0]),
        ("host,date,rps\na,2026-01-05T08:00:00Z,2\na,2026-01-05T08:00:10Z,3\n", 10, vec![20.0, 30.0]),
        ("# a day\n\"Hour\",\"Requests\"\n0,3600\n", 3600, vec![3600.0]),
        ("3\n0\n7\n", 1, vec![3.0, 0.0, 7.0]),
    ] {
        let trace = read(text).expect(text);
        assert_eq!((trace.interval.as_secs(), trace.requests), (interval, requests), "{text}");
    }
}

#[test]
fn an_access_log_in_any_order() {
    let text = "10.0.0.1 - - [10/Oct/2025:13:55:36 +0000] \"GET / HTTP/1.1\" 200 512\n\
                10.0.0.1 - bob [10/Oct/2025:15:55:38 +0200] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl\"\n\
                10.0.0.2 - - [10/Oct/2025:13:55:36 +0000] \"GET /b HTTP/1.1\" 503 0\n";
    let trace = read(text).unwrap();
    assert_eq!((trace.interval.as_secs(), trace.requests), (1, vec![2.0, 0.0, 1.0]));
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    for (text, line, parts) in [
        ("time,requests\n0,1\n5,2\n20,3\n", Some(4), ["15 s after", "gap"]),
        ("time,requests\n0,1\n5,2\n4,3\n", Some(4), ["expected a later one", "sort"]),
        ("time,requests\n0,1\n5,-2\n", Some(3), ["`requests` is `-2`", "write 0"]),
        ("time,requests\n0,1\n5,\n", Some(3), ["`requests` is ``", "write 0"]),
        ("time,requests\n0,1\n,2\n", Some(3), ["`time` is ``", "missing"]),
        ("timestamp,requests\n1700000000000,1\n1700000001000,1\n", Some(2), ["year 5000", "timestamp_ms"]),
        ("when,what\n0,1\n", Some(1), ["header is `when,what`", "requests"]),
        ("time,requests\n0,1\n5,2,3\n", Some(3), ["3 fields", "header"]),
        ("", Some(1), ["header is ``", "names a time"]),
        ("time,requests\n0,1\n", None, ["one row", "distance"]),
        ("3\nmany\n", Some(2), ["count is `many`", "one number a line"]),
        ("3\n\n4\n", Some(2), ["line is empty", "write 0"]),
        ("a [b] \"c\"\n", Some(1), ["no time of a request", "GET /"]),
    ] {
        let error = read(text).expect_err(text);
        let shown = format!("{error}; hint: {}", error.hint);
        assert_eq!(error.line, line, "{shown}");
        for part in parts {
            assert!(shown.contains(part), "`{part}` is missing: {shown}");
        }
    }
}

#[test]
fn a_trace_is_played_as_often_as_asked() {
    let trace = read("minute,requests\n0,60\n1,120\n").unwrap();
    let shape = trace.shape(2).unwrap();
    for (second, level) in [(0, 1.0), (61, 2.0), (121, 1.0), (181, 2.0), (241, 0.0)] {
        let found = shape.level_at(Duration::from_secs(second));
        assert!((found - level).abs() < 1e-9, "{found} at {second} s, expected {level}");
    }
    assert_eq!(trace.lasts(), Duration::from_mins(2));
}
