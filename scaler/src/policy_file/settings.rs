//! Reads single settings from text, the same way for files, flags and environment variables.

use std::time::Duration;

use scaler_engine::{Signal, ThresholdSettings};

/// The fields below `spec` of a threshold policy.
pub(crate) const FIELDS: [&str; 12] = [
    "signal",
    "perReplica",
    "window",
    "checkInterval",
    "scaleUpThreshold",
    "scaleUpChecks",
    "scaleDownThreshold",
    "scaleDownChecks",
    "minReplicas",
    "maxReplicas",
    "scaleUpCooldown",
    "scaleDownCooldown",
];

/// Text that is not what a setting needs: what was expected, and a hint.
pub(super) struct Unreadable {
    pub(super) expected: String,
    pub(super) hint: &'static str,
}

/// Sets one field of `spec`; none if there is no such field.
pub(super) fn set(
    settings: &mut ThresholdSettings,
    field: &str,
    text: &str,
) -> Option<Result<(), Unreadable>> {
    let unreadable = |hint| move |expected| Unreadable { expected, hint };
    let span = |target: &mut Duration| {
        parse_span(text).map(|span| *target = span).map_err(unreadable("a bare number is seconds"))
    };
    let count = |target: &mut u32| {
        parse_count(text).map(|count| *target = count).map_err(unreadable("write it without a sign, as 3"))
    };
    let threshold = |target: &mut f64| {
        let hint =
            "thresholds are in the signal's own unit; for response times 0.6, 0.6s and 600ms are the same";
        parse_threshold(text).map(|value| *target = value).map_err(unreadable(hint))
    };
    Some(match field {
        "signal" => parse_signal(text)
            .map(|signal| settings.signal = signal)
            .map_err(unreadable("response_time_mean_seconds is the classic one")),
        "perReplica" => parse_bool(text)
            .map(|per_replica| settings.per_replica = per_replica)
            .map_err(unreadable("true divides the signal by the number of ready replicas")),
        "window" => span(&mut settings.window),
        "checkInterval" => span(&mut settings.check_interval),
        "scaleUpThreshold" => threshold(&mut settings.scale_up_threshold),
        "scaleUpChecks" => count(&mut settings.scale_up_checks),
        "scaleDownThreshold" => threshold(&mut settings.scale_down_threshold),
        "scaleDownChecks" => count(&mut settings.scale_down_checks),
        "minReplicas" => count(&mut settings.min_replicas),
        "maxReplicas" => count(&mut settings.max_replicas),
        "scaleUpCooldown" => span(&mut settings.scale_up_cooldown),
        "scaleDownCooldown" => span(&mut settings.scale_down_cooldown),
        _ => return None,
    })
}

/// A span such as `30s`, `500ms` or `5m`; a bare number is seconds.
///
/// # Errors
/// What was expected.
pub fn parse_span(text: &str) -> Result<Duration, String> {
    let expected = || "a span of time such as 30s or 5m, or a number of seconds".to_owned();
    match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).map_err(|_| expected()),
        Err(_) => humantime::parse_duration(text).map_err(|_| expected()),
    }
}

/// A threshold: a number in the signal's own unit, or a span such as `600ms` for signals in seconds.
///
/// # Errors
/// What was expected.
pub fn parse_threshold(text: &str) -> Result<f64, String> {
    text.parse::<f64>().or_else(|_| {
        humantime::parse_duration(text)
            .map(|span| span.as_secs_f64())
            .map_err(|_| "a number, or a span of time such as 600ms".to_owned())
    })
}

/// A whole number from 0.
///
/// # Errors
/// What was expected.
pub fn parse_count(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "a whole number".to_owned())
}

/// A boolean as YAML 1.2's core schema has it; `yes` and `on` are words there.
pub(super) fn parse_bool(text: &str) -> Result<bool, String> {
    match text {
        "true" | "True" | "TRUE" => Ok(true),
        "false" | "False" | "FALSE" => Ok(false),
        _ => Err("true or false".to_owned()),
    }
}

/// A signal by its name.
///
/// # Errors
/// What was expected: the known names.
pub fn parse_signal(text: &str) -> Result<Signal, String> {
    text.parse().map_err(|_| format!("one of {}", Signal::ALL.map(Signal::name).join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_thresholds_take_units_and_bare_numbers() {
        assert_eq!(parse_span("30"), Ok(Duration::from_secs(30)));
        assert_eq!(parse_span("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(parse_span("1.5"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse_threshold("0.6"), Ok(0.6));
        assert_eq!(parse_threshold("600ms"), Ok(0.6));
        assert_eq!(parse_threshold("0.6s"), Ok(0.6));
        for text in ["", "fast", "-1", "NaN", "inf", "1e300"] {
            assert!(parse_span(text).is_err(), "`{text}` is no span");
        }
    }

    #[test]
    fn every_field_can_be_set_and_no_other() {
        let mut settings = ThresholdSettings::default();
        for field in FIELDS {
            assert!(set(&mut settings, field, "?").is_some_and(|result| result.is_err()), "{field}");
        }
        assert!(set(&mut settings, "replicas", "3").is_none());
    }
}
