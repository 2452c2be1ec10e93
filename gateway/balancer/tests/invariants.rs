//! Any sequence of calls keeps the rotation's invariants, and the same sequence gives the same picks.

use std::time::Duration;

use gateway_balancer::{EndpointId, Outcome, ProbeAnswer, Rotation, State};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

#[derive(Debug, Clone)]
enum Step {
    Put(u8),
    Drain(u8),
    Remove(usize),
    Sync(Vec<u8>),
    Probe { fails: u8 },
    ProbeOther,
    Restart(usize),
    Pick,
    Finish { which: usize, outcome: Outcome },
    Wait(Duration),
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        1 => (0..3000u64).prop_map(|ms| Outcome::Success { latency: Duration::from_millis(ms) }),
        1 => (0..3000u64).prop_map(|ms| Outcome::ClientError { latency: Duration::from_millis(ms) }),
        1 => Just(Outcome::Refused),
        // Failures come most often: they are what the invariants are about.
        3 => Just(Outcome::Failed { after: Duration::ZERO }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0..6u8).prop_map(Step::Put),
        1 => (0..6u8).prop_map(Step::Drain),
        1 => (0..6usize).prop_map(Step::Remove),
        1 => prop::collection::vec(0..8u8, 0..8).prop_map(Step::Sync),
        4 => (0..12u8).prop_map(|fails| Step::Probe { fails }),
        1 => Just(Step::ProbeOther),
        1 => (0..6usize).prop_map(Step::Restart),
        8 => Just(Step::Pick),
        8 => (any::<usize>(), outcome()).prop_map(|(which, outcome)| Step::Finish { which, outcome }),
        2 => (0..9000u64).prop_map(|ms| Step::Wait(Duration::from_millis(ms))),
    ]
}

fn url(number: u8) -> String {
    format!("http://replica-{number}")
}

/// Plays the steps, checks the invariants after each, and returns all picks.
fn play(steps: &[Step], seed: u64) -> Vec<Option<EndpointId>> {
    let mut rotation = Rotation::default();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut now = Duration::ZERO;
    let mut in_flight = Vec::new();
    let mut picks = Vec::new();
    for step in steps {
        match step {
            Step::Put(number) => drop(rotation.put(now, &url(*number))),
            Step::Drain(number) => drop(rotation.drain(now, &url(*number))),
            Step::Remove(which) => {
                let draining: Vec<EndpointId> = rotation
                    .endpoints(now)
                    .filter(|endpoint| endpoint.state == State::Draining)
                    .map(|endpoint| endpoint.id)
                    .collect();
                if let Some(&id) = draining.get(*which) {
                    assert!(rotation.remove(id), "a draining endpoint can be removed");
                }
            }
            Step::Sync(numbers) => {
                let urls: Vec<String> = numbers.iter().map(|&number| url(number)).collect();
                rotation.sync_discovered(now, &urls);
            }
            Step::Probe { fails } => {
                let mut number = 0;
                while let Some(id) = rotation.begin_probe(now) {
                    let answer = if number == *fails { ProbeAnswer::NotReady } else { ProbeAnswer::Ready };
                    rotation.record_probe(now, id, answer);
                    number += 1;
                }
            }
            Step::ProbeOther => {
                if let Some(id) = rotation.begin_probe(now) {
                    rotation.record_probe(now, id, ProbeAnswer::OtherReplica);
                    let state = rotation.endpoint(now, id).map(|endpoint| endpoint.state);
                    assert_ne!(state, Some(State::Ready), "an address that changed hands is out at once");
                }
            }
            Step::Restart(which) => {
                let id = rotation.endpoints(now).nth(*which).map(|endpoint| endpoint.id);
                if let Some(id) = id {
                    rotation.restart(now, id);
                }
            }
            Step::Pick => {
                let picked = rotation.pick(now, &mut rng, &[]).endpoint();
                if let Some(id) = picked {
                    let state = rotation.endpoint(now, id).map(|endpoint| endpoint.state);
                    assert_eq!(state, Some(State::Ready), "only a ready endpoint is picked");
                    in_flight.push(id);
                } else {
                    assert_eq!(rotation.ready_count(), 0, "a ready endpoint is picked if there is one");
                }
                picks.push(picked);
            }
            Step::Finish { which, outcome } => {
                if !in_flight.is_empty() {
                    let id = in_flight.swap_remove(which % in_flight.len());
                    rotation.record(now, id, *outcome);
                    rotation.release(id);
                }
            }
            Step::Wait(time) => now += *time,
        }
        check(&mut rotation, now, &in_flight);
    }
    picks
}

fn check(rotation: &mut Rotation, now: Duration, in_flight: &[EndpointId]) {
    rotation.advance(now);
    let count = |state| rotation.endpoints(now).filter(|endpoint| endpoint.state == state).count();
    let (ready, ejected) = (count(State::Ready), count(State::Ejected));
    assert_eq!(ready, rotation.ready_count());
    assert!(ejected <= ready, "never more than half ejected, nor the last: {ejected} beside {ready} ready");
    for endpoint in rotation.endpoints(now) {
        let held = in_flight.iter().filter(|&&id| id == endpoint.id).count();
        assert_eq!(endpoint.in_flight as usize, held, "{endpoint:?}");
        assert!(endpoint.ewma_seconds.is_finite() && endpoint.ewma_seconds > 0.0, "{endpoint:?}");
    }
    let mut urls: Vec<&str> = rotation.endpoints(now).map(|endpoint| endpoint.url).collect();
    urls.sort_unstable();
    let all = urls.len();
    urls.dedup();
    assert_eq!(urls.len(), all, "an address is there once");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_keeps_the_invariants_and_repeats(
        steps in prop::collection::vec(step(), 1..300),
        seed in any::<u64>(),
    ) {
        prop_assert_eq!(play(&steps, seed), play(&steps, seed));
    }
}
