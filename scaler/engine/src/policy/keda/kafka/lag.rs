//! The lag of one partition.

use serde::{Deserialize, Serialize};

use crate::policy::keda::KafkaOptions;

/// The committed offset of a group that has not committed.
pub const NO_COMMIT: i64 = -1;

/// Where consumers begin that have not committed yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OffsetResetPolicy {
    /// At the end.
    #[default]
    Latest,
    /// At the beginning.
    Earliest,
}

/// The end of a partition, as the brokers tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LatestOffset {
    /// The offset of the next record.
    At(i64),
    /// The answer has nothing about the partition.
    Absent,
    /// The broker answered with an error for the partition.
    BrokerError,
}

/// A broker failed to tell the offset of a partition, which fails the whole trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a broker failed to tell the latest offset of a partition")]
pub struct BrokerError;

/// The offsets of a partition at one query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartitionOffsets {
    /// What the group committed, or [`NO_COMMIT`].
    pub committed: i64,
    /// The end of the partition.
    pub latest: LatestOffset,
    /// What the group had committed at the query before; none at the first.
    pub previous_committed: Option<i64>,
}

/// The lag of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartitionLag {
    /// For the count.
    pub scaling: i64,
    /// For whether the trigger is active.
    pub activation: i64,
}

impl PartitionLag {
    const fn both(lag: i64) -> Self {
        Self { scaling: lag, activation: lag }
    }
}

/// The lag of one partition: latest less committed offset.
///
/// # Errors
/// If the broker failed.
///
/// Source: `pkg/scalers/kafka_scaler.go`, `getLagForPartition`.
pub fn partition_lag(
    offsets: &PartitionOffsets,
    options: &KafkaOptions,
) -> Result<PartitionLag, BrokerError> {
    let has_commit = offsets.committed != NO_COMMIT;
    let unread = i64::from(!options.scale_to_zero_on_invalid_offset);
    if offsets.latest == LatestOffset::BrokerError {
        return Err(BrokerError);
    }
    if !has_commit && options.offset_reset_policy == OffsetResetPolicy::Latest {
        // One, so that a consumer comes up and commits.
        return Ok(PartitionLag::both(unread));
    }
    let LatestOffset::At(latest) = offsets.latest else { return Ok(PartitionLag::both(0)) };
    if !has_commit {
        return Ok(PartitionLag::both(latest.saturating_mul(unread)));
    }
    let lag = latest.saturating_sub(offsets.committed);
    let stands_still =
        options.exclude_persistent_lag && offsets.previous_committed == Some(offsets.committed);
    Ok(PartitionLag { scaling: if stands_still { 0 } else { lag }, activation: lag })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lag(
        committed: i64,
        latest: LatestOffset,
        options: &KafkaOptions,
    ) -> Result<PartitionLag, BrokerError> {
        partition_lag(&PartitionOffsets { committed, latest, previous_committed: None }, options)
    }

    #[test]
    fn without_a_commit_the_policy_decides() {
        let latest = KafkaOptions::default();
        let earliest = KafkaOptions { offset_reset_policy: OffsetResetPolicy::Earliest, ..latest };
        let at = LatestOffset::At(150);
        assert_eq!(lag(NO_COMMIT, at, &latest), Ok(PartitionLag::both(1)));
        assert_eq!(lag(NO_COMMIT, LatestOffset::Absent, &latest), Ok(PartitionLag::both(1)));
        assert_eq!(lag(NO_COMMIT, at, &earliest), Ok(PartitionLag::both(150)));
        assert_eq!(lag(NO_COMMIT, LatestOffset::Absent, &earliest), Ok(PartitionLag::both(0)));
        let to_zero = KafkaOptions { scale_to_zero_on_invalid_offset: true, ..latest };
        assert_eq!(lag(NO_COMMIT, at, &to_zero), Ok(PartitionLag::both(0)));
        let to_zero = KafkaOptions { scale_to_zero_on_invalid_offset: true, ..earliest };
        assert_eq!(lag(NO_COMMIT, at, &to_zero), Ok(PartitionLag::both(0)));
    }

    #[test]
    fn a_partition_that_the_answer_leaves_out_has_no_lag() {
        assert_eq!(lag(100, LatestOffset::Absent, &KafkaOptions::default()), Ok(PartitionLag::both(0)));
        assert_eq!(lag(100, LatestOffset::BrokerError, &KafkaOptions::default()), Err(BrokerError));
    }
}
