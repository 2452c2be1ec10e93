//! Repairs the gateway's list until it agrees with the replicas that run, whatever order either side missed.
//!
//! A gateway that was frozen, restarted or out of reach has missed orders, and carries some out late. So the two lists
//! are compared at once when it restarts, and regularly otherwise: what is missing is put back, and what was put from
//! here and does not run any more is taken out. What others put is theirs.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::gateway_admin::{Announced, GatewayAdmin, KnownEndpoint, Wanted};
use super::replica_set::ReplicaSet;

/// Time between two comparisons.
const COMPARE_EVERY: Duration = Duration::from_secs(1);

/// What the gateway is to be told.
#[derive(Debug, Default, PartialEq, Eq)]
struct Repair {
    put_back: Vec<Announced>,
    remove: Vec<KnownEndpoint>,
}

impl Repair {
    fn of(known: &[KnownEndpoint], wanted: &Wanted) -> Self {
        let is_known = |replica: &Announced| {
            known.iter().any(|endpoint| {
                endpoint.url == replica.url
                    && (endpoint.is_draining() || endpoint.replica.as_ref() == Some(&replica.id))
            })
        };
        let is_wanted = |endpoint: &KnownEndpoint| {
            wanted
                .running
                .iter()
                .map(|replica| &replica.url)
                .chain(&wanted.changing)
                .any(|url| *url == endpoint.url)
        };
        let is_left_over =
            |endpoint: &&KnownEndpoint| endpoint.is_ours() && !endpoint.is_draining() && !is_wanted(endpoint);
        Self {
            put_back: wanted.running.iter().filter(|replica| !is_known(replica)).cloned().collect(),
            remove: known.iter().filter(is_left_over).cloned().collect(),
        }
    }
}

/// Compares for as long as it is polled; at once when the gateway restarts.
pub(super) async fn run(gateway: GatewayAdmin, replicas: ReplicaSet, mut restarts: watch::Receiver<u64>) {
    let mut ticks = interval(COMPARE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            restarted = restarts.changed() => if restarted.is_err() { return },
        }
        repair(&gateway, &replicas).await;
    }
}

async fn repair(gateway: &GatewayAdmin, replicas: &ReplicaSet) {
    // The gateway's list comes first: a replica that is missing in the later list of those that run has ended.
    let known = match gateway.list().await {
        Ok(known) => known,
        Err(error) => {
            tracing::debug!(%error, "the gateway's list cannot be compared now");
            return;
        }
    };
    let Repair { put_back, remove } = Repair::of(&known, &replicas.wanted());
    for endpoint in remove {
        match gateway.remove(&endpoint.url, endpoint.replica.as_deref()).await {
            Ok(()) => tracing::info!(url = endpoint.url, "the gateway was told again that a replica is gone"),
            Err(error) => tracing::debug!(%error, "the gateway does not answer, trying again later"),
        }
    }
    for replica in put_back {
        // It may have begun to leave since the list was made.
        if !replicas.wanted().running.contains(&replica) {
            continue;
        }
        if let Err(error) = gateway.put_back(&replica).await {
            tracing::debug!(%error, "the gateway does not answer, trying again later");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replica(number: u16) -> Announced {
        Announced {
            id: format!("webapp-{number}"),
            url: format!("http://127.0.0.1:{number}"),
            pid: number.into(),
        }
    }

    fn known(number: u16) -> KnownEndpoint {
        let Announced { id, url, .. } = replica(number);
        KnownEndpoint { url, state: "ready".to_owned(), owner: Some("lab up".to_owned()), replica: Some(id) }
    }

    fn wanted(running: &[u16], changing: &[u16]) -> Wanted {
        Wanted {
            running: running.iter().map(|number| replica(*number)).collect(),
            changing: changing.iter().map(|number| replica(*number).url).collect(),
        }
    }

    #[test]
    fn two_lists_that_agree_need_nothing() {
        assert_eq!(Repair::of(&[known(1), known(2)], &wanted(&[1, 2], &[])), Repair::default());
        assert_eq!(Repair::of(&[], &wanted(&[], &[])), Repair::default());
    }

    #[test]
    fn what_is_missing_is_put_back_and_what_is_gone_is_removed() {
        let repair = Repair::of(&[known(2), known(3), known(4)], &wanted(&[1, 2], &[]));
        assert_eq!(repair, Repair { put_back: vec![replica(1)], remove: vec![known(3), known(4)] });
    }

    #[test]
    fn what_is_about_to_change_is_left_to_its_own_order() {
        assert_eq!(Repair::of(&[known(1)], &wanted(&[], &[1, 2])), Repair::default());
        let draining = KnownEndpoint { state: "draining".to_owned(), ..known(1) };
        assert_eq!(Repair::of(std::slice::from_ref(&draining), &wanted(&[], &[])), Repair::default());
        assert_eq!(Repair::of(&[draining], &wanted(&[1], &[])), Repair::default(), "a user drains it");
    }

    #[test]
    fn what_others_put_is_theirs() {
        let others = KnownEndpoint { owner: Some("shop/webapp".to_owned()), ..known(7) };
        let unowned = KnownEndpoint { owner: None, replica: None, ..known(8) };
        assert_eq!(Repair::of(&[others, unowned], &wanted(&[], &[])), Repair::default());
    }

    #[test]
    fn an_address_that_is_listed_for_another_replica_is_announced_again() {
        let late = KnownEndpoint { replica: Some("webapp-9".to_owned()), ..known(1) };
        assert_eq!(Repair::of(&[late], &wanted(&[1], &[])).put_back, [replica(1)]);
        let unnamed = KnownEndpoint { replica: None, owner: None, ..known(1) };
        assert_eq!(Repair::of(&[unnamed], &wanted(&[1], &[])).put_back, [replica(1)]);
    }
}
