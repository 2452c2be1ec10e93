//! Lists every rule that the settings of a threshold policy must obey.

use alloc::format;
use alloc::string::{String, ToString};
use core::ops::RangeInclusive;
use core::time::Duration;

use super::ThresholdSettings;
use crate::limits::{Limits, REPLICAS_MAX};
use crate::policy::PolicyError;
use crate::signal::{Signal, Unit};

const WINDOW: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(1);
const CHECK_INTERVAL: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_hours(1);
const COOLDOWN: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_hours(24);
const CHECKS: RangeInclusive<u32> = 1..=1000;

pub(super) fn check(settings: &ThresholdSettings) -> Result<Limits, PolicyError> {
    let signal = settings.signal;
    threshold("scaleUpThreshold", settings.scale_up_threshold, signal)?;
    threshold("scaleDownThreshold", settings.scale_down_threshold, signal)?;
    if settings.scale_down_threshold >= settings.scale_up_threshold {
        return Err(PolicyError {
            field: "scaleDownThreshold",
            value: settings.scale_down_threshold.to_string(),
            expected: format!("less than `scaleUpThreshold`, which is {}", settings.scale_up_threshold),
            hint: "leave a gap between both, or every value asks for a change",
        });
    }
    checks("scaleUpChecks", settings.scale_up_checks)?;
    checks("scaleDownChecks", settings.scale_down_checks)?;
    let limits = replicas(settings)?;
    span("checkInterval", settings.check_interval, CHECK_INTERVAL)?;
    span("window", settings.window, WINDOW)?;
    span("scaleUpCooldown", settings.scale_up_cooldown, COOLDOWN)?;
    span("scaleDownCooldown", settings.scale_down_cooldown, COOLDOWN)?;
    Ok(limits)
}

fn threshold(field: &'static str, value: f64, signal: Signal) -> Result<(), PolicyError> {
    let refuse =
        |expected: String, hint| Err(PolicyError { field, value: value.to_string(), expected, hint });
    if !value.is_finite() || value < 0.0 {
        refuse(
            format!("a number of at least 0, in the unit of {signal}"),
            "response times are seconds: write 0.6 for 600 ms",
        )
    } else if signal.unit() == Unit::Ratio && value > 1.0 {
        refuse(format!("a share from 0 to 1, because the signal is {signal}"), "write 0.60 for 60 percent")
    } else {
        Ok(())
    }
}

fn checks(field: &'static str, value: u32) -> Result<(), PolicyError> {
    if CHECKS.contains(&value) {
        return Ok(());
    }
    Err(PolicyError {
        field,
        value: value.to_string(),
        expected: format!("{} to {} checks in a row", CHECKS.start(), CHECKS.end()),
        hint: "1 acts at the first check beyond the threshold",
    })
}

fn replicas(settings: &ThresholdSettings) -> Result<Limits, PolicyError> {
    let (min, max) = (settings.min_replicas, settings.max_replicas);
    if min == 0 {
        return Err(PolicyError {
            field: "minReplicas",
            value: min.to_string(),
            expected: String::from("at least 1"),
            hint: "without a replica there is nothing whose response time could ask for another",
        });
    }
    let refuse_max =
        |expected, hint| Err(PolicyError { field: "maxReplicas", value: max.to_string(), expected, hint });
    match Limits::new(min, max) {
        Ok(limits) => Ok(limits),
        Err(_) if max > REPLICAS_MAX => {
            refuse_max(format!("at most {REPLICAS_MAX}"), "each replica is a process with its own memory")
        }
        Err(_) => refuse_max(
            format!("at least `minReplicas`, which is {min}"),
            "set both to the same number to fix the count",
        ),
    }
}

fn span(field: &'static str, value: Duration, allowed: RangeInclusive<Duration>) -> Result<(), PolicyError> {
    if allowed.contains(&value) {
        return Ok(());
    }
    Err(PolicyError {
        field,
        value: format!("{value:?}"),
        expected: format!("{:?} to {:?}", allowed.start(), allowed.end()),
        hint: "write a span such as 30s or 5m; a bare number is seconds",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change = fn(&mut ThresholdSettings);

    #[test]
    fn each_rule_names_its_field_and_accepts_its_edge() {
        let cases: &[(&str, Change, Change)] = &[
            ("scaleUpThreshold", |s| s.scale_up_threshold = f64::NAN, |s| s.scale_up_threshold = 1e9),
            ("scaleUpThreshold", |s| s.scale_up_threshold = f64::INFINITY, |s| s.scale_up_threshold = 0.21),
            ("scaleDownThreshold", |s| s.scale_down_threshold = -0.1, |s| s.scale_down_threshold = 0.0),
            ("scaleDownThreshold", |s| s.scale_down_threshold = 0.6, |s| s.scale_down_threshold = 0.59),
            ("scaleUpChecks", |s| s.scale_up_checks = 0, |s| s.scale_up_checks = 1),
            ("scaleDownChecks", |s| s.scale_down_checks = 1001, |s| s.scale_down_checks = 1000),
            ("minReplicas", |s| s.min_replicas = 0, |s| s.min_replicas = 6),
            ("maxReplicas", |s| s.max_replicas = 0, |s| s.max_replicas = 1),
            ("maxReplicas", |s| s.max_replicas = 1001, |s| s.max_replicas = 1000),
            (
                "checkInterval",
                |s| s.check_interval = Duration::ZERO,
                |s| s.check_interval = Duration::from_millis(100),
            ),
            ("window", |s| s.window = Duration::from_millis(999), |s| s.window = Duration::from_secs(1)),
            (
                "scaleUpCooldown",
                |s| s.scale_up_cooldown = Duration::MAX,
                |s| s.scale_up_cooldown = Duration::ZERO,
            ),
            (
                "scaleDownCooldown",
                |s| s.scale_down_cooldown = Duration::from_secs(86_401),
                |s| s.scale_down_cooldown = Duration::from_hours(24),
            ),
        ];
        for (field, broken, edge) in cases {
            let mut settings = ThresholdSettings::default();
            broken(&mut settings);
            let error = check(&settings).expect_err(field);
            assert_eq!(error.field, *field, "{error}");
            assert!(!error.hint.is_empty() && !error.expected.is_empty());
            let mut settings = ThresholdSettings::default();
            edge(&mut settings);
            assert_eq!(check(&settings).map(|_| ()), Ok(()), "the edge of {field} is allowed");
        }
    }

    #[test]
    fn percent_instead_of_a_share_is_caught() {
        let settings = ThresholdSettings {
            signal: Signal::Utilization,
            scale_up_threshold: 60.0,
            ..ThresholdSettings::default()
        };
        let error = check(&settings).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`scaleUpThreshold` is 60, expected a share from 0 to 1, because the signal is utilization"
        );
        assert_eq!(error.hint, "write 0.60 for 60 percent");
    }
}
