//! Judges whether what is known of a service still says something about it.

use std::time::Duration;

use scaler_engine::{Reading, Signal};
use serde::Serialize;

use crate::sources::Sample;

/// A reading is old from this age on, or from two measurements missed where those are rarer.
const OLD_AFTER: Duration = Duration::from_secs(5);

/// The gateway counts as silent when its list is older than this, or than two looks where those are rarer.
const SILENT_AFTER: Duration = Duration::from_secs(3);

/// Whether the service's readings describe the present.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReadingState {
    /// All of them do.
    Fresh,
    /// At least one is too old.
    Old,
    /// There is none.
    #[default]
    Missing,
}

/// What is known of the gateway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct GatewayStatus {
    /// Whether it lists its endpoints; where it does not, clients are not answered either.
    pub(crate) responding: bool,
    /// Age of its last list; none before the first one came.
    pub(crate) list_age_seconds: Option<f64>,
}

impl GatewayStatus {
    pub(crate) fn of(sample: &Sample) -> Self {
        Self {
            responding: sample.list_age.is_some_and(|age| age <= SILENT_AFTER.max(2 * sample.spacing)),
            list_age_seconds: sample.list_age.map(|age| age.as_secs_f64()),
        }
    }
}

impl ReadingState {
    pub(crate) fn of(sample: &Sample) -> Self {
        let limit = oldest_fresh(sample.spacing);
        // Requests in flight are counted by the gateway, whose silence is told apart.
        let measured =
            |(signal, reading): (&Signal, &Reading)| (*signal != Signal::InFlight).then_some(reading.age);
        match sample.service.iter().filter_map(measured).max() {
            None => Self::Missing,
            Some(age) if age > limit => Self::Old,
            Some(_) => Self::Fresh,
        }
    }
}

/// The greatest age of a fresh reading, for this time between two measurements.
pub(super) fn oldest_fresh(spacing: Duration) -> Duration {
    OLD_AFTER.max(2 * spacing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(value: u64) -> Duration {
        Duration::from_secs(value)
    }

    fn sample(reading_age: Option<u64>, list_age: Option<u64>, spacing: u64) -> Sample {
        let reading = |age| Reading { value: Some(0.05), age: seconds(age) };
        let mut service: std::collections::BTreeMap<_, _> =
            reading_age.map(|age| (Signal::ResponseTimeP95Seconds, reading(age))).into_iter().collect();
        // A count of the gateway's as old as its list.
        service.extend(list_age.map(|age| (Signal::InFlight, reading(age))));
        let (list_age, spacing) = (list_age.map(seconds), seconds(spacing));
        Sample { service, list_age, spacing, ..Sample::default() }
    }

    #[test]
    fn a_reading_is_old_after_5_s_or_two_measurements() {
        for (age, spacing, expected) in [
            (Some(0), 1, ReadingState::Fresh),
            (Some(5), 1, ReadingState::Fresh),
            (Some(6), 1, ReadingState::Old),
            (Some(10), 5, ReadingState::Fresh),
            (Some(11), 5, ReadingState::Old),
            (Some(30), 15, ReadingState::Fresh),
            (None, 1, ReadingState::Missing),
        ] {
            assert_eq!(
                ReadingState::of(&sample(age, Some(0), spacing)),
                expected,
                "{age:?}, each {spacing} s"
            );
        }
    }

    #[test]
    fn a_gateway_is_silent_when_its_list_is_old_and_that_ages_no_reading() {
        for (list_age, spacing, responding) in [
            (Some(0), 1, true),
            (Some(3), 1, true),
            (Some(4), 1, false),
            (Some(20), 15, true),
            (None, 1, false),
        ] {
            let sample = sample(Some(0), list_age, spacing);
            assert_eq!(GatewayStatus::of(&sample).responding, responding, "{list_age:?}");
            assert_eq!(ReadingState::of(&sample), ReadingState::Fresh);
        }
    }
}
