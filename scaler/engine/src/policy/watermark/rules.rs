//! The rules that the settings of a watermark policy obey.

use alloc::format;
use alloc::string::{String, ToString as _};
use core::ops::RangeInclusive;
use core::time::Duration;

use super::WatermarkSettings;
use crate::limits::{Limits, REPLICAS_MAX};
use crate::policy::PolicyError;

const INTERVAL: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(3_600);
const WINDOW: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(3_600);
const COOLDOWN: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(86_400);

pub(super) fn check(settings: &WatermarkSettings) -> Result<Limits, PolicyError> {
    let WatermarkSettings { low, high, scale_down_checks, .. } = *settings;
    if !high.is_finite() || high <= 0.0 {
        let hint = "more replicas are asked for above it, in the signal's own unit";
        return refuse("high", high.to_string(), "a number above 0", hint);
    }
    if !low.is_finite() || low < 0.0 || low >= high {
        let hint =
            "leave a gap of more than one replica's share between the marks, or the count moves to and fro";
        return refuse("low", low.to_string(), format!("from 0 to below `high`, which is {high}"), hint);
    }
    if !(1..=1_000).contains(&scale_down_checks) {
        let hint = "1 removes at the first check below the low mark";
        return refuse("scaleDownChecks", scale_down_checks.to_string(), "1 to 1000 checks in a row", hint);
    }
    span("window", settings.window, &WINDOW)?;
    span("checkInterval", settings.check_interval, &INTERVAL)?;
    span("scaleUpCooldown", settings.scale_up_cooldown, &COOLDOWN)?;
    span("scaleDownCooldown", settings.scale_down_cooldown, &COOLDOWN)?;
    let (min, max) = (settings.min_replicas, settings.max_replicas);
    if min == 0 {
        let hint = "without a replica there is no share to judge";
        return refuse("minReplicas", min.to_string(), "at least 1", hint);
    }
    Limits::new(min, max).or_else(|_| {
        let expected = format!("at most {REPLICAS_MAX}, and at least `minReplicas`, which is {min}");
        refuse("maxReplicas", max.to_string(), expected, "set both to the same number to fix the count")
    })
}

fn span(field: &'static str, value: Duration, allowed: &RangeInclusive<Duration>) -> Result<(), PolicyError> {
    if allowed.contains(&value) {
        return Ok(());
    }
    let expected = format!("{:?} to {:?}", allowed.start(), allowed.end());
    refuse(field, format!("{value:?}"), expected, "write a span such as 30s or 5m; a bare number is seconds")
}

fn refuse<Checked>(
    field: &'static str,
    value: String,
    expected: impl Into<String>,
    hint: &'static str,
) -> Result<Checked, PolicyError> {
    Err(PolicyError { field, value, expected: expected.into(), hint })
}
