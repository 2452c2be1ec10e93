//! Remembers committed offsets from query to query, to tell consumers that stand still.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::policy::keda::kafka::{
    BrokerError, KafkaMetric, KafkaOptions, LatestOffset, NO_COMMIT, PartitionOffsets, kafka_metric,
};

/// A partition at one query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KafkaPartition {
    /// Its topic.
    pub topic: String,
    /// Its number.
    pub partition: i32,
    /// What the group committed, or [`NO_COMMIT`].
    pub committed: i64,
    /// The end of the partition.
    pub latest: LatestOffset,
}

/// The committed offsets of the query before.
///
/// Polling and the autoscaler's own queries share one memory, as upstream, so that two queries in quick succession
/// make a consumer look as if it stood still.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffsetMemory {
    committed: BTreeMap<String, BTreeMap<i32, i64>>,
}

impl OffsetMemory {
    /// Makes the metric of one query and remembers its offsets, if persistent lag is to be left out.
    ///
    /// # Errors
    /// If a broker failed; nothing is remembered then.
    ///
    /// Source: `pkg/scalers/kafka_scaler.go`, `getLagForPartition`.
    pub fn query(
        &mut self,
        partitions: &[KafkaPartition],
        options: &KafkaOptions,
    ) -> Result<KafkaMetric, BrokerError> {
        let offsets: Vec<PartitionOffsets> =
            partitions.iter().map(|partition| self.offsets(partition)).collect();
        let metric = kafka_metric(&offsets, options)?;
        let remembered = partitions
            .iter()
            .filter(|partition| partition.committed != NO_COMMIT && partition.latest != LatestOffset::Absent);
        for partition in remembered.filter(|_| options.exclude_persistent_lag) {
            let of_topic = self.committed.entry(partition.topic.clone()).or_default();
            of_topic.insert(partition.partition, partition.committed);
        }
        Ok(metric)
    }

    fn offsets(&self, partition: &KafkaPartition) -> PartitionOffsets {
        let previous = self.committed.get(&partition.topic).and_then(|topic| topic.get(&partition.partition));
        PartitionOffsets {
            committed: partition.committed,
            latest: partition.latest,
            previous_committed: previous.copied(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(committed: i64, latest: i64) -> KafkaPartition {
        KafkaPartition { topic: "t".into(), partition: 0, committed, latest: LatestOffset::At(latest) }
    }

    #[test]
    fn two_queries_in_quick_succession_look_persistent() {
        let options = KafkaOptions { exclude_persistent_lag: true, ..KafkaOptions::default() };
        let mut memory = OffsetMemory::default();
        let mut query = |committed, latest| memory.query(&[partition(committed, latest)], &options).unwrap();
        assert_eq!(query(100, 105), KafkaMetric { lag: 5, active: true });
        assert_eq!(query(100, 106), KafkaMetric { lag: 0, active: true });
        assert_eq!(query(101, 106), KafkaMetric { lag: 5, active: true });
    }

    #[test]
    fn without_the_option_nothing_is_remembered() {
        let mut memory = OffsetMemory::default();
        for _ in 0..2 {
            assert_eq!(memory.query(&[partition(100, 105)], &KafkaOptions::default()).unwrap().lag, 5);
        }
        assert_eq!(memory, OffsetMemory::default());
    }
}
