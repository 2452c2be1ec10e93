//! Notices replicas whose process began anew: a crash that the platform has put right by itself.
//!
//! The count stays the same then, so no decision tells of it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::actuators::Listing;
use crate::sighting::Sighting;

/// A start is told in seconds by some, so two starts closer together than this may be the same one.
const SAME_START: Duration = Duration::from_secs(1);

/// When each replica's process began, as it told the last time.
#[derive(Debug, Default)]
pub(super) struct Restarts(BTreeMap<String, Known>);

#[derive(Clone, Copy, Debug)]
struct Known {
    /// When the platform made the replica: another one may get the name of one that left.
    made_at: Option<Duration>,
    process_began_at: Duration,
}

impl Restarts {
    /// The replicas whose process began anew since the last look.
    pub(super) fn notice(&mut self, seen: &Sighting) -> Vec<String> {
        let Ok(listed) = seen.listed.as_ref() else { return Vec::new() };
        let mut restarted = Vec::new();
        for replica in &seen.sample.replicas {
            let Some(process_began_at) = replica.started_at else { continue };
            let entry = listed.entry_at(&replica.id);
            let id = entry.map_or(&replica.id, |entry| &entry.id);
            let known = Known { made_at: entry.and_then(|entry| entry.started_at), process_began_at };
            let before = self.0.insert(id.clone(), known);
            let is_restart = before.is_some_and(|before| {
                before.made_at == known.made_at && process_began_at > before.process_began_at + SAME_START
            });
            if is_restart {
                restarted.push(id.clone());
            }
        }
        self.forget_those_who_left(seen, listed);
        restarted
    }

    fn forget_those_who_left(&mut self, seen: &Sighting, listed: &Listing) {
        self.0.retain(|id, _| {
            listed.entries().iter().any(|entry| entry.id == *id)
                || seen.sample.endpoints.iter().any(|endpoint| endpoint.url == *id)
        });
    }
}

#[cfg(test)]
mod tests {
    use scaler_engine::ReplicaObservation;

    use super::*;
    use crate::actuators::ReplicaEntry;
    use crate::sources::Sample;

    const URL: &str = "http://a:1";

    fn look(made_at: u64, process_began_at: Option<u64>) -> Sighting {
        let entry = ReplicaEntry {
            id: "webapp-2".to_owned(),
            url: Some(URL.to_owned()),
            started_at: Some(Duration::from_secs(made_at)),
            ..ReplicaEntry::default()
        };
        let replica = ReplicaObservation {
            id: URL.to_owned(),
            started_at: process_began_at.map(Duration::from_secs),
            ..ReplicaObservation::default()
        };
        Sighting {
            began_at: Duration::ZERO,
            sample: Sample { replicas: vec![replica], ..Sample::default() },
            listed: Ok(Listing::of_each(vec![entry])),
            news: Vec::new(),
        }
    }

    #[test]
    fn a_process_that_began_anew_is_told_once() {
        let mut restarts = Restarts::default();
        let told: Vec<_> = [look(100, None), look(100, Some(101)), look(100, None), look(100, Some(160))]
            .iter()
            .map(|seen| restarts.notice(seen).len())
            .collect();
        assert_eq!(told, [0, 0, 0, 1]);
        assert_eq!(restarts.notice(&look(100, Some(160))), [""; 0]);
        assert_eq!(restarts.notice(&look(100, Some(200))), ["webapp-2"]);
    }

    #[test]
    fn another_replica_of_the_same_name_is_no_restart() {
        let mut restarts = Restarts::default();
        restarts.notice(&look(100, Some(101)));
        assert_eq!(restarts.notice(&look(300, Some(301))), [""; 0]);
        let gone = Sighting { listed: Ok(Listing::of_each(Vec::new())), ..look(300, None) };
        restarts.notice(&gone);
        assert_eq!(restarts.notice(&look(300, Some(400))), [""; 0], "it was away in between");
    }
}
