//! Walks endpoints through a rotation by hand: admission, draining, return, DNS.

use core::time::Duration;

use gateway_balancer::{BalancerSettings, EndpointId, Outcome, Pick, ProbeAnswer, Rotation, State};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

const ABSENT_ANSWERS_BEFORE_REMOVAL: u32 = BalancerSettings::DEFAULT.discovery.absent_answers_before_removal;
const BACK_OFF_BASE: Duration = BalancerSettings::DEFAULT.ejection.back_off_base;
const CONSECUTIVE_FAILURES_OUT: u32 = BalancerSettings::DEFAULT.ejection.consecutive_failures;
const PROBE_FAILURES_OUT: u32 = BalancerSettings::DEFAULT.probes.failures_out;
const ZERO: Duration = Duration::ZERO;
const FAILED: Outcome = Outcome::Failed { after: ZERO };

fn state(rotation: &Rotation, url: &str) -> Option<State> {
    rotation.endpoints(ZERO).find(|endpoint| endpoint.url == url).map(|endpoint| endpoint.state)
}

fn put_ready(rotation: &mut Rotation, now: Duration, url: &str) -> EndpointId {
    let id = rotation.put(now, url).id;
    assert_eq!(rotation.begin_probe(now), Some(id), "the first probe is due at once");
    assert!(rotation.record_probe(now, id, ProbeAnswer::Ready));
    id
}

fn three_ready() -> (Rotation, [EndpointId; 3]) {
    let mut rotation = Rotation::default();
    let ids = ["a", "b", "c"].map(|url| put_ready(&mut rotation, ZERO, url));
    (rotation, ids)
}

fn picked(rotation: &mut Rotation, now: Duration, exclude: &[EndpointId]) -> Vec<EndpointId> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut ids: Vec<EndpointId> =
        (0..200).filter_map(|_| rotation.pick(now, &mut rng, exclude).endpoint()).collect();
    for &id in &ids {
        rotation.release(id);
    }
    ids.sort();
    ids.dedup();
    ids
}

#[test]
fn an_endpoint_serves_from_its_first_good_probe() {
    let mut rotation = Rotation::default();
    let id = rotation.put(ZERO, "a").id;
    assert_eq!(state(&rotation, "a"), Some(State::Starting));
    assert_eq!(picked(&mut rotation, ZERO, &[]), []);
    assert_eq!(rotation.next_probe_at(), Some(ZERO));
    assert_eq!(rotation.begin_probe(ZERO), Some(id));
    assert_eq!(rotation.begin_probe(ZERO), None, "one probe at a time");
    assert_eq!(rotation.next_probe_at(), None);
    assert!(rotation.record_probe(ZERO, id, ProbeAnswer::Ready));
    assert_eq!(state(&rotation, "a"), Some(State::Ready));
    assert_eq!(picked(&mut rotation, ZERO, &[]), [id]);
    assert!(!rotation.put(ZERO, "a").added, "putting again changes nothing");
    assert_eq!(state(&rotation, "a"), Some(State::Ready));
}

#[test]
fn an_unready_endpoint_waits_for_its_probes_again() {
    let (mut rotation, [a, b, c]) = three_ready();
    let mut now = ZERO;
    for _ in 0..PROBE_FAILURES_OUT {
        now = rotation.next_probe_at().expect("probes are due");
        while let Some(id) = rotation.begin_probe(now) {
            let answer = if id == a { ProbeAnswer::NotReady } else { ProbeAnswer::Ready };
            rotation.record_probe(now, id, answer);
        }
    }
    assert_eq!(state(&rotation, "a"), Some(State::Starting));
    assert_eq!(picked(&mut rotation, now, &[]), [b, c]);
}

#[test]
fn excluded_endpoints_are_not_picked() {
    let (mut rotation, [a, b, c]) = three_ready();
    assert_eq!(picked(&mut rotation, ZERO, &[a]), [b, c]);
    assert_eq!(picked(&mut rotation, ZERO, &[a, c]), [b]);
    assert_eq!(picked(&mut rotation, ZERO, &[a, b, c]), []);
}

