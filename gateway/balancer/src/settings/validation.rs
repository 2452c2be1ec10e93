//! Finds the first setting that no rotation can run with.

use alloc::format;
use alloc::string::String;
use core::time::Duration;

use super::BalancerSettings;

/// Longest time that a setting can have; sums of such times and of run times stay far from overflow.
const TIME_MAX: Duration = Duration::from_hours(24);

/// Steps of the outcome window, of which each must be a whole number of nanoseconds and long enough to hold answers.
const OUTCOME_WINDOW_MIN: Duration = Duration::from_millis(10);

/// A setting that is not usable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("balancer setting `{field}` is {value}, expected {expected}")]
pub struct SettingsError {
    /// The setting, by the path of its fields: `ejection.failed_share`.
    pub field: &'static str,
    /// Its value, as it was given.
    pub value: String,
    /// What it can be.
    pub expected: &'static str,
}

impl BalancerSettings {
    /// Checks that a rotation can run with these settings.
    ///
    /// # Errors
    /// [`SettingsError`] for the first setting that is outside its range.
    pub fn validate(&self) -> Result<(), SettingsError> {
        self.validate_latency()?;
        self.validate_cost()?;
        self.validate_judgement()?;
        self.validate_membership()
    }

    fn validate_latency(&self) -> Result<(), SettingsError> {
        let latency = &self.latency;
        positive_time("latency.decay", latency.decay)?;
        positive_time("latency.assumed_max", latency.assumed_max)?;
        check(
            !latency.floor.is_zero() && latency.floor <= latency.assumed_max,
            "latency.floor",
            latency.floor,
            "a time above 0 and at most `latency.assumed_max`",
        )?;
        check(
            (1..=10_000).contains(&latency.newcomer_sample),
            "latency.newcomer_sample",
            latency.newcomer_sample,
            "1 to 10,000 endpoints",
        )
    }

    fn validate_cost(&self) -> Result<(), SettingsError> {
        let cost = &self.cost;
        time("cost.slow_start", cost.slow_start)?;
        share("cost.slow_start_weight_min", cost.slow_start_weight_min)?;
        check(
            (OUTCOME_WINDOW_MIN..=TIME_MAX).contains(&cost.outcome_window)
                && cost.outcome_window.subsec_nanos().is_multiple_of(10),
            "cost.outcome_window",
            cost.outcome_window,
            "10 ms to 24 h, divisible by ten in nanoseconds",
        )?;
        check(
            cost.smoothing_answers <= 1_000_000,
            "cost.smoothing_answers",
            cost.smoothing_answers,
            "0 to 1,000,000 answers",
        )?;
        check(
            cost.streak_doublings_max <= 30,
            "cost.streak_doublings_max",
            cost.streak_doublings_max,
            "0 to 30 doublings",
        )?;
        time("cost.unserved_cost", cost.unserved_cost)
    }

    fn validate_judgement(&self) -> Result<(), SettingsError> {
        let (client_errors, ejection) = (&self.client_errors, &self.ejection);
        at_least_one("client_errors.answers_min", client_errors.answers_min)?;
        check(
            client_errors.significance > 0.0 && client_errors.significance <= 100.0,
            "client_errors.significance",
            client_errors.significance,
            "a number of standard errors above 0 and at most 100",
        )?;
        at_least_one("ejection.consecutive_failures", ejection.consecutive_failures)?;
        share("ejection.failed_share", ejection.failed_share)?;
        at_least_one("ejection.failed_share_answers_min", ejection.failed_share_answers_min)?;
        positive_time("ejection.back_off_max", ejection.back_off_max)?;
        check(
            !ejection.back_off_base.is_zero() && ejection.back_off_base <= ejection.back_off_max,
            "ejection.back_off_base",
            ejection.back_off_base,
            "a time above 0 and at most `ejection.back_off_max`",
        )?;
        at_least_one("ejection.probation_successes", ejection.probation_successes)?;
        time("ejection.forget_after", ejection.forget_after)
    }

    fn validate_membership(&self) -> Result<(), SettingsError> {
        let (probes, discovery, retry) = (&self.probes, &self.discovery, &self.retry);
        for (field, interval) in
            [("probes.interval_starting", probes.interval_starting), ("probes.interval", probes.interval)]
        {
            let is_usable = (Duration::from_millis(1)..=TIME_MAX).contains(&interval);
            check(is_usable, field, interval, "1 ms to 24 h")?;
        }
        time("probes.starting_patience", probes.starting_patience)?;
        at_least_one("probes.failures_out", probes.failures_out)?;
        at_least_one("probes.successes_in", probes.successes_in)?;
        at_least_one("discovery.absent_answers_before_removal", discovery.absent_answers_before_removal)?;
        check(
            (1..=1_000_000).contains(&discovery.drained_addresses_max),
            "discovery.drained_addresses_max",
            discovery.drained_addresses_max,
            "1 to 1,000,000 addresses",
        )?;
        at_least_one("retry.unsent_tries_max", retry.unsent_tries_max)?;
        check(
            retry.repetitions_max <= 100,
            "retry.repetitions_max",
            retry.repetitions_max,
            "0 to 100 repetitions",
        )
    }
}

