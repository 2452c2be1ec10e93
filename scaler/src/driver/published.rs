//! Holds what the loop publishes and everybody else only reads.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{broadcast, watch};

use crate::history::History;
use crate::metrics::ScalerMetrics;
use crate::status::{DecisionStatus, Status};

/// Events kept for a reader that is slow; it loses the oldest then.
const EVENTS_KEPT: usize = 64;

/// What goes out to those who follow.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// Once each look.
    Status(Arc<Status>),
    /// Once each decision.
    Decision(Box<DecisionStatus>),
}

/// What the driver publishes and everybody else reads.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) status: watch::Sender<Arc<Status>>,
    pub(crate) history: Mutex<History>,
    pub(crate) events: broadcast::Sender<Event>,
    pub(crate) metrics: ScalerMetrics,
    /// Whether a replica was ever scraped.
    pub(crate) has_scraped: AtomicBool,
}

impl Published {
    pub(crate) fn new() -> Self {
        Self {
            status: watch::Sender::new(Arc::default()),
            history: Mutex::default(),
            events: broadcast::Sender::new(EVENTS_KEPT),
            metrics: ScalerMetrics::new(),
            has_scraped: AtomicBool::new(false),
        }
    }

    pub(crate) fn history<T>(&self, read: impl FnOnce(&mut History) -> T) -> T {
        // A panic elsewhere leaves at worst one point too few behind.
        read(&mut self.history.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