#[test]
fn draining_finishes_what_is_in_flight_and_the_address_stays_out() {
    let (mut rotation, [a, b, c]) = three_ready();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    assert_eq!(rotation.pick(ZERO, &mut rng, &[b, c]), Pick::Endpoint(a));
    assert_eq!(rotation.drain(ZERO, "nobody"), None);
    assert_eq!(rotation.drain(ZERO, "a"), Some(a));
    assert_eq!(picked(&mut rotation, ZERO, &[]), [b, c]);
    assert_eq!(rotation.endpoint(ZERO, a).map(|endpoint| endpoint.in_flight), Some(1));
    assert!(rotation.is_drained("a") && !rotation.is_drained("b") && !rotation.is_drained("nobody"));
    assert!(!rotation.release(a), "whoever drains it removes it");
    assert!(rotation.remove(a));
    assert_eq!(state(&rotation, "a"), None);
    assert!(!rotation.record(ZERO, a, FAILED), "a late record does no harm");
    assert!(!rotation.release(a));

    assert_eq!(rotation.sync_discovered(ZERO, &["a"]).added, [], "DNS does not bring it back");
    assert!(rotation.is_drained("a"));
    let put = rotation.put(ZERO, "a");
    assert!(put.added && put.id != a, "it is a new stay");
    assert!(!rotation.is_drained("a"));
}

#[test]
fn a_draining_address_that_is_put_again_starts_anew() {
    let (mut rotation, [a, ..]) = three_ready();
    rotation.drain(ZERO, "a");
    assert_eq!(rotation.put(ZERO, "a").id, a);
    assert_eq!(state(&rotation, "a"), Some(State::Starting));
    assert!(!rotation.remove(a), "whoever waited for its end finds it put again");
    assert_eq!(rotation.begin_probe(ZERO), Some(a));
}

#[test]
fn failures_eject_and_the_back_off_brings_back_on_probation() {
    let (mut rotation, [a, b, c]) = three_ready();
    for failure in 1..=CONSECUTIVE_FAILURES_OUT {
        assert_eq!(rotation.record(ZERO, a, FAILED), failure == CONSECUTIVE_FAILURES_OUT);
    }
    assert_eq!(state(&rotation, "a"), Some(State::Ejected));
    assert_eq!(picked(&mut rotation, BACK_OFF_BASE.mul_f64(0.99), &[]), [b, c]);
    rotation.advance(BACK_OFF_BASE);
    assert_eq!(state(&rotation, "a"), Some(State::Ready));
    assert!(rotation.record(BACK_OFF_BASE, a, FAILED), "one failure suffices on probation");
    rotation.advance(BACK_OFF_BASE.mul_f64(2.99));
    assert_eq!(state(&rotation, "a"), Some(State::Ejected), "the second back-off is twice as long");
    rotation.advance(BACK_OFF_BASE * 3);
    assert_eq!(state(&rotation, "a"), Some(State::Ready));
}

#[test]
fn an_ejected_endpoint_comes_back_early_when_the_others_leave() {
    let (mut rotation, [a, ..]) = three_ready();
    for _ in 0..CONSECUTIVE_FAILURES_OUT {
        rotation.record(ZERO, a, FAILED);
    }
    rotation.drain(ZERO, "b");
    assert_eq!(state(&rotation, "a"), Some(State::Ejected), "one of two may be ejected");
    rotation.drain(ZERO, "c");
    assert_eq!(state(&rotation, "a"), Some(State::Ready), "the last is better than none");
}

#[test]
fn refusals_never_eject() {
    let (mut rotation, [a, ..]) = three_ready();
    for _ in 0..1000 {
        assert!(!rotation.record(ZERO, a, Outcome::Refused));
    }
    assert_eq!(state(&rotation, "a"), Some(State::Ready));
}

#[test]
fn dns_adds_and_after_several_answers_without_it_removes() {
    let mut rotation = Rotation::default();
    assert_eq!(rotation.sync_discovered(ZERO, &["a", "b"]).added.len(), 2);
    rotation.put(ZERO, "put");
    for answer in 1..=ABSENT_ANSWERS_BEFORE_REMOVAL {
        let absent = rotation.sync_discovered(ZERO, &["a"]).absent;
        assert_eq!(absent.is_empty(), answer < ABSENT_ANSWERS_BEFORE_REMOVAL, "answer {answer}");
    }
    assert_eq!(state(&rotation, "b"), None, "with nothing in flight it is forgotten at once");
    assert_eq!(state(&rotation, "put"), Some(State::Starting), "DNS says nothing about it");
    assert_eq!(rotation.sync_discovered(ZERO, &["a", "b"]).added.len(), 1);
}

