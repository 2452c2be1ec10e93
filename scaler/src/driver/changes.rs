//! Finds the events between two looks: what a replica, the gateway or the load did that no decision tells of.

use std::collections::{BTreeMap, BTreeSet};

use crate::service_event::ServiceEvent;
use crate::status::{ReplicaState, Status};

/// What the last looks showed.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// By the replica's id; none before the first look.
    replicas: Option<BTreeMap<String, ReplicaState>>,
    faults: BTreeMap<String, Vec<String>>,
    /// Whether the gateway answered; none before it did for the first time.
    gateway_responding: Option<bool>,
    load: Option<Load>,
}

/// The load factor, and whether it is on its way.
#[derive(Clone, Copy, Debug)]
struct Load {
    last: f64,
    /// Its first value after it was steady; none while it is.
    first_of_change: Option<f64>,
}

/// What besides a status belongs to a look.
pub(super) struct LookContext<'a> {
    /// The faults that are on, by the replica's URL.
    pub(super) faults: &'a BTreeMap<String, Vec<String>>,
    /// Replicas whose end was told already.
    pub(super) told: &'a BTreeSet<String>,
    /// Whether an action of the scaler's own may have taken replicas away.
    pub(super) is_acting: bool,
}

impl Changes {
    /// The events since the last look.
    pub(super) fn notice(&mut self, status: &Status, look: &LookContext<'_>) -> Vec<ServiceEvent> {
        let mut events = Vec::new();
        self.notice_gateway(status, &mut events);
        self.notice_replicas(status, look, &mut events);
        self.notice_faults(status, look, &mut events);
        events.extend(status.load_factor.and_then(|factor| self.notice_load(factor)));
        events
    }

    fn notice_gateway(&mut self, status: &Status, events: &mut Vec<ServiceEvent>) {
        let responding = status.gateway.responding;
        match self.gateway_responding {
            Some(true) if !responding => events.push(ServiceEvent::GatewaySilent),
            Some(false) if responding => events.push(ServiceEvent::GatewayBack),
            // A gateway that never answered did not stop to.
            None if !responding => return,
            _ => {}
        }
        self.gateway_responding = Some(responding);
    }

    fn notice_replicas(&mut self, status: &Status, look: &LookContext<'_>, events: &mut Vec<ServiceEvent>) {
        let now: BTreeMap<String, ReplicaState> =
            status.endpoints.iter().map(|one| (one.id.clone(), one.state)).collect();
        let Some(before) = self.replicas.replace(now) else { return };
        let now = self.replicas.as_mut().expect("it was just put there");
        for (id, state) in &before {
            let replica = || id.clone();
            match (now.get(id), is_out(*state)) {
                // An unknown state changes nothing that is known.
                (Some(ReplicaState::Unknown), _) => {
                    now.insert(replica(), *state);
                }
                (Some(ReplicaState::NotResponding), _) if *state != ReplicaState::NotResponding => {
                    events.push(ServiceEvent::ReplicaSilent { replica: replica() });
                }
                (Some(new), false) if is_out(*new) => {
                    events.push(ServiceEvent::ReplicaOut { replica: replica() });
                }
                (Some(ReplicaState::Ready), true) => {
                    events.push(ServiceEvent::ReplicaBack { replica: replica() });
                }
                (None, _)
                    if *state != ReplicaState::Draining && !look.is_acting && !look.told.contains(id) =>
                {
                    events.push(ServiceEvent::ReplicaLost { replica: replica() });
                }
                _ => {}
            }
        }
    }

    fn notice_faults(&mut self, status: &Status, look: &LookContext<'_>, events: &mut Vec<ServiceEvent>) {
        self.faults.retain(|id, _| status.endpoints.iter().any(|one| one.id == *id));
        for one in &status.endpoints {
            let Some(faults) = one.url.as_ref().and_then(|url| look.faults.get(url)) else { continue };
            let before = self.faults.insert(one.id.clone(), faults.clone()).unwrap_or_default();
            if before != *faults {
                let (replica, faults) = (one.id.clone(), faults.clone());
                events.push(ServiceEvent::FaultsChanged { replica, faults });
            }
        }
    }

    /// The first step away from a steady factor is an event, and so is where it comes to rest if that is elsewhere.
    fn notice_load(&mut self, factor: f64) -> Option<ServiceEvent> {
        let load = self.load.get_or_insert(Load { last: factor, first_of_change: None });
        let before = std::mem::replace(&mut load.last, factor);
        let is_same = (factor - before).abs() < 1e-9;
        match (load.first_of_change, is_same) {
            (None, true) | (Some(_), false) => None,
            (None, false) => {
                load.first_of_change = Some(factor);
                Some(ServiceEvent::LoadChanged { from: before, to: factor })
            }
            (Some(first), true) => {
                load.first_of_change = None;
                ((factor - first).abs() > 1e-9).then_some(ServiceEvent::LoadSettled { at: factor })
            }
        }
    }
}

