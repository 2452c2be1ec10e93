//! Keeps what happened to the processes of a run lately, for the scaler to record.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use scaler::{News, ServiceEvent};
use tokio::time::Instant;

/// How long an event is kept: as long as the scaler's history reaches.
const KEPT_FOR: Duration = Duration::from_mins(15);

/// Events kept; of a crash loop the newest are enough.
const KEPT_MAX: usize = 50;

/// The events of a run, numbered from 1.
#[derive(Clone, Debug, Default)]
pub(super) struct Journal(Arc<Mutex<Entries>>);

#[derive(Debug, Default)]
struct Entries {
    last_number: u64,
    entries: VecDeque<(u64, Instant, ServiceEvent)>,
}

impl Journal {
    /// Adds an event of this moment.
    pub(super) fn record(&self, event: ServiceEvent) {
        let mut journal = self.0.lock();
        journal.last_number += 1;
        let number = journal.last_number;
        if journal.entries.len() == KEPT_MAX {
            journal.entries.pop_front();
        }
        journal.entries.push_back((number, Instant::now(), event));
    }

    /// The events kept, oldest first.
    pub(super) fn news(&self) -> Vec<News> {
        let mut journal = self.0.lock();
        journal.entries.retain(|(_, at, _)| at.elapsed() <= KEPT_FOR);
        let news = |(number, at, event): &(u64, Instant, ServiceEvent)| News {
            number: *number,
            age_seconds: at.elapsed().as_secs_f64(),
            event: event.clone(),
        };
        journal.entries.iter().map(news).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn events_are_numbered_bounded_and_forgotten() {
        let journal = Journal::default();
        for _ in 0..60 {
            journal.record(ServiceEvent::Paused);
        }
        tokio::time::advance(Duration::from_mins(10)).await;
        journal.record(ServiceEvent::Resumed);
        let news = journal.news();
        assert_eq!((news.len(), news[0].number, news[49].number), (KEPT_MAX, 12, 61));
        assert!((news[0].age_seconds - 600.0).abs() < 0.1, "{}", news[0].age_seconds);
        tokio::time::advance(Duration::from_mins(6)).await;
        assert_eq!(journal.news().iter().map(|one| one.number).collect::<Vec<_>>(), [61]);
    }
}