#[test]
fn an_absent_endpoint_finishes_its_requests_first() {
    let mut rotation = Rotation::default();
    let id = rotation.sync_discovered(ZERO, &["a"]).added[0];
    rotation.begin_probe(ZERO);
    rotation.record_probe(ZERO, id, ProbeAnswer::Ready);
    assert_eq!(rotation.pick(ZERO, &mut ChaCha8Rng::seed_from_u64(1), &[]), Pick::Endpoint(id));
    for _ in 0..ABSENT_ANSWERS_BEFORE_REMOVAL {
        rotation.sync_discovered::<&str>(ZERO, &[]);
    }
    assert_eq!(state(&rotation, "a"), Some(State::Draining));
    assert!(!rotation.is_drained("a"), "nobody asked for it");
    assert!(rotation.release(id), "forgotten with its last request");
    assert_eq!(state(&rotation, "a"), None);
}

#[test]
fn a_drained_address_comes_back_after_an_absence_from_dns() {
    let mut rotation = Rotation::default();
    let id = rotation.sync_discovered(ZERO, &["a"]).added[0];
    rotation.drain(ZERO, "a");
    assert!(rotation.remove(id));
    for _ in 0..10 {
        assert_eq!(rotation.sync_discovered(ZERO, &["a"]).added, [], "still named: stays out");
    }
    for _ in 0..ABSENT_ANSWERS_BEFORE_REMOVAL {
        rotation.sync_discovered(ZERO, &["other"]);
    }
    assert_eq!(rotation.sync_discovered(ZERO, &["a"]).added.len(), 1, "it was gone and is another one now");
}

#[test]
fn a_late_record_does_no_harm_to_the_endpoint_that_has_the_place_of_the_old_one() {
    let mut rotation = Rotation::default();
    let old = put_ready(&mut rotation, ZERO, "a");
    assert_eq!(rotation.pick(ZERO, &mut ChaCha8Rng::seed_from_u64(1), &[]), Pick::Endpoint(old));
    rotation.drain(ZERO, "a");
    assert!(rotation.remove(old));
    let new = put_ready(&mut rotation, ZERO, "b");
    assert!(new > old, "ids have the order in which endpoints were added");
    for _ in 0..CONSECUTIVE_FAILURES_OUT {
        assert!(!rotation.record(ZERO, old, FAILED));
    }
    assert!(!rotation.release(old));
    assert_eq!(rotation.endpoint(ZERO, old), None);
    let view = rotation.endpoint(ZERO, new).expect("it is there");
    assert_eq!((view.answers.failed, view.in_flight, view.state), (0, 0, State::Ready));
}

#[test]
fn a_newcomer_among_many_is_taken_to_be_as_fast_as_they_are() {
    let latency = Duration::from_millis(5);
    for count in [3, 64, 65, 1000] {
        let mut rotation = Rotation::default();
        let ids: Vec<EndpointId> =
            (0..count).map(|number| put_ready(&mut rotation, ZERO, &format!("replica-{number}"))).collect();
        let later = Duration::from_secs(100);
        for &id in &ids {
            // What is known after so long weighs next to nothing.
            rotation.record(later, id, Outcome::Success { latency });
        }
        rotation.put(later, "newcomer");
        let newcomer = loop {
            let id = rotation.begin_probe(later).expect("the newcomer is due");
            if rotation.record_probe(later, id, ProbeAnswer::Ready) {
                break id;
            }
        };
        let assumed = rotation.endpoint(later, newcomer).expect("it is there").ewma_seconds;
        assert!((assumed - 0.005).abs() < 1e-5, "{assumed} s among {count}");
    }
}

#[test]
fn settings_change_the_rules_and_unusable_ones_are_refused() {
    let mut settings = BalancerSettings::DEFAULT;
    settings.ejection.consecutive_failures = 1;
    let mut rotation = Rotation::new(settings).expect("usable");
    let [a, _] = ["a", "b"].map(|url| put_ready(&mut rotation, ZERO, url));
    assert!(rotation.record(ZERO, a, FAILED), "one failure suffices");
    settings.ejection.consecutive_failures = 0;
    let error = Rotation::new(settings).expect_err("at least one failure is needed");
    assert_eq!(error.field, "ejection.consecutive_failures");
}