/// Whether a replica that was ready serves nobody.
const fn is_out(state: ReplicaState) -> bool {
    matches!(state, ReplicaState::NotReady | ReplicaState::NotResponding | ReplicaState::Ejected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::{EndpointStatus, GatewayStatus};

    fn replica(id: &str, state: ReplicaState) -> EndpointStatus {
        EndpointStatus {
            id: id.to_owned(),
            url: Some(format!("http://{id}")),
            state,
            in_flight: 0,
            ewma_ms: None,
            pid: None,
            response_time_p95_seconds: None,
            queue_depth: None,
            dependency_wait_seconds: None,
            utilization: None,
            cpu_cores: None,
            memory_bytes: None,
            age_seconds: None,
        }
    }

    fn status(responding: bool, replicas: &[(&str, ReplicaState)]) -> Status {
        Status {
            gateway: GatewayStatus { responding, list_age_seconds: None },
            endpoints: replicas.iter().map(|(id, state)| replica(id, *state)).collect(),
            ..Status::default()
        }
    }

    /// The events in words.
    fn told(changes: &mut Changes, status: &Status) -> Vec<String> {
        told_while(changes, status, false, &[])
    }

    fn told_while(changes: &mut Changes, status: &Status, is_acting: bool, told: &[&str]) -> Vec<String> {
        let told = told.iter().map(|id| (*id).to_owned()).collect();
        let look = LookContext { faults: &BTreeMap::new(), told: &told, is_acting };
        changes.notice(status, &look).iter().map(ToString::to_string).collect()
    }

    use ReplicaState::{Draining, Ejected, NotReady, NotResponding, Ready, Starting, Unknown};

    #[test]
    fn a_replica_that_freezes_and_returns_is_two_events() {
        let mut changes = Changes::default();
        let mut one = |state| told(&mut changes, &status(true, &[("webapp-1", state)]));
        assert!(one(Starting).is_empty() && one(Ready).is_empty(), "a start is a decision's doing");
        assert_eq!(one(NotResponding), ["webapp-1 stopped responding"]);
        assert!(one(NotResponding).is_empty());
        assert!(one(NotReady).is_empty(), "it answers again, and is on its way back");
        assert_eq!(one(Ready), ["webapp-1 is back in rotation"]);
        assert_eq!(one(Ejected), ["webapp-1 left the rotation"]);
        assert_eq!(one(NotResponding), ["webapp-1 stopped responding"]);
    }

    #[test]
    fn a_gateway_that_freezes_says_nothing_about_replicas() {
        let mut changes = Changes::default();
        assert!(told(&mut changes, &status(false, &[])).is_empty(), "it was never there");
        assert!(told(&mut changes, &status(true, &[("webapp-1", Ready)])).is_empty());
        let silent = status(false, &[("webapp-1", Unknown)]);
        let words = "The gateway stopped responding, clients cannot reach the service";
        assert_eq!(told(&mut changes, &silent), [words]);
        assert!(told(&mut changes, &silent).is_empty());
        let back = status(true, &[("webapp-1", Ready)]);
        assert_eq!(told(&mut changes, &back), ["The gateway responds again"]);
    }

    #[test]
    fn a_replica_is_lost_only_if_nothing_else_explains_it() {
        let both = status(true, &[("a", Ready), ("b", Draining)]);
        let none = status(true, &[]);
        for (is_acting, known, expected) in [
            (false, &[][..], &["a is gone, the scaler did not stop it"][..]),
            (true, &[], &[]),
            (false, &["a"], &[]),
        ] {
            let mut changes = Changes::default();
            told(&mut changes, &both);
            assert_eq!(told_while(&mut changes, &none, is_acting, known), expected);
        }
    }

    #[test]
    fn a_jump_of_the_load_is_one_event_and_a_ramp_is_its_beginning_and_its_end() {
        let mut changes = Changes::default();
        let mut events = |factors: &[f64]| -> Vec<String> {
            let look = |factor: &f64| changes.notice_load(*factor).map(|event| event.to_string());
            factors.iter().filter_map(look).collect()
        };
        assert_eq!(events(&[1.0, 1.0, 5.0, 5.0, 5.0]), ["Load ×1 → ×5"]);
        assert_eq!(events(&[4.5, 3.0, 1.5, 1.0, 1.0, 1.0]), ["Load ×5 → ×4.5", "Load steady at ×1"]);
        assert_eq!(events(&[2.0, 3.0, 3.0]), ["Load ×1 → ×2", "Load steady at ×3"]);
    }

    #[test]
    fn faults_are_told_when_they_come_and_when_they_go() {
        let mut changes = Changes::default();
        let status = status(true, &[("webapp-1", Ready)]);
        let mut with = |faults: &[&str]| -> Vec<String> {
            let faults = faults.iter().map(|fault| (*fault).to_owned()).collect();
            let faults = [("http://webapp-1".to_owned(), faults)].into();
            let look = LookContext { faults: &faults, told: &BTreeSet::new(), is_acting: false };
            changes.notice(&status, &look).iter().map(ToString::to_string).collect()
        };
        assert!(with(&[]).is_empty());
        assert_eq!(with(&["latency"]), ["Fault injected into webapp-1: latency"]);
        assert!(with(&["latency"]).is_empty());
        assert_eq!(with(&[]), ["Faults of webapp-1 cleared"]);
    }
}