fn check<T: core::fmt::Debug>(
    is_usable: bool,
    field: &'static str,
    value: T,
    expected: &'static str,
) -> Result<(), SettingsError> {
    if is_usable { Ok(()) } else { Err(SettingsError { field, value: format!("{value:?}"), expected }) }
}

fn time(field: &'static str, value: Duration) -> Result<(), SettingsError> {
    check(value <= TIME_MAX, field, value, "a time of at most 24 h")
}

fn positive_time(field: &'static str, value: Duration) -> Result<(), SettingsError> {
    check(!value.is_zero() && value <= TIME_MAX, field, value, "a time above 0 and at most 24 h")
}

fn share(field: &'static str, value: f64) -> Result<(), SettingsError> {
    check(value > 0.0 && value <= 1.0, field, value, "a share above 0 and at most 1")
}

fn at_least_one(field: &'static str, value: u32) -> Result<(), SettingsError> {
    check(value > 0, field, value, "at least 1")
}

#[cfg(test)]
mod tests {
    use std::string::ToString;
    use std::vec::Vec;

    use super::*;

    const DEFAULT: BalancerSettings = BalancerSettings::DEFAULT;

    #[test]
    fn the_defaults_are_usable() {
        assert_eq!(DEFAULT.validate(), Ok(()));
        assert_eq!(BalancerSettings::default(), DEFAULT);
    }

    #[test]
    fn a_value_outside_its_range_is_named_with_its_field_and_what_was_expected() {
        let mut settings = DEFAULT;
        settings.ejection.failed_share = 60.0;
        let error = settings.validate().expect_err("60 is not a share");
        assert_eq!(
            error.to_string(),
            "balancer setting `ejection.failed_share` is 60.0, expected a share above 0 and at most 1"
        );
    }

    #[test]
    fn each_setting_has_a_range_at_whose_ends_it_is_refused() {
        type Change = fn(&mut BalancerSettings);
        let changes: Vec<(&str, Change)> = Vec::from([
            ("latency.decay", (|s| s.latency.decay = Duration::ZERO) as Change),
            ("latency.assumed_max", |s| s.latency.assumed_max = Duration::MAX),
            ("latency.floor", |s| s.latency.floor = s.latency.assumed_max * 2),
            ("latency.newcomer_sample", |s| s.latency.newcomer_sample = 0),
            ("cost.slow_start", |s| s.cost.slow_start = Duration::MAX),
            ("cost.slow_start_weight_min", |s| s.cost.slow_start_weight_min = 0.0),
            ("cost.slow_start_weight_min", |s| s.cost.slow_start_weight_min = f64::NAN),
            ("cost.outcome_window", |s| s.cost.outcome_window = Duration::ZERO),
            ("cost.outcome_window", |s| s.cost.outcome_window = Duration::from_nanos(1_000_000_001)),
            ("cost.smoothing_answers", |s| s.cost.smoothing_answers = u32::MAX),
            ("cost.streak_doublings_max", |s| s.cost.streak_doublings_max = 31),
            ("cost.unserved_cost", |s| s.cost.unserved_cost = Duration::MAX),
            ("client_errors.answers_min", |s| s.client_errors.answers_min = 0),
            ("client_errors.significance", |s| s.client_errors.significance = f64::INFINITY),
            ("ejection.consecutive_failures", |s| s.ejection.consecutive_failures = 0),
            ("ejection.failed_share", |s| s.ejection.failed_share = 0.0),
            ("ejection.failed_share_answers_min", |s| s.ejection.failed_share_answers_min = 0),
            ("ejection.back_off_base", |s| s.ejection.back_off_base = s.ejection.back_off_max * 2),
            ("ejection.back_off_max", |s| s.ejection.back_off_max = Duration::ZERO),
            ("ejection.probation_successes", |s| s.ejection.probation_successes = 0),
            ("ejection.forget_after", |s| s.ejection.forget_after = Duration::MAX),
            ("probes.interval_starting", |s| s.probes.interval_starting = Duration::ZERO),
            ("probes.interval", |s| s.probes.interval = Duration::from_micros(999)),
            ("probes.starting_patience", |s| s.probes.starting_patience = Duration::MAX),
            ("probes.failures_out", |s| s.probes.failures_out = 0),
            ("probes.successes_in", |s| s.probes.successes_in = 0),
            ("discovery.absent_answers_before_removal", |s| s.discovery.absent_answers_before_removal = 0),
            ("discovery.drained_addresses_max", |s| s.discovery.drained_addresses_max = 0),
            ("retry.unsent_tries_max", |s| s.retry.unsent_tries_max = 0),
            ("retry.repetitions_max", |s| s.retry.repetitions_max = 101),
        ]);
        for (field, change) in changes {
            let mut settings = DEFAULT;
            change(&mut settings);
            let refused = settings.validate().expect_err(field);
            assert_eq!(refused.field, field);
        }
    }
}
