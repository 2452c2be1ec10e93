//! The window of a `cron` trigger: two cron expressions in a time zone.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// A window that opens and closes by cron expressions.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// The time zone's name.
    pub timezone: String,
    /// When it opens.
    pub start: String,
    /// When it closes.
    pub end: String,
}

impl Schedule {
    /// Whether an instant lies inside the window: the next end comes no later than the next start. None if the
    /// expressions never match.
    ///
    /// Source: `pkg/scalers/cron_scaler.go`, `GetMetricsAndActivity`.
    pub fn is_inside(&self, at: Timestamp) -> Option<bool> {
        let now: Zoned = at.to_zoned(TimeZone::get(&self.timezone).ok()?);
        let next = |expression: &str| parse(expression).ok()?.find_next_occurrence(&now, false).ok();
        let (start, end) = (next(&self.start)?, next(&self.end)?);
        Some(start.timestamp() >= end.timestamp())
    }
}

/// Whether there is a time zone of this name.
pub(super) fn is_timezone(name: &str) -> bool {
    !name.is_empty() && TimeZone::get(name).is_ok()
}

/// Why an expression is refused, as a sentence that says what was expected.
pub(super) fn problem_of(expression: &str) -> Option<String> {
    if expression.split_whitespace().count() != 5 {
        return Some("five fields: minute, hour, day of the month, month, day of the week".into());
    }
    if let Some(extra) = beyond_standard(expression) {
        return Some(format!("a standard cron expression: `{extra}` is not known to KEDA"));
    }
    match parse(expression) {
        Ok(_) => None,
        Err(error) => Some(format!("a cron expression ({})", excerpt::sentence(&error.to_string()))),
    }
}

fn parse(expression: &str) -> Result<Cron, croner::errors::CronError> {
    CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build().parse(expression)
}

/// What the library takes and KEDA's does not: `L`, `W`, `#`, and 7 for Sunday.
fn beyond_standard(expression: &str) -> Option<String> {
    const NAMES: [&str; 19] = [
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC", "SUN", "MON",
        "TUE", "WED", "THU", "FRI", "SAT",
    ];
    let mut fields = expression.split_whitespace();
    let weekdays = fields.clone().nth(4).unwrap_or_default();
    let foreign = fields.find_map(|field| {
        field
            .split([',', '-', '/'])
            .find(|part| {
                !NAMES.contains(&part.to_uppercase().as_str())
                    && part.contains(|character: char| {
                        !character.is_ascii_digit() && !matches!(character, '*' | '?')
                    })
            })
            .map(str::to_owned)
    });
    foreign.or_else(|| {
        weekdays.split([',', '-']).find(|part| *part == "7").map(|_| "7 as a day of the week".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn office() -> Schedule {
        Schedule { timezone: "Europe/Berlin".into(), start: "0 8 * * 1-5".into(), end: "0 18 * * 1-5".into() }
    }

    #[test]
    fn a_window_is_open_between_its_start_and_its_end_in_its_own_zone() {
        for (at, inside) in [
            ("2026-11-30T06:59:59Z", false), // Monday, 07:59 in Berlin
            ("2026-11-30T07:00:00Z", true),
            ("2026-11-30T16:59:59Z", true),
            ("2026-11-30T17:00:00Z", false),
            ("2026-11-28T12:00:00Z", false), // Saturday
            ("2026-07-01T06:30:00Z", true),  // summer time
        ] {
            assert_eq!(office().is_inside(at.parse().unwrap()), Some(inside), "{at}");
        }
    }

    #[test]
    fn expressions_are_those_of_keda() {
        for good in ["0 8 * * 1-5", "*/5 * * * *", "0 0 1 JAN *", "30 6 * * Mon-Fri", "0 8 1,15 * ?"] {
            assert_eq!(problem_of(good), None, "{good}");
        }
        for bad in [
            "",
            "@daily",
            "0 8 * *",
            "0 0 8 * * 1",
            "61 * * * *",
            "0 8 L * *",
            "0 8 * * 5#2",
            "0 8 * * 7",
            "a b c d e",
        ] {
            assert!(problem_of(bad).is_some(), "{bad}");
        }
        assert!(
            is_timezone("Europe/Berlin")
                && is_timezone("UTC")
                && !is_timezone("Mars/Base")
                && !is_timezone("")
        );
    }
}
