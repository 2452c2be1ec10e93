//! What KEDA takes of a `cron` trigger's window; the engine's calendar takes more.

use excerpt::excerpt;
use scaler_engine::CronWindow;

use super::metadata::Metadata;
use crate::problem::Problems;

/// Names of months and weekdays.
const NAMES: [&str; 19] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC", "SUN", "MON", "TUE",
    "WED", "THU", "FRI", "SAT",
];

/// Reads time zone, start and end.
pub(super) fn read_window(metadata: &mut Metadata, problems: &mut Problems) -> Option<CronWindow> {
    let timezone = metadata.required("timezone", "Europe/Berlin", problems);
    let start = metadata.required("start", "0 8 * * 1-5", problems);
    let end = metadata.required("end", "0 18 * * 1-5", problems);
    let (timezone, start, end) = (timezone?, start?, end?);
    let hint =
        "five fields in a named time zone: timezone: Europe/Berlin, start: \"0 8 * * 1-5\", for example";
    for (name, expression) in [("start", &start), ("end", &end)] {
        if let Some(foreign) = beyond_standard(expression) {
            let expected = format!("a standard cron expression: KEDA does not know {}", excerpt(&foreign));
            problems.wrong(&metadata.at(name), format_args!("`{}`", excerpt(expression)), expected, hint);
            return None;
        }
    }
    match CronWindow::new(&timezone, &start, &end) {
        Ok(window) => Some(window),
        Err(error) => {
            problems.wrong(
                &metadata.at(error.field),
                format_args!("`{}`", error.value),
                excerpt::sentence(&error.expected),
                hint,
            );
            None
        }
    }
}

/// What the calendar takes and KEDA does not: nicknames, `L`, `W`, `#`, and 7 for Sunday.
fn beyond_standard(expression: &str) -> Option<String> {
    let is_foreign = |part: &&str| {
        !NAMES.contains(&part.to_uppercase().as_str())
            && part.contains(|character: char| {
                character.is_ascii_alphabetic() || matches!(character, '#' | '@' | '+')
            })
    };
    let mut fields = expression.split_whitespace();
    let weekdays = fields.clone().nth(4).unwrap_or_default();
    let foreign = fields.find_map(|field| field.split([',', '-', '/']).find(is_foreign));
    let seven = || weekdays.split([',', '-']).find(|part| *part == "7").map(|_| "7 as a day of the week");
    foreign.or_else(seven).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_those_of_keda() {
        for good in
            ["0 8 * * 1-5", "*/5 * * * *", "0 0 1 JAN *", "30 6 * * Mon-Fri", "0 8 1,15 * ?", "0 8 * *"]
        {
            assert_eq!(beyond_standard(good), None, "{good}");
        }
        for bad in
            ["@daily", "0 8 L * *", "0 8 15W * *", "0 8 * * 5#2", "0 8 * * 7", "0 8 * * 1-7", "a b c d e"]
        {
            assert!(beyond_standard(bad).is_some(), "{bad}");
        }
    }
}
