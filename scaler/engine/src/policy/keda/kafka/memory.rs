//! Remembers committed offsets from query to query, to tell consumers that stand still.

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
    /// In the order of topics and partitions. A list, because saved states go through formats whose maps have texts
    /// as keys.
    remembered: Vec<Remembered>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Remembered {
    topic: String,
    partition: i32,
    committed: i64,
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
            self.remember(partition);
        }
        Ok(metric)
    }

    fn offsets(&self, partition: &KafkaPartition) -> PartitionOffsets {
        let found = self.find(partition).ok().and_then(|at| self.remembered.get(at));
        PartitionOffsets {
            committed: partition.committed,
            latest: partition.latest,
            previous_committed: found.map(|remembered| remembered.committed),
        }
    }

    fn remember(&mut self, partition: &KafkaPartition) {
        let new = Remembered {
            topic: partition.topic.clone(),
            partition: partition.partition,
            committed: partition.committed,
        };
        match self.find(partition) {
            Ok(at) => {
                if let Some(place) = self.remembered.get_mut(at) {
                    *place = new;
                }
            }
            Err(at) => self.remembered.insert(at, new),
        }
    }

    fn find(&self, partition: &KafkaPartition) -> Result<usize, usize> {
        let wanted = (partition.topic.as_str(), partition.partition);
        self.remembered.binary_search_by(|known| (known.topic.as_str(), known.partition).cmp(&wanted))
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
    fn each_partition_of_each_topic_has_its_own_memory() {
        let options = KafkaOptions { exclude_persistent_lag: true, ..KafkaOptions::default() };
        let mut memory = OffsetMemory::default();
        let of = |topic: &str, number, committed| KafkaPartition {
            topic: topic.into(),
            partition: number,
            ..partition(committed, committed + 5)
        };
        let first = [of("b", 1, 10), of("a", 7, 20), of("b", 0, 30), of("a", 2, 40)];
        assert_eq!(memory.query(&first, &options).unwrap().lag, 20);
        let second = [of("a", 2, 40), of("a", 7, 21), of("b", 0, 31), of("b", 1, 10)];
        assert_eq!(memory.query(&second, &options).unwrap().lag, 10);
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
