//! Holds what the loop publishes and everybody else only reads.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{broadcast, watch};
use tracing::info;

use crate::history::History;
use crate::live_event::LiveEvent;
use crate::metrics::ScalerMetrics;
use crate::service_event::{RecordedEvent, ServiceEvent};
use crate::status::{DecisionStatus, Status};

/// Events kept for a viewer that is slow; one that is further behind goes on with what is new.
const EVENTS_KEPT: usize = 16;

/// What the driver publishes and everybody else reads.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) status: watch::Sender<Arc<Status>>,
    pub(crate) history: Mutex<History>,
    pub(crate) events: broadcast::Sender<Arc<LiveEvent>>,
    pub(crate) metrics: ScalerMetrics,
    /// Whether a replica was ever scraped.
    pub(crate) has_scraped: AtomicBool,
}

impl Published {
    /// Nothing yet; the metrics have the label where one is given.
    pub(crate) fn new(service_label: Option<&str>) -> Self {
        Self {
            status: watch::Sender::new(Arc::default()),
            history: Mutex::default(),
            events: broadcast::Sender::new(EVENTS_KEPT),
            metrics: ScalerMetrics::new(service_label),
            has_scraped: AtomicBool::new(false),
        }
    }

    pub(crate) fn history<T>(&self, read: impl FnOnce(&mut History) -> T) -> T {
        // A panic elsewhere leaves at worst one point too few behind.
        read(&mut self.history.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps a look's state and tells it to whoever follows, once a second at most.
    pub(crate) fn record(&self, status: Arc<Status>) {
        if self.history(|history| history.add(&status)) {
            self.tell(LiveEvent::status(status));
        }
    }

    /// Keeps a decision and tells it to whoever follows.
    pub(crate) fn record_decision(&self, decision: DecisionStatus) {
        self.history(|history| history.add_decision(decision.clone()));
        self.tell(LiveEvent::decision(decision));
    }

    /// Keeps an event of this moment (run time), writes it to the log, and tells it to whoever follows.
    pub(crate) fn record_event(&self, at: Duration, event: ServiceEvent) {
        info!("{event}");
        // As it is told: a page and its history then agree on when it was.
        let at = Duration::from_millis(u64::try_from(at.as_millis()).unwrap_or(u64::MAX));
        let recorded = RecordedEvent { at, event };
        self.history(|history| history.add_event(recorded.clone()));
        self.tell(LiveEvent::event(recorded));
    }

    fn tell(&self, event: LiveEvent) {
        // An error says that nobody follows.
        drop(self.events.send(Arc::new(event)));
    }
}
