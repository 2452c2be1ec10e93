//! A replica that answers 4xx at once attracts no traffic; clients' own mistakes move none.

use std::time::Duration;

use gateway_balancer::{BalancerSettings, EndpointId, State};

use super::{MINUTE, QUICK, Replica, SERVICE_TIME, Traffic};

const GOOD: Replica = Replica::Serves(SERVICE_TIME);
const BAD: Replica = Replica::Rejects(100);

/// Largest share of one bad replica of three.
const BAD_SHARE_MAX: f64 = 0.40;

fn change(traffic: &mut Traffic, which: usize, to: Replica) {
    let id: EndpointId = *traffic.replicas.keys().nth(which).expect("there are so many replicas");
    traffic.replicas.get_mut(&id).expect("it is there").0 = to;
}

#[test]
fn one_of_three_that_rejects_everything_at_once_attracts_no_traffic() {
    for (rate, seed) in [(1, 20), (5, 21), (20, 22), (200, 23), (1000, 24)] {
        let mut traffic = Traffic::new(&[GOOD, GOOD, BAD], seed);
        traffic.run(rate, MINUTE * if rate == 1 { 10 } else { 1 });
        let bad = traffic.shares()[2];
        let bound = if rate >= 20 { 0.10 } else { BAD_SHARE_MAX };
        assert!(bad <= bound, "at {rate}/s: {:?}", traffic.shares());
        assert_eq!(traffic.rotation.ejections(), 0, "a 4xx ejects nothing");
    }
}

#[test]
fn with_so_few_requests_that_nothing_can_be_concluded_it_gets_no_more_than_its_share() {
    for (gap_seconds, seed) in [(2, 25), (5, 26), (20, 27)] {
        let mut traffic = Traffic::new(&[GOOD, GOOD, BAD], seed);
        traffic.run_every(Duration::from_secs(gap_seconds), MINUTE * 300);
        assert!(traffic.shares()[2] <= BAD_SHARE_MAX, "one each {gap_seconds} s: {:?}", traffic.shares());
    }
}

#[test]
fn one_that_rejects_a_part_gets_no_more_than_its_share() {
    for (percent, seed) in [(20, 28), (50, 29), (80, 30)] {
        let mut traffic = Traffic::new(&[GOOD, GOOD, Replica::Rejects(percent)], seed);
        traffic.run(200, MINUTE);
        assert!(traffic.shares()[2] <= BAD_SHARE_MAX, "{percent} %: {:?}", traffic.shares());
    }
}

#[test]
fn it_attracts_none_where_the_others_are_overloaded_either() {
    let mut traffic = Traffic::new(&[Replica::Queues, Replica::Queues, BAD], 31);
    traffic.run(300, MINUTE);
    assert!(traffic.shares()[2] < 0.10, "{:?}", traffic.shares());
}

#[test]
fn clients_own_mistakes_come_to_all_alike_and_move_nothing() {
    for (percent, seed) in [(1, 32), (10, 33), (30, 34), (50, 35), (90, 36), (100, 37)] {
        let mut traffic = Traffic::new(&[Replica::Rejects(percent); 3], seed);
        traffic.run(200, MINUTE);
        for share in traffic.shares() {
            assert!((share - 1.0 / 3.0).abs() < 0.04, "{percent} %: {:?}", traffic.shares());
        }
    }
}

#[test]
fn a_slow_replica_still_gets_less_where_clients_make_mistakes() {
    // Slow means slow for served requests: the rejected part looks the same everywhere.
    let mut traffic = Traffic::new(&[GOOD, GOOD, GOOD, Replica::Serves(SERVICE_TIME * 5)], 38);
    traffic.run(200, MINUTE);
    let without = traffic.shares()[3];
    let mut traffic = Traffic::new(
        &[Replica::Rejects(5), Replica::Rejects(5), Replica::Rejects(5), Replica::Serves(SERVICE_TIME * 5)],
        38,
    );
    traffic.run(200, MINUTE);
    assert!(traffic.shares()[3] < without + 0.10, "{:?}, without mistakes {without}", traffic.shares());
}

