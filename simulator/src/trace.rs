//! Recorded loads: tables, plain counts, and access logs, turned into requests per second over time.
//!
//! A trace is not repaired: gaps, disorder, negative and missing values are refused with the line. Access logs are written
//! as requests end, so their order is not asked for.

mod access_log;
mod counts;
mod table;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use workload::{LevelPoint, Replay, Shape, ShapeError};

/// The most intervals of a trace, its repetitions included: the points that a shape may have.
pub const INTERVALS_MAX: usize = workload::MOST_POINTS;

/// How a trace is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceFormat {
    /// A table with a header: a column of times, and one of counts or rates.
    Csv,
    /// Requests per second, one second a line.
    Counts,
    /// An access log in the Common or Combined Log Format.
    Clf,
}

impl FromStr for TraceFormat {
    type Err = UnknownTraceFormat;

    fn from_str(text: &str) -> Result<Self, UnknownTraceFormat> {
        match text {
            "csv" => Ok(Self::Csv),
            "counts" => Ok(Self::Counts),
            "clf" => Ok(Self::Clf),
            _ => Err(UnknownTraceFormat),
        }
    }
}

impl fmt::Display for TraceFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Csv => "csv",
            Self::Counts => "counts",
            Self::Clf => "clf",
        })
    }
}

/// A text that names no format of traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the format of a trace is csv, counts or clf")]
pub struct UnknownTraceFormat;

/// Why a text is not a usable trace.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", .line.map(|line| format!("line {line}: ")).unwrap_or_default())]
pub struct TraceError {
    /// The line, from 1, where it is known.
    pub line: Option<u64>,
    /// What is wrong, and what was expected.
    pub problem: String,
    /// What to do about it.
    pub hint: String,
}

impl TraceError {
    fn new(line: Option<u64>, problem: impl Into<String>, hint: &str) -> Self {
        Self { line, problem: problem.into(), hint: hint.to_owned() }
    }
}

/// A recorded load: requests in intervals of equal length.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// The length of an interval.
    pub interval: Duration,
    /// Requests in each interval; not empty.
    pub requests: Vec<f64>,
    /// Lines that were not requests, in an access log.
    pub skipped_lines: u64,
}

impl Trace {
    /// Reads a trace; its format is found out where it is not given.
    ///
    /// # Errors
    /// Names the first line that does not fit, what stands there, what was expected, and a hint.
    pub fn from_text(text: &str, format: Option<TraceFormat>) -> Result<Self, TraceError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let trace = match format.unwrap_or_else(|| guess(text)) {
            TraceFormat::Csv => table::read(text),
            TraceFormat::Counts => counts::read(text),
            TraceFormat::Clf => access_log::read(text),
        }?;
        if trace.requests.len() > INTERVALS_MAX {
            let problem =
                format!("trace has {} intervals, expected at most {INTERVALS_MAX}", trace.requests.len());
            return Err(TraceError::new(None, problem, "use longer intervals"));
        }
        Ok(trace)
    }

    /// How long it is.
    pub fn lasts(&self) -> Duration {
        self.interval * u32::try_from(self.requests.len()).unwrap_or(u32::MAX)
    }

    /// The shape that plays it so many times, whose levels are requests per second.
    ///
    /// # Errors
    /// If a rate is too high for a shape, or the whole too long.
    pub fn shape(&self, repeat: u32) -> Result<Shape, ShapeError> {
        let seconds = self.interval.as_secs_f64();
        let intervals = self.requests.iter().cycle().take(self.requests.len() * repeat as usize);
        let mut points: Vec<LevelPoint> = Vec::new();
        let mut at_seconds = 0.0;
        for (number, requests) in (0_u32..).zip(intervals) {
            at_seconds = f64::from(number) * seconds;
            let level = requests / seconds;
            if points.last().is_none_or(|last| last.level.to_bits() != level.to_bits()) {
                points.push(LevelPoint { at_seconds, level });
            }
        }
        Shape::try_from(Replay { points, end_seconds: at_seconds + seconds })
    }
}

fn guess(text: &str) -> TraceFormat {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    match first {
        Some(line) if line.contains('[') && line.contains(']') && line.contains('"') => TraceFormat::Clf,
        Some(line) if line.parse::<f64>().is_ok() => TraceFormat::Counts,
        _ => TraceFormat::Csv,
    }
}

#[cfg(test)]
mod tests;
