//! The lag of a Kafka consumer group, and the metric made of it.

mod even;
mod lag;
mod memory;

pub use even::{divisors, even_factor};
pub use lag::{
    BrokerError, LatestOffset, NO_COMMIT, OffsetResetPolicy, PartitionLag, PartitionOffsets, partition_lag,
};
pub use memory::{KafkaPartition, OffsetMemory};

/// The options of a Kafka trigger.
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own in the document")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KafkaOptions {
    /// The lag that one consumer may have: the target. Default: 10; above 0.
    pub lag_threshold: i64,
    /// The lag above which, strictly, the trigger is active. Default: 0.
    pub activation_lag_threshold: i64,
    /// Where consumers begin that have not committed yet.
    pub offset_reset_policy: OffsetResetPolicy,
    /// Whether there may be more consumers than partitions.
    pub allow_idle_consumers: bool,
    /// Whether partitions whose consumer does not advance are left out.
    pub exclude_persistent_lag: bool,
    /// Whether partitions without a commit have no lag.
    pub scale_to_zero_on_invalid_offset: bool,
    /// Whether only partitions with lag bound the count.
    pub limit_to_partitions_with_lag: bool,
    /// Whether the count is a divisor of the number of partitions.
    pub ensure_even_distribution: bool,
}

impl Default for KafkaOptions {
    fn default() -> Self {
        Self {
            lag_threshold: 10,
            activation_lag_threshold: 0,
            offset_reset_policy: OffsetResetPolicy::default(),
            allow_idle_consumers: false,
            exclude_persistent_lag: false,
            scale_to_zero_on_invalid_offset: false,
            limit_to_partitions_with_lag: false,
            ensure_even_distribution: false,
        }
    }
}

/// The metric of a Kafka trigger. Its target is the lag threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KafkaMetric {
    /// The lag that drives the count, a whole number.
    pub lag: i64,
    /// Whether the trigger is active; the uncapped lag decides.
    pub active: bool,
}

/// Makes the metric of all partitions.
///
/// The cap divides whole numbers: a lag of 35 at a threshold of 10 passes three partitions, and the autoscaler asks
/// for four consumers; 40 is capped to 30.
///
/// # Errors
/// If a broker failed to tell the offset of a partition.
///
/// Source: `pkg/scalers/kafka_scaler.go`, `getTotalLag` and `GetMetricsAndActivity`.
pub fn kafka_metric(
    partitions: &[PartitionOffsets],
    options: &KafkaOptions,
) -> Result<KafkaMetric, BrokerError> {
    let (mut lag, mut activation_lag, mut with_lag) = (0_i64, 0_i64, 0_i64);
    for partition in partitions {
        let of_partition = partition_lag(partition, options)?;
        lag = lag.saturating_add(of_partition.scaling);
        activation_lag = activation_lag.saturating_add(of_partition.activation);
        with_lag += i64::from(of_partition.scaling > 0);
    }
    let active = activation_lag > options.activation_lag_threshold;
    let may_idle = options.allow_idle_consumers
        && !options.limit_to_partitions_with_lag
        && !options.ensure_even_distribution;
    let count = u32::try_from(partitions.len()).unwrap_or(u32::MAX);
    let lag = if may_idle { lag } else { capped(lag, count, with_lag, options) };
    Ok(KafkaMetric { lag, active })
}

fn capped(lag: i64, partitions: u32, with_lag: i64, options: &KafkaOptions) -> i64 {
    let lag = if options.ensure_even_distribution {
        let factor = even_factor(lag, partitions, options.lag_threshold);
        i64::from(factor).saturating_mul(options.lag_threshold)
    } else {
        lag
    };
    let bound = if options.limit_to_partitions_with_lag { with_lag } else { i64::from(partitions) };
    match lag.checked_div(options.lag_threshold) {
        Some(consumers) if consumers > bound => bound.saturating_mul(options.lag_threshold),
        _ => lag,
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn lags(lags: &[i64]) -> Vec<PartitionOffsets> {
        lags.iter()
            .map(|lag| PartitionOffsets {
                committed: 1_000,
                latest: LatestOffset::At(1_000 + lag),
                previous_committed: None,
            })
            .collect()
    }

    fn metric(of: &[i64], options: &KafkaOptions) -> i64 {
        kafka_metric(&lags(of), options).unwrap().lag
    }

    #[test]
    fn the_defaults_are_those_of_keda() {
        let options = KafkaOptions::default();
        assert_eq!((options.lag_threshold, options.activation_lag_threshold), (10, 0));
        assert_eq!(options.offset_reset_policy, OffsetResetPolicy::Latest);
    }

    #[test]
    fn idle_consumers_alone_lift_the_cap() {
        let idle = KafkaOptions { allow_idle_consumers: true, ..KafkaOptions::default() };
        assert_eq!(metric(&[50, 50], &idle), 100);
        assert_eq!(metric(&[50, 50], &KafkaOptions::default()), 20);
        let limited = KafkaOptions { limit_to_partitions_with_lag: true, ..idle };
        assert_eq!(metric(&[100, 0], &limited), 10);
        let even = KafkaOptions { ensure_even_distribution: true, ..idle };
        assert_eq!(metric(&[100, 0], &even), 20);
    }

    #[test]
    fn an_even_distribution_takes_the_next_divisor() {
        let even = KafkaOptions { ensure_even_distribution: true, ..KafkaOptions::default() };
        assert_eq!(metric(&[31, 0, 0, 0, 0, 0], &even), 60, "4 consumers do not divide 6 partitions");
        assert_eq!(metric(&[21, 0, 0, 0, 0, 0], &even), 30);
        assert_eq!(metric(&[0; 6], &even), 10, "no lag still makes one consumer");
    }

    #[test]
    fn activation_is_strict_and_uncapped() {
        let options = KafkaOptions { activation_lag_threshold: 99, ..KafkaOptions::default() };
        assert!(kafka_metric(&lags(&[100]), &options).unwrap().active);
        assert!(!kafka_metric(&lags(&[99]), &options).unwrap().active);
    }

    #[test]
    fn an_error_of_a_broker_is_an_error_of_the_trigger() {
        let mut partitions = lags(&[5, 5]);
        partitions[1].latest = LatestOffset::BrokerError;
        assert_eq!(kafka_metric(&partitions, &KafkaOptions::default()), Err(BrokerError));
    }

    #[test]
    fn hostile_offsets_and_thresholds_saturate() {
        let partitions = [PartitionOffsets {
            committed: i64::MIN,
            latest: LatestOffset::At(i64::MAX),
            previous_committed: None,
        }; 3];
        let idle = KafkaOptions { allow_idle_consumers: true, lag_threshold: 0, ..KafkaOptions::default() };
        assert_eq!(kafka_metric(&partitions, &idle).unwrap().lag, i64::MAX);
        for lag_threshold in [0, -1, i64::MIN, i64::MAX] {
            for ensure_even_distribution in [false, true] {
                let options =
                    KafkaOptions { lag_threshold, ensure_even_distribution, ..KafkaOptions::default() };
                kafka_metric(&partitions, &options).unwrap();
            }
        }
    }
}
