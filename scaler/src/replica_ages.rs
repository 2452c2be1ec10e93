//! Says how old replicas are by this scaler's clock alone.
//!
//! A replica that is listed for the first time has just begun; for those that were there at the first look the platform's
//! own clock is all there is. So a platform whose clock differs makes no new replica old, nor an old one new.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::actuators::{Listing, ReplicaEntry, Replicas};

/// When replicas were first listed.
#[derive(Debug, Default)]
pub(crate) struct ReplicaAges {
    /// By name and by when the platform says it started, for a name may be given again. None if that is not known.
    began_at: BTreeMap<(String, Option<Duration>), Option<Duration>>,
    has_looked: bool,
}

impl ReplicaAges {
    /// Writes the ages into a list that was given at `now` (run time).
    pub(crate) fn write_into(&mut self, listing: &mut Listing, now: Duration) {
        let each: &mut [ReplicaEntry] = match &mut listing.replicas {
            Replicas::Each(entries) => entries,
            Replicas::Unlisted | Replicas::Count(_) => &mut [],
        };
        let mut began_at = BTreeMap::new();
        for entry in each.iter_mut().chain(&mut listing.not_running) {
            let key = (entry.id.clone(), entry.started_at);
            let told = entry.started_at.map(|told| told.min(now));
            let first = if self.has_looked { Some(now) } else { told };
            let began = self.began_at.get(&key).copied().unwrap_or(first);
            entry.age = began.map(|began| now.saturating_sub(began));
            began_at.insert(key, began);
        }
        self.began_at = began_at;
        self.has_looked = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(value: u64) -> Duration {
        Duration::from_secs(value)
    }

    fn ages(ages: &mut ReplicaAges, now: u64, listed: &[(&str, Option<u64>)]) -> Vec<Option<u64>> {
        let entry = |&(id, started_at): &(&str, Option<u64>)| ReplicaEntry {
            id: id.to_owned(),
            started_at: started_at.map(seconds),
            ..ReplicaEntry::default()
        };
        let mut listing = Listing::of_each(listed.iter().map(entry).collect());
        ages.write_into(&mut listing, seconds(now));
        listing.entries().iter().map(|entry| entry.age.map(|age| age.as_secs())).collect()
    }

    #[test]
    fn a_platforms_clock_counts_at_the_first_look_only() {
        let mut known = ReplicaAges::default();
        let old = [("a", Some(40)), ("b", None), ("c", Some(9000))];
        assert_eq!(ages(&mut known, 100, &old), [Some(60), None, Some(0)]);
        // Its clock is an hour ahead, or behind, or says nothing: what is new has just begun.
        let new = [("a", Some(40)), ("d", Some(3701)), ("e", Some(1)), ("f", None)];
        assert_eq!(ages(&mut known, 101, &new), [Some(61), Some(0), Some(0), Some(0)]);
        assert_eq!(ages(&mut known, 111, &new), [Some(71), Some(10), Some(10), Some(10)]);
        // The name of one that left is given again.
        assert_eq!(ages(&mut known, 120, &[("a", Some(119))]), [Some(0)]);
    }
}
