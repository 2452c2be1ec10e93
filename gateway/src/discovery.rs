//! Looks the service's name up each second and tells the fleet its addresses.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use tokio::net::lookup_host;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::{info, warn};

use crate::fleet::Fleet;
use crate::target::{DnsTarget, EndpointUrl};

const LOOK_UP_INTERVAL: Duration = Duration::from_secs(1);

/// A resolver that takes longer is not waited for.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(5);

/// Looks up for as long as it is polled. A failed look-up is counted, and changes nothing else: losing DNS must not
/// take the service down.
pub(crate) async fn run(fleet: Arc<Fleet>, target: DnsTarget, errors: Counter) {
    let mut ticks = interval(LOOK_UP_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last_problem: Option<String> = None;
    loop {
        ticks.tick().await;
        match look_up(&target).await {
            Ok(urls) => {
                if last_problem.take().is_some() {
                    info!(%target, "the service's name is found again");
                }
                fleet.sync_discovered(&urls);
            }
            Err(problem) => {
                errors.inc();
                if last_problem.as_ref() != Some(&problem) {
                    warn!(%target, problem, "the service's name is not found; known endpoints stay");
                    last_problem = Some(problem);
                }
            }
        }
    }
}

async fn look_up(target: &DnsTarget) -> Result<Vec<EndpointUrl>, String> {
    let looking = lookup_host((target.name.as_str(), target.port));
    let found = match timeout(LOOK_UP_TIMEOUT, looking).await {
        Ok(Ok(found)) => one_family(found),
        Ok(Err(error)) => return Err(error.to_string()),
        Err(_) => return Err(format!("no answer within {LOOK_UP_TIMEOUT:?}")),
    };
    if found.is_empty() { Err("the answer holds no address".to_owned()) } else { Ok(found) }
}

/// Where a name has addresses of both families, its replicas would be there twice: the IPv4 ones are taken.
fn one_family(found: impl Iterator<Item = SocketAddr>) -> Vec<EndpointUrl> {
    let (v4, v6): (BTreeSet<SocketAddr>, BTreeSet<SocketAddr>) = found.partition(SocketAddr::is_ipv4);
    let addresses = if v4.is_empty() { v6 } else { v4 };
    addresses.into_iter().map(EndpointUrl::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_with_addresses_of_both_families_is_one_endpoint() {
        let addresses =
            |texts: &[&str]| -> Vec<SocketAddr> { texts.iter().map(|text| text.parse().unwrap()).collect() };
        let both = addresses(&["[::1]:80", "127.0.0.2:80", "127.0.0.1:80", "127.0.0.1:80"]);
        let urls: Vec<String> = one_family(both.into_iter()).iter().map(ToString::to_string).collect();
        assert_eq!(urls, ["http://127.0.0.1:80", "http://127.0.0.2:80"]);
        assert_eq!(one_family(addresses(&["[::1]:80"]).into_iter()).len(), 1);
    }
}
