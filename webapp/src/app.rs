//! Everything that the routes and background tasks of one replica share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::Notify;
use workload::Streams;

use crate::clock::RunClock;
use crate::config::Role;
use crate::counted_listener::OpenConnections;
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
    /// Told when the fault `crash` is asked for.
    pub(crate) crash: Notify,
    pub(crate) connections: OpenConnections,
}

impl App {
    pub(crate) fn is_ready(&self) -> bool {
        self.serving.load(Ordering::Acquire) && !self.faults.is_unready(self.clock.now())
    }

    /// Ready replicas of the service as of the last pull; at least 1.
    pub(crate) fn ready_replicas(&self) -> u32 {
        let this = u32::from(self.is_ready());
        (self.peers.ready() + this).max(1)
    }

    /// Synthetic demand of the whole service at this moment; requests per second.
    pub(crate) fn demand_rps(&self) -> f64 {
        self.load.factor_at(self.clock.now()) * self.base_rps
    }

    /// The part of the demand that this replica makes; 0 while it is not ready.
    pub(crate) fn synthetic_share_rps(&self) -> f64 {
        if self.is_ready() { self.demand_rps() / f64::from(self.ready_replicas()) } else { 0.0 }
    }

    /// Users at this moment: connections that are open, and a synthetic job as the one user for whom it stands.
    pub(crate) fn active_connections(&self) -> u64 {
        self.connections.count() + self.jobs.synthetic_inside()
    }
}
