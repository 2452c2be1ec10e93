//! Sends the probes of `/ready` when the balancer says they are due.

use std::sync::Arc;
use std::time::Duration;

use gateway_balancer::EndpointId;
use tokio::time::timeout;

use crate::fleet::Fleet;
use crate::upstream::Upstream;
use crate::upstream::readiness::{self, Readiness};

/// How often idle connections are looked through.
const SWEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Probes for as long as it is polled.
pub(crate) async fn run(fleet: Arc<Fleet>, probe_timeout: Duration) {
    let mut sweep = tokio::time::interval(SWEEP_INTERVAL);
    loop {
        while let Some((id, upstream)) = fleet.begin_probe() {
            tokio::spawn(probe(Arc::clone(&fleet), id, upstream, probe_timeout));
        }
        let next_probe = async {
            match fleet.until_next_probe() {
                Some(wait) => tokio::time::sleep(wait).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = next_probe => {}
            () = fleet.probes_changed() => {}
            _ = sweep.tick() => fleet.sweep_connections(),
        }
    }
}

async fn probe(fleet: Arc<Fleet>, id: EndpointId, upstream: Arc<Upstream>, probe_timeout: Duration) {
    let readiness = timeout(probe_timeout, ask(&upstream)).await.ok().flatten();
    fleet.record_probe(id, &upstream, readiness.as_ref());
}

/// Asks once; returns nothing if there is no answer.
async fn ask(upstream: &Upstream) -> Option<Readiness> {
    // A connection of the pool, so that the first request of a new endpoint finds one open.
    let mut connection = match upstream.check_out() {
        Some(connection) => connection,
        None => upstream.open().await.ok()?,
    };
    let readiness = readiness::ask(&mut connection, &upstream.host).await?;
    if readiness.is_complete && upstream.check_replica(&readiness).is_ok() {
        upstream.check_in(connection);
    }
    Some(readiness)
}
