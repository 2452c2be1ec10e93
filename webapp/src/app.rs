//! Everything that the routes and background tasks of one replica share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use observability::metrics::MetricsRegistry;
use tokio::sync::Notify;
use workload::Streams;

use crate::clock::RunClock;
use crate::config::Role;
use crate::faults::Faults;
use crate::load::Load;
use crate::metrics::{JobMetrics, ShopMetrics};
use crate::peers::Peers;
use crate::replica::Replica;

/// The state of one replica.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) clock: RunClock,
    pub(crate) role: Role,
    pub(crate) id: String,
    pub(crate) base_rps: f64,
    pub(crate) streams: Streams,
    pub(crate) replica: Arc<Replica>,
    pub(crate) load: Load,
    pub(crate) peers: Peers,
    pub(crate) faults: Arc<Faults>,
    pub(crate) jobs: JobMetrics,
    pub(crate) shop: ShopMetrics,
    pub(crate) events: AtomicU64,
    /// True from the moment the listener is bound and the peers' state is known until the stop begins.
    pub(crate) serving: AtomicBool,
    /// Ready replicas seen in the last pull, this one not included.
    pub(crate) ready_peers: AtomicU32,
    /// Told when the fault `crash` is asked for.
    pub(crate) crash: Notify,
}

/// The application together with what it exposes; apart, because the registry reads the application.
#[derive(Clone, Debug)]
pub(crate) struct Exposed {
    pub(crate) app: Arc<App>,
    pub(crate) registry: Arc<MetricsRegistry>,
}

impl App {
    pub(crate) fn is_ready(&self) -> bool {
        self.serving.load(Ordering::Acquire) && !self.faults.is_unready(self.clock.now())
    }

    /// Ready replicas of the service as of the last pull; at least 1.
    pub(crate) fn ready_replicas(&self) -> u32 {
        let this = u32::from(self.is_ready());
        (self.ready_peers.load(Ordering::Relaxed) + this).max(1)
    }

    /// Synthetic demand of the whole service at this moment; requests per second.
    pub(crate) fn demand_rps(&self) -> f64 {
        self.load.factor_at(self.clock.now()) * self.base_rps
    }

    /// The part of the demand that this replica makes; 0 while it is not ready.
    pub(crate) fn synthetic_share_rps(&self) -> f64 {
        if self.is_ready() { self.demand_rps() / f64::from(self.ready_replicas()) } else { 0.0 }
    }
}
