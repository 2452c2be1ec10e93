//! A table with a header: a column of times at equal distances, and a column of counts or rates.

use std::time::Duration;

use csv::{ReaderBuilder, StringRecord, Trim};
use excerpt::excerpt;

use super::{Trace, TraceError};

const COLUMNS_HINT: &str = "the header names a time (time, seconds, timestamp, timestamp_ms, minute, hour) and requests \
                            per interval (requests, count, hits, jobs) or per second (requests_per_second, rps, rate)";

/// Numbers from here on are milliseconds since 1970, or seconds of a far future.
const MILLISECONDS_FROM: f64 = 1e11;

/// How much two distances may differ, relative to each other.
const DISTANCE_TOLERANCE: f64 = 1e-3;

/// What a column of times counts.
#[derive(Clone, Copy, PartialEq)]
struct TimeUnit {
    seconds: f64,
    name: &'static str,
}

fn time_unit(name: &str) -> Option<TimeUnit> {
    let (seconds, name) = match name {
        "time" | "t" | "seconds" | "second" | "timestamp" | "ts" | "epoch" | "date" | "datetime" => {
            (1.0, "seconds")
        }
        "timestamp_ms" | "time_ms" | "ms" | "milliseconds" => (0.001, "milliseconds"),
        "minute" | "minutes" => (60.0, "minutes"),
        "hour" | "hours" => (3600.0, "hours"),
        _ => return None,
    };
    Some(TimeUnit { seconds, name })
}

/// Whether a column has requests per interval (false) or per second (true).
fn is_rate(name: &str) -> Option<bool> {
    match name {
        "requests" | "count" | "counts" | "hits" | "jobs" | "calls" => Some(false),
        "requests_per_second" | "rps" | "qps" | "rate" | "per_second" => Some(true),
        _ => None,
    }
}

pub(super) fn read(text: &str) -> Result<Trace, TraceError> {
    let header =
        text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#')).unwrap_or_default();
    let delimiter =
        [b',', b';', b'\t'].into_iter().find(|mark| header.as_bytes().contains(mark)).unwrap_or(b',');
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .comment(Some(b'#'))
        .trim(Trim::All)
        .from_reader(text.as_bytes());
    let names = reader.headers().map_err(|error| unreadable(&error))?.clone();
    let find = |accepts: fn(&str) -> bool| names.iter().position(|name| accepts(&name.to_ascii_lowercase()));
    let (Some(time), Some(value)) =
        (find(|name| time_unit(name).is_some()), find(|name| is_rate(name).is_some()))
    else {
        let problem =
            format!("header is `{}`, expected a column of times and one of requests", excerpt(header));
        return Err(TraceError::new(Some(1), problem, COLUMNS_HINT));
    };
    let name_of = |place: usize| names[place].to_ascii_lowercase();
    let unit = time_unit(&name_of(time)).unwrap_or(TimeUnit { seconds: 1.0, name: "seconds" });
    let (mut times, mut values, mut record) = (Vec::new(), Vec::new(), StringRecord::new());
    while reader.read_record(&mut record).map_err(|error| unreadable(&error))? {
        let line = record.position().map(csv::Position::line);
        let at = read_time(line, &names[time], record.get(time).unwrap_or_default(), unit)?;
        let field = record.get(value).unwrap_or_default();
        let number = field.parse::<f64>().ok().filter(|number| *number >= 0.0 && number.is_finite());
        let Some(number) = number else {
            let problem = format!(
                "`{}` is `{}`, expected a number of requests, 0 or more",
                excerpt(&names[value]),
                excerpt(field)
            );
            return Err(TraceError::new(line, problem, "write 0 for an interval without requests"));
        };
        check_distance(line, &times, at)?;
        times.push(at);
        values.push(number);
    }
    let interval_seconds = match times.as_slice() {
        [] => {
            return Err(TraceError::new(
                None,
                "trace has a header and no rows, expected rows",
                "check the file",
            ));
        }
        [first, second, ..] => second - first,
        [_] if unit.seconds > 1.0 => unit.seconds,
        [_] => {
            let hint = "the length of an interval is the distance of two rows";
            return Err(TraceError::new(None, "trace has one row, expected at least two", hint));
        }
    };
    let interval = Duration::try_from_secs_f64(interval_seconds).unwrap_or_default();
    if interval.is_zero() || interval > Duration::from_hours(24) {
        let problem = format!("rows are {interval_seconds} s apart, expected more than 0 and at most a day");
        return Err(TraceError::new(None, problem, "check the unit of the column of times"));
    }
    let factor = if is_rate(&name_of(value)) == Some(true) { interval_seconds } else { 1.0 };
    let requests = values.into_iter().map(|value| value * factor).collect();
    Ok(Trace { interval, requests, skipped_lines: 0 })
}

/// A time in seconds.
fn read_time(line: Option<u64>, name: &str, field: &str, unit: TimeUnit) -> Result<f64, TraceError> {
    if let Ok(number) = field.parse::<f64>()
        && number.is_finite()
    {
        if unit.name == "seconds" && number >= MILLISECONDS_FROM {
            let problem = format!(
                "`{}` is `{}`, which as seconds is after the year 5000",
                excerpt(name),
                excerpt(field)
            );
            return Err(TraceError::new(
                line,
                problem,
                "name the column `timestamp_ms` if it has milliseconds",
            ));
        }
        return Ok(number * unit.seconds);
    }
    let stamp = humantime::parse_rfc3339_weak(field).ok();
    let since = stamp.and_then(|stamp| stamp.duration_since(std::time::UNIX_EPOCH).ok());
    since.map(|since| since.as_secs_f64()).ok_or_else(|| {
        let problem = format!(
            "`{}` is `{}`, expected {} or a date such as 2026-01-05T08:00:00Z",
            excerpt(name),
            excerpt(field),
            unit.name
        );
        TraceError::new(line, problem, "check the column, and that no value is missing")
    })
}

/// Rows follow one another at one distance.
fn check_distance(line: Option<u64>, times: &[f64], at: f64) -> Result<(), TraceError> {
    let Some(last) = times.last() else { return Ok(()) };
    if at <= *last {
        let problem = format!("time is {at} s after one of {last} s, expected a later one");
        return Err(TraceError::new(line, problem, "sort the rows by time, each time once"));
    }
    let [first, second, ..] = times else { return Ok(()) };
    let (distance, found) = (second - first, at - last);
    if (found - distance).abs() <= distance * DISTANCE_TOLERANCE {
        return Ok(());
    }
    let problem =
        format!("time is {found} s after the one before, expected {distance} s as between the first rows");
    let hint = if found > distance {
        "the trace has a gap: add the missing rows, with 0 if there were no requests"
    } else {
        "make all intervals of one length"
    };
    Err(TraceError::new(line, problem, hint))
}

fn unreadable(error: &csv::Error) -> TraceError {
    let line = error.position().map(csv::Position::line);
    let problem = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("row has {len} fields, expected {expected_len} as in the header")
        }
        _ => excerpt::sentence(&error.to_string()),
    };
    TraceError::new(line, problem, COLUMNS_HINT)
}
