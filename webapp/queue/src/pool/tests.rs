//! The pool step by step, and over random sequences of events.

use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn pool(size: u32) -> Pool<u32> {
    Pool::new(NonZero::new(size).unwrap())
}

fn granted(asked: Asked<u32>) -> Grant<u32> {
    match asked {
        Asked::Granted(grant) => grant,
        Asked::Waits(ticket) => panic!("expected a connection, found {ticket:?}"),
    }
}

fn ticket(asked: &Asked<u32>) -> Ticket {
    match asked {
        Asked::Waits(ticket) => *ticket,
        Asked::Granted(grant) => panic!("expected a wait, found {grant:?}"),
    }
}

#[test]
fn connections_are_lent_up_to_the_size_and_then_in_the_order_of_asking() {
    let mut pool = pool(2);
    assert_eq!(granted(pool.ask(millis(0), 1)).waited(), millis(0));
    assert_eq!(granted(pool.ask(millis(1), 2)).waited(), millis(0));
    let _third = ticket(&pool.ask(millis(2), 3));
    let _fourth = ticket(&pool.ask(millis(3), 4));
    assert_eq!((pool.in_use(), pool.waiting()), (2, 2));

    let third = pool.give_back(millis(10)).unwrap();
    assert_eq!((third.caller, third.asked_at, third.granted_at), (3, millis(2), millis(10)));
    let fourth = pool.give_back(millis(20)).unwrap();
    assert_eq!((fourth.caller, fourth.waited()), (4, millis(17)));
    assert_eq!((pool.in_use(), pool.waiting()), (2, 0), "a connection that changes hands stays in use");

    assert_eq!(pool.give_back(millis(30)), None);
    assert_eq!(pool.give_back(millis(30)), None);
    assert_eq!(pool.in_use(), 0);
    let counts = pool.counts();
    assert_eq!((counts.waited, counts.longest_wait), (millis(8 + 17), millis(17)));
    assert_eq!((counts.granted, counts.granted_after_wait), (4, 2));
    assert!((counts.mean_wait_seconds() - 0.025 / 4.0).abs() < 1e-12, "{counts:?}");
}

#[test]
fn a_caller_that_leaves_loses_its_place_and_no_connection() {
    let mut pool = pool(1);
    let _first = granted(pool.ask(millis(0), 1));
    let second = ticket(&pool.ask(millis(1), 2));
    let third = ticket(&pool.ask(millis(2), 3));
    assert_eq!(pool.leave(second), Some(2));
    assert_eq!(pool.leave(second), None, "it left twice");
    assert_eq!(pool.give_back(millis(5)).unwrap().caller, 3);
    assert_eq!(pool.leave(third), None, "it has its connection");
    assert_eq!(pool.counts().left, 1);
    assert_eq!((pool.in_use(), pool.waiting()), (1, 0));
}

#[test]
fn a_time_before_the_asking_makes_no_wait_negative() {
    let mut pool = pool(1);
    let _first = granted(pool.ask(millis(50), 1));
    let _second = ticket(&pool.ask(millis(60), 2));
    let second = pool.give_back(millis(40)).unwrap();
    assert_eq!((second.granted_at, second.waited()), (millis(60), millis(0)));
}

#[test]
fn a_pool_that_was_never_asked_has_no_wait() {
    assert!(pool(1).counts().mean_wait_seconds().abs() < f64::EPSILON);
}

#[test]
#[should_panic(expected = "a connection is given back, but none is in use")]
#[cfg(debug_assertions)]
fn giving_back_twice_is_a_mistake() {
    let mut pool = pool(1);
    let _first = granted(pool.ask(millis(0), 1));
    assert_eq!(pool.give_back(millis(1)), None);
    let _mistake = pool.give_back(millis(2));
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Ask,
    GiveBack,
    /// The waiting caller at this place of the queue leaves, counted round and round.
    Leave(usize),
}

fn events() -> impl Strategy<Value = Vec<(u64, Event)>> {
    let event = prop_oneof![
        4 => Just(Event::Ask),
        3 => Just(Event::GiveBack),
        1 => (0_usize..8).prop_map(Event::Leave),
    ];
    prop::collection::vec((0_u64..50, event), 0..200)
}

proptest! {
    /// A list of who holds a connection and a list of who waits say the same as the pool after each event.
    #[test]
    fn the_pool_is_a_bounded_set_and_a_line(size in 1_u32..6, events in events()) {
        let mut pool = pool(size);
        let (mut holding, mut line): (usize, Vec<(u32, Ticket, Duration)>) = (0, vec![]);
        let (mut now, mut waited) = (Duration::ZERO, Duration::ZERO);
        for (caller, (gap, event)) in (0..).zip(events) {
            now += millis(gap);
            match event {
                Event::Ask => match pool.ask(now, caller) {
                    Asked::Granted(grant) => {
                        prop_assert!(holding < size as usize, "{grant:?} is one connection too many");
                        prop_assert_eq!(grant.waited(), Duration::ZERO);
                        holding += 1;
                    }
                    Asked::Waits(ticket) => {
                        prop_assert_eq!(holding, size as usize, "a connection was free");
                        line.push((caller, ticket, now));
                    }
                },
                Event::GiveBack if holding > 0 => {
                    if let Some(grant) = pool.give_back(now) {
                        let (first, _, asked_at) = line.remove(0);
                        let found = (grant.caller, grant.asked_at, grant.granted_at);
                        prop_assert_eq!(found, (first, asked_at, now));
                        waited += grant.waited();
                    } else {
                        prop_assert!(line.is_empty(), "{:?} was passed over", line);
                        holding -= 1;
                    }
                }
                Event::Leave(place) if !line.is_empty() => {
                    let (caller, ticket, _) = line.remove(place % line.len());
                    prop_assert_eq!(pool.leave(ticket), Some(caller));
                }
                Event::GiveBack | Event::Leave(_) => {}
            }
            prop_assert_eq!((pool.in_use() as usize, pool.waiting()), (holding, line.len()));
            prop_assert_eq!(pool.counts().waited, waited);
        }
    }
}
