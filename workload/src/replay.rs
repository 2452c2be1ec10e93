//! Reads a recorded trace of requests, as CSV text, into a shape whose levels are requests per second.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use excerpt::excerpt;

use crate::shape::{LARGEST_LEVEL, LONGEST_SECONDS, LevelPoint, MOST_POINTS, Replay, Shape, ShapeError};

/// What is wrong with a trace, and in which line (counted from 1).
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TraceError {
    /// There is no header.
    #[error("trace is empty, expected a first line `time,requests` or `minute,requests`")]
    Empty,
    /// The header is not one of the two.
    #[error("line {line}: header is `{value}`, expected `time,requests` (seconds) or `minute,requests`")]
    Header {
        /// The line.
        line: usize,
        /// What stands there, as a message shows it.
        value: String,
    },
    /// A row has not two fields.
    #[error("line {line}: row is `{value}`, expected two fields separated by one comma")]
    Row {
        /// The line.
        line: usize,
        /// What stands there, as a message shows it.
        value: String,
    },
    /// A field does not hold what it should.
    #[error("line {line}: `{field}` is `{value}`, expected {expected}")]
    Field {
        /// The line.
        line: usize,
        /// The column: `time`, `minute` or `requests`.
        field: &'static str,
        /// What stands there, as a message shows it.
        value: String,
        /// What should.
        expected: &'static str,
    },
    /// There are too few rows to know the length of an interval.
    #[error("trace has {found} rows, expected at least {least}")]
    TooShort {
        /// How many there are.
        found: usize,
        /// How many are needed: 1 of `minute`, 2 of `time`.
        least: usize,
    },
    /// There are too many rows.
    #[error(
        "line {line}: trace goes on after {MOST_POINTS} rows, expected no more; hint: use longer intervals"
    )]
    TooLong {
        /// The first line too many.
        line: usize,
    },
    /// The rows are well formed, but make no valid shape.
    #[error("trace makes no valid load shape: {0}")]
    Shape(#[from] ShapeError),
}

/// What the first column counts.
#[derive(Clone, Copy)]
enum Column {
    Time,
    Minute,
}

/// A row: when its interval begins, and how many requests fell into it.
struct Row {
    at_seconds: f64,
    requests: f64,
}

/// Reads a trace of `time,requests` or `minute,requests` into a replay of requests per second.
///
/// - `time`: seconds, not negative, each later than the one before; the row's requests are spread over the
///   interval up to the next row, and the last interval is as long as the one before it. At least two rows.
/// - `minute`: whole minutes, each later than the one before; the row's requests are spread over that minute,
///   and minutes without a row have none. At least one row.
///
/// The first row becomes time 0. Requests may be fractions. Blank lines, lines that begin with `#`, spaces
/// around fields, CRLF and a byte order mark are allowed; quotes are not. At most [`MOST_POINTS`] rows.
///
/// ```
/// use core::time::Duration;
/// let shape = workload::replay::shape_from_csv("minute,requests\n0,60\n1,120\n")?;
/// assert_eq!(shape.level_at(Duration::from_secs(61)), 2.0);
/// assert_eq!(shape.ends_after(), Some(Duration::from_secs(120)));
/// # Ok::<(), workload::replay::TraceError>(())
/// ```
///
/// # Errors
/// Names the first line that does not fit, the field, what stands there, and what was expected.
pub fn shape_from_csv(text: &str) -> Result<Shape, TraceError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = (1..)
        .zip(text.lines().map(str::trim))
        .filter(|(_, content)| !content.is_empty() && !content.starts_with('#'));
    let (line, header) = lines.next().ok_or(TraceError::Empty)?;
    let column = read_header(line, header)?;
    let mut rows: Vec<Row> = Vec::new();
    for (line, content) in lines {
        if rows.len() == MOST_POINTS {
            return Err(TraceError::TooLong { line });
        }
        rows.push(read_row(line, content, column, rows.last())?);
    }
    let replay = match column {
        Column::Time => replay_of_intervals(&rows)?,
        Column::Minute => replay_of_minutes(&rows)?,
    };
    Ok(Shape::try_from(replay)?)
}

fn read_header(line: usize, header: &str) -> Result<Column, TraceError> {
    match header.split_once(',').map(|(first, second)| (first.trim(), second.trim())) {
        Some(("time", "requests")) => Ok(Column::Time),
        Some(("minute", "requests")) => Ok(Column::Minute),
        _ => Err(TraceError::Header { line, value: excerpt(header).to_string() }),
    }
}

fn read_row(line: usize, content: &str, column: Column, previous: Option<&Row>) -> Result<Row, TraceError> {
    let malformed = || TraceError::Row { line, value: excerpt(content).to_string() };
    let (first, second) = content.split_once(',').ok_or_else(malformed)?;
    if second.contains(',') {
        return Err(malformed());
    }
    let (first, second) = (first.trim(), second.trim());
    let field_error = |field, value: &str, expected| {
        Err(TraceError::Field { line, field, value: excerpt(value).to_string(), expected })
    };
    let (field, at_seconds, expected) = match column {
        Column::Time => ("time", first.parse::<f64>().ok(), "seconds, from 0 to 1e10"),
        Column::Minute => {
            let minute = first.parse::<u32>().ok();
            ("minute", minute.map(|minute| 60.0 * f64::from(minute)), "a whole number of minutes, 0 or more")
        }
    };
    let Some(at_seconds) = at_seconds.filter(|seconds| (0.0..=LONGEST_SECONDS).contains(seconds)) else {
        return field_error(field, first, expected);
    };
    if previous.is_some_and(|previous| at_seconds <= previous.at_seconds) {
        return field_error(field, first, "more than in the row before");
    }
    let requests = second.parse::<f64>().ok().filter(|requests| (0.0..=LARGEST_LEVEL).contains(requests));
    let Some(requests) = requests else {
        return field_error("requests", second, "a number of requests, from 0 to 1e9");
    };
    Ok(Row { at_seconds, requests })
}

/// Each row reaches to the next, the last one as far as the one before it.
fn replay_of_intervals(rows: &[Row]) -> Result<Replay, TraceError> {
    let [.., before_last, last] = rows else {
        return Err(TraceError::TooShort { found: rows.len(), least: 2 });
    };
    let origin_seconds = rows.first().map_or(0.0, |row| row.at_seconds);
    let end_seconds = last.at_seconds + (last.at_seconds - before_last.at_seconds);
    let ends = rows.iter().skip(1).map(|row| row.at_seconds).chain([end_seconds]);
    let points = rows
        .iter()
        .zip(ends)
        .map(|(row, end)| LevelPoint {
            at_seconds: row.at_seconds - origin_seconds,
            level: row.requests / (end - row.at_seconds),
        })
        .collect();
    Ok(Replay { points, end_seconds: end_seconds - origin_seconds })
}

/// Each row covers its own minute; minutes left out have no requests.
fn replay_of_minutes(rows: &[Row]) -> Result<Replay, TraceError> {
    const MINUTE_SECONDS: f64 = 60.0;
    let first = rows.first().ok_or(TraceError::TooShort { found: 0, least: 1 })?;
    let mut points = Vec::with_capacity(rows.len());
    let mut end_seconds = 0.0;
    for row in rows {
        let at_seconds = row.at_seconds - first.at_seconds;
        if at_seconds > end_seconds {
            points.push(LevelPoint { at_seconds: end_seconds, level: 0.0 });
        }
        points.push(LevelPoint { at_seconds, level: row.requests / MINUTE_SECONDS });
        end_seconds = at_seconds + MINUTE_SECONDS;
    }
    Ok(Replay { points, end_seconds })
}