#[test]
fn two_of_three_that_reject_leave_most_to_the_third() {
    for (rate, seed) in [(20, 39), (200, 40)] {
        let mut traffic = Traffic::new(&[BAD, BAD, GOOD], seed);
        traffic.run(rate, MINUTE);
        // A pair of two bad ones is drawn a third of the time, and one of them gets the request.
        assert!(traffic.shares()[2] > 0.55, "at {rate}/s: {:?}", traffic.shares());
    }
}

#[test]
fn all_that_reject_get_equal_shares_and_a_single_one_gets_everything() {
    let mut traffic = Traffic::new(&[BAD; 3], 41);
    traffic.run(200, MINUTE);
    for share in traffic.shares() {
        assert!((share - 1.0 / 3.0).abs() < 0.04, "{:?}", traffic.shares());
    }
    let mut traffic = Traffic::new(&[BAD], 42);
    traffic.run(200, MINUTE);
    assert_eq!(traffic.shares(), [1.0]);
    assert!(traffic.rotation.endpoints(traffic.now).all(|endpoint| endpoint.state == State::Ready));
}

#[test]
fn a_newcomer_that_rejects_attracts_nothing_in_its_slow_start_nor_after_it() {
    let mut traffic = Traffic::new(&[GOOD, GOOD], 43);
    traffic.run(200, Duration::from_secs(20));
    let first = traffic.picks.len();
    traffic.add(BAD);
    traffic.run(200, Duration::from_secs(2));
    assert!(traffic.shares_from(first)[2] < 0.10, "in its slow start: {:?}", traffic.shares_from(first));
    let first = traffic.picks.len();
    traffic.run(200, Duration::from_secs(20));
    assert!(traffic.shares_from(first)[2] < 0.10, "after it: {:?}", traffic.shares_from(first));
}

#[test]
fn a_newcomer_whose_first_request_is_a_clients_mistake_is_given_its_share() {
    let mut traffic = Traffic::new(&[GOOD, GOOD], 44);
    traffic.run(200, Duration::from_secs(20));
    let newcomer = traffic.add(GOOD);
    let mistake = gateway_balancer::Outcome::ClientError { latency: QUICK };
    assert!(!traffic.rotation.record(traffic.now, newcomer, mistake));
    traffic.run(200, Duration::from_secs(5));
    let first = traffic.picks.len();
    traffic.run(200, Duration::from_secs(5));
    let share = traffic.shares_from(first)[2];
    assert!(share > 0.25, "{:?}", traffic.shares_from(first));
}

#[test]
fn one_that_heals_has_its_share_back_within_fifteen_seconds() {
    for (rate, seed) in [(20, 45), (200, 46), (1000, 47)] {
        let mut traffic = Traffic::new(&[GOOD, GOOD, BAD], seed);
        traffic.run(rate, MINUTE);
        change(&mut traffic, 2, GOOD);
        traffic.run(rate, BalancerSettings::DEFAULT.cost.outcome_window + Duration::from_secs(5));
        let first = traffic.picks.len();
        traffic.run(rate, MINUTE / 2);
        let share = traffic.shares_from(first)[2];
        assert!((share - 1.0 / 3.0).abs() < 0.07, "at {rate}/s: {:?}", traffic.shares_from(first));
    }
}

#[test]
fn one_that_falls_ill_loses_its_share_after_few_requests() {
    let mut traffic = Traffic::new(&[GOOD; 3], 48);
    traffic.run(200, MINUTE);
    change(&mut traffic, 2, BAD);
    let first = traffic.picks.len();
    traffic.run(200, Duration::from_secs(10));
    let rejected = traffic.shares_from(first)[2] * (traffic.picks.len() - first) as f64;
    assert!(rejected < 400.0, "{rejected} of 2,000 requests were rejected");
    assert!(rejected >= f64::from(BalancerSettings::DEFAULT.client_errors.answers_min));
}
