//! Says whether a moment lies inside a window that opens and closes by cron expressions in a time zone.
//!
//! Time zones come from the data built into the program, so that a run replays to the same on every machine.

use alloc::borrow::ToOwned as _;
use alloc::string::{String, ToString as _};
use core::time::Duration;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, Zoned};

/// A window of a calendar, repeated.
#[derive(Clone, Debug, PartialEq)]
pub struct CronWindow {
    timezone: TimeZone,
    opens: Cron,
    closes: Cron,
    written: Written,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Written {
    timezone: String,
    opens: String,
    closes: String,
}

/// A window that cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` is `{value}`, expected {expected}")]
pub struct CronWindowError {
    /// Which part: `timezone`, `start` or `end`.
    pub field: &'static str,
    /// The beginning of what was written, at most 80 characters, control characters escaped.
    pub value: String,
    /// What would be accepted.
    pub expected: String,
}

impl CronWindowError {
    fn new(field: &'static str, value: &str, expected: impl Into<String>) -> Self {
        let value = value.chars().flat_map(char::escape_debug).take(80).collect();
        Self { field, value, expected: expected.into() }
    }
}

impl CronWindow {
    /// A window between two cron expressions of five fields, in a time zone of the IANA database.
    ///
    /// # Errors
    /// If there is no such zone, an expression cannot be read or never matches, or both are the same.
    pub fn new(timezone: &str, start: &str, end: &str) -> Result<Self, CronWindowError> {
        let zone = TimeZoneDatabase::bundled().get(timezone).map_err(|_| {
            CronWindowError::new("timezone", timezone, "a time zone such as Europe/Berlin or UTC")
        })?;
        let opens = expression("start", start)?;
        let closes = expression("end", end)?;
        if start.split_whitespace().eq(end.split_whitespace()) {
            return Err(CronWindowError::new("end", end, "another expression than `start`"));
        }
        let written =
            Written { timezone: timezone.to_owned(), opens: start.to_owned(), closes: end.to_owned() };
        Ok(Self { timezone: zone, opens, closes, written })
    }

    /// Whether the window is open at a time since the Unix epoch: it closes no later than it opens next. None if the time
    /// is beyond the calendar.
    ///
    /// Source: KEDA, `pkg/scalers/cron_scaler.go`, `GetMetricsAndActivity`.
    pub fn is_open(&self, at: Duration) -> Option<bool> {
        let (opens, closes) = (self.next(&self.opens, at)?, self.next(&self.closes, at)?);
        Some(closes <= opens)
    }

    /// The time zone, and when it opens and closes, as they were written.
    pub fn written(&self) -> [&str; 3] {
        [&self.written.timezone, &self.written.opens, &self.written.closes]
    }

    fn next(&self, cron: &Cron, at: Duration) -> Option<Timestamp> {
        let second = i64::try_from(at.as_secs()).ok()?;
        let now: Zoned = Timestamp::from_second(second).ok()?.to_zoned(self.timezone.clone());
        cron.find_next_occurrence(&now, false).ok().map(|next| next.timestamp())
    }
}

fn expression(field: &'static str, text: &str) -> Result<Cron, CronWindowError> {
    let refuse = |expected: &str| Err(CronWindowError::new(field, text, expected));
    if text.split_whitespace().count() != 5 {
        return refuse("five fields: minute, hour, day of the month, month, day of the week");
    }
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    let cron = match parser.parse(text) {
        Ok(cron) => cron,
        Err(error) => return refuse(&error.to_string()),
    };
    let never = cron.find_next_occurrence(&Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC), false).is_err();
    if never { refuse("an expression that matches at some time") } else { Ok(cron) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn office() -> CronWindow {
        CronWindow::new("Europe/Berlin", "0 8 * * 1-5", "0 18 * * 1-5").unwrap()
    }

    fn is_open(window: &CronWindow, at: &str) -> bool {
        let at: Timestamp = at.parse().unwrap();
        window.is_open(Duration::from_secs(at.as_second().unsigned_abs())).unwrap()
    }

    #[test]
    fn a_window_opens_and_closes_in_its_own_time_zone() {
        for (at, expected) in [
            ("2026-11-30T06:59:59Z", false), // a Monday, one second before eight in Berlin
            ("2026-11-30T07:00:00Z", true),
            ("2026-11-30T16:59:59Z", true),
            ("2026-11-30T17:00:00Z", false),
            ("2026-12-05T12:00:00Z", false), // a Saturday
            ("2026-07-01T06:00:00Z", true),  // summer time
            ("2026-07-01T16:00:00Z", false),
        ] {
            assert_eq!(is_open(&office(), at), expected, "{at}");
        }
    }

    #[test]
    fn a_window_over_midnight_and_over_the_change_of_clocks_stays_open() {
        let night = CronWindow::new("Europe/Berlin", "0 22 * * *", "30 5 * * *").unwrap();
        // The clocks go back at three in the morning of 25 October 2026.
        for (at, expected) in [
            ("2026-10-24T19:59:00Z", false),
            ("2026-10-24T20:00:00Z", true),
            ("2026-10-25T01:30:00Z", true),
            ("2026-10-25T04:29:00Z", true),
            ("2026-10-25T04:30:00Z", false),
        ] {
            assert_eq!(is_open(&night, at), expected, "{at}");
        }
    }

    #[test]
    fn what_cannot_be_followed_is_named() {
        let field = |timezone, start, end| CronWindow::new(timezone, start, end).unwrap_err().field;
        assert_eq!(field("Mars/Base", "0 8 * * *", "0 9 * * *"), "timezone");
        assert_eq!(field("UTC", "0 8 * *", "0 9 * * *"), "start");
        assert_eq!(field("UTC", "61 8 * * *", "0 9 * * *"), "start");
        assert_eq!(field("UTC", "0 8 * * *", "0 0 30 2 *"), "end", "there is no 30 February");
        assert_eq!(field("UTC", "0 8 * * *", "0  8 * * *"), "end", "the same");
        assert!(CronWindow::new("UTC", "\u{7}", "").unwrap_err().to_string().contains("\\u{7}"));
    }

    #[test]
    fn times_beyond_the_calendar_have_no_answer() {
        assert_eq!(office().is_open(Duration::MAX), None);
        assert_eq!(office().is_open(Duration::ZERO), Some(false));
    }
}
