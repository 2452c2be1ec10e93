//! Access logs in the Common and the Combined Log Format: requests counted by the second in which they were logged.

use std::collections::BTreeMap;
use std::time::Duration;

use excerpt::excerpt;

use super::{INTERVALS_MAX, Trace, TraceError};

/// A log of which more lines than this share are not requests is refused.
const SKIPPED_SHARE_MAX: f64 = 0.01;

const FORM_HINT: &str =
    "lines look like: 10.0.0.1 - - [10/Oct/2025:13:55:36 +0000] \"GET / HTTP/1.1\" 200 512";

pub(super) fn read(text: &str) -> Result<Trace, TraceError> {
    let mut by_second: BTreeMap<i64, u64> = BTreeMap::new();
    let (mut read, mut skipped, mut first_skipped) = (0_u64, 0_u64, None);
    for (line, content) in (1..).zip(text.lines().map(str::trim)) {
        if content.is_empty() {
            continue;
        }
        if let Some(second) = second_of(content) {
            *by_second.entry(second).or_default() += 1;
            read += 1;
        } else {
            skipped += 1;
            first_skipped.get_or_insert((line, content));
        }
    }
    if let Some((line, content)) = first_skipped
        && skipped as f64 > SKIPPED_SHARE_MAX * (read + skipped) as f64
    {
        let problem = format!(
            "line is `{}`, which has no time of a request, as {skipped} of {} lines; expected at most 1 %",
            excerpt(content),
            read + skipped
        );
        return Err(TraceError::new(Some(line), problem, FORM_HINT));
    }
    let (Some((first, _)), Some((last, _))) = (by_second.first_key_value(), by_second.last_key_value())
    else {
        return Err(TraceError::new(None, "log is empty, expected requests", FORM_HINT));
    };
    let first = *first;
    let seconds = usize::try_from(last - first + 1).unwrap_or(usize::MAX);
    // By the second where that is few enough, else by the minute.
    let interval = if seconds <= INTERVALS_MAX { 1 } else { 60 };
    let intervals = seconds.div_ceil(interval);
    if intervals > INTERVALS_MAX {
        let problem = format!("log spans {seconds} s, expected at most {} s", INTERVALS_MAX * 60);
        return Err(TraceError::new(None, problem, "check its first and last times, or cut it"));
    }
    let mut requests = vec![0.0; intervals];
    for (second, count) in by_second {
        let place = usize::try_from(second - first).unwrap_or_default() / interval;
        requests[place] += count as f64;
    }
    Ok(Trace { interval: Duration::from_secs(interval as u64), requests, skipped_lines: skipped })
}

/// Seconds since 1970 of the time in brackets, such as `[10/Oct/2025:13:55:36 -0700]`.
fn second_of(line: &str) -> Option<i64> {
    let stamp = line.split_once('[')?.1.split_once(']')?.0;
    let (time, zone) = stamp.split_once(' ').unwrap_or((stamp, "+0000"));
    let mut parts = time.splitn(4, [':']);
    let mut date = parts.next()?.split('/');
    let day = number(date.next()?, 1..=31)?;
    let name = date.next()?;
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = (1..).zip(months).find(|(_, month)| month.eq_ignore_ascii_case(name))?.0;
    let year = number(date.next()?, 1970..=9999)?;
    let hour = number(parts.next()?, 0..=23)?;
    let minute = number(parts.next()?, 0..=59)?;
    let second = number(parts.next()?, 0..=60)?;
    let (sign, zone) = match zone.as_bytes().first()? {
        b'+' => (1, &zone[1..]),
        b'-' => (-1, &zone[1..]),
        _ => return None,
    };
    let zone_seconds = 3600 * number(zone.get(..2)?, 0..=23)? + 60 * number(zone.get(2..)?, 0..=59)?;
    let of_day = 3600 * hour + 60 * minute + second;
    Some(86_400 * days_since_1970(year, month, day) + of_day - sign * zone_seconds)
}

fn number(text: &str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
    text.parse().ok().filter(|number| range.contains(number))
}

/// Days of the Gregorian calendar. Years begin in March here, so that the leap day is their last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days_of_years = 365 * year + year / 4 - year / 100 + year / 400;
    let days_of_months = (153 * month + 2) / 5;
    // The sum for 1 January 1970.
    days_of_years + days_of_months + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (stamp, expected) in [
            ("01/Jan/1970:00:00:00 +0000", Some(0)),
            ("10/Oct/2000:13:55:36 -0700", Some(971_211_336)),
            ("29/Feb/2024:23:59:59 +0100", Some(1_709_247_599)),
            ("01/Mar/2024:00:00:00 +0000", Some(1_709_251_200)),
            ("31/Foo/2024:00:00:00 +0000", None),
            ("31/Dec/2024:25:00:00 +0000", None),
        ] {
            assert_eq!(second_of(&format!("h - - [{stamp}] \"GET /\" 200 1")), expected, "{stamp}");
        }
    }
}
