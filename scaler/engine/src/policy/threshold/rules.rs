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

/// The gateway waits no longer for an answer.
const SECONDS_MAX: f64 = 60.0;
/// A percentage that is worth acting on is above it, what one replica uses below.
const CORES_MAX: f64 = 32.0;
/// A number of mebibytes is below it, what a process uses above.
const BYTES_MIN: f64 = 1024.0 * 1024.0;
const PER_SECOND_MAX: f64 = 1e7;
const COUNT_MAX: f64 = 1e6;

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
    } else if let Some((expected, hint)) = another_unit(value, signal.unit()) {
        refuse(format!("{expected}, because the signal is {signal}"), hint)
    } else {
        Ok(())
    }
}

/// What to expect instead of a value that can only have been meant in another unit, which no signal would ever cross.
/// 0 is left alone: it is how a policy says that nothing is too low.
fn another_unit(value: f64, unit: Unit) -> Option<(&'static str, &'static str)> {
    match unit {
        Unit::Seconds if value > SECONDS_MAX => {
            Some(("at most 60 seconds", "it is in seconds: write 0.6 or 600ms for 600 milliseconds"))
        }
        Unit::Ratio if value > 1.0 => Some(("a share from 0 to 1", "write 0.60 for 60 percent")),
        Unit::Cores if value > CORES_MAX => Some((
            "at most 32 cores of one replica",
            "it is in cores: write 0.8 for 80 percent of one core, 1.5 for 1500m",
        )),
        Unit::Bytes if value > 0.0 && value < BYTES_MIN => {
            Some(("at least 1048576 bytes, which is 1 MiB", "it is in bytes: write 67108864 for 64 MiB"))
        }
        Unit::PerSecond if value > PER_SECOND_MAX => {
            Some(("at most 10000000 per second", "it is a rate per second, not a total"))
        }
        Unit::Count if value > COUNT_MAX => {
            Some(("at most 1000000", "it is a number of requests or jobs, not of bytes or milliseconds"))
        }
        Unit::Seconds | Unit::Ratio | Unit::Cores | Unit::Bytes | Unit::PerSecond | Unit::Count => None,
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
            ("scaleUpThreshold", |s| s.scale_up_threshold = f64::NAN, |s| s.scale_up_threshold = 60.0),
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
    fn a_threshold_in_another_unit_is_caught_for_every_signal() {
        let check = |signal, up, down| {
            let settings = ThresholdSettings {
                signal,
                scale_up_threshold: up,
                scale_down_threshold: down,
                ..ThresholdSettings::default()
            };
            check(&settings).map(|_| ())
        };
        for signal in Signal::ALL {
            let (sound, wrong, hint) = match signal.unit() {
                Unit::Seconds => ([60.0, 0.0], 600.0, "600ms"),
                Unit::Ratio => ([1.0, 0.0], 80.0, "0.60 for 60 percent"),
                Unit::Cores => ([32.0, 0.0], 80.0, "0.8 for 80 percent"),
                Unit::Bytes => ([BYTES_MIN, 0.0], 64.0, "67108864 for 64 MiB"),
                Unit::PerSecond => ([PER_SECOND_MAX, 0.0], 1e9, "per second"),
                Unit::Count => ([COUNT_MAX, 0.0], 1e9, "number of requests"),
            };
            assert_eq!(check(signal, sound[0], sound[1]), Ok(()), "{signal}");
            let error = check(signal, wrong, 0.0).unwrap_err();
            assert_eq!(error.field, "scaleUpThreshold", "{signal}");
            assert!(
                error.hint.contains(hint) && error.expected.contains(signal.name()),
                "{signal}: {error:?}"
            );
        }
        let error = check(Signal::MemoryBytes, 2.0 * BYTES_MIN, 64.0).unwrap_err();
        assert_eq!(error.field, "scaleDownThreshold");
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
