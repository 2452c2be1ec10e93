//! Reads the instants of a recording: ISO 8601 with a date, a time and an offset.

use std::time::Duration;

/// Microseconds since 1970; none where the text is no instant.
pub(super) fn micros(text: &str) -> Option<i64> {
    let (date, time) = text.trim().split_once(['T', 't', ' '])?;
    let mut parts = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let offset_at = time.find(['Z', 'z', '+', '-']).unwrap_or(time.len());
    let (clock, offset) = time.split_at(offset_at);
    let mut parts = clock.splitn(3, ':');
    let (hours, minutes) = (parts.next()?.parse::<i64>().ok()?, parts.next()?.parse::<i64>().ok()?);
    let seconds: f64 = parts.next().unwrap_or("0").parse().ok()?;
    if !(0..=24).contains(&hours) || !(0..=59).contains(&minutes) || !(0.0..61.0).contains(&seconds) {
        return None;
    }
    let micros = i64::try_from(Duration::try_from_secs_f64(seconds).ok()?.as_micros()).ok()?;
    let minutes = days_since_1970(year, month, day) * 1440 + hours * 60 + minutes - offset_minutes(offset)?;
    Some(minutes * 60_000_000 + micros)
}

fn offset_minutes(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or_default()),
    };
    let digits: String = digits.chars().filter(|each| *each != ':').collect();
    if digits.is_empty() {
        return Some(0);
    }
    let hours: i64 = digits.get(..2)?.parse().ok()?;
    let minutes: i64 =
        digits.get(2..).filter(|rest| !rest.is_empty()).map_or(Some(0), |rest| rest.parse().ok())?;
    Some(sign * (hours * 60 + minutes))
}

/// Days of the Gregorian calendar, with years that begin in March so that a leap day is a year's last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::micros;

    #[test]
    fn instants_are_read_with_their_offset() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T00:00:01.5Z", 1_500_000),
            ("1970-01-01T01:00:00+01:00", 0),
            ("1969-12-31T22:30:00.000-0130", 0),
            ("2000-03-01T00:00:00Z", 951_868_800_000_000),
            ("2026-11-29T19:30:00.250Z", 1_795_980_600_250_000),
            ("2026-11-29 19:30:00.250", 1_795_980_600_250_000),
        ] {
            assert_eq!(micros(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "now",
            "2026-11-29",
            "2026-13-01T00:00:00Z",
            "2026-11-29T25:00:00Z",
            "10:00:00",
            "T",
            "2026-1-1T1:x:0Z",
        ] {
            assert_eq!(micros(text), None, "{text}");
        }
    }
}
