//! The station step by step, and over random sequences of events.

use std::vec::Vec;

use proptest::prelude::*;

use super::*;

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn station(workers: u32, queue_capacity: usize) -> Station<u32> {
    Station::new(NonZero::new(workers).unwrap(), queue_capacity)
}

fn started(arrival: Arrival<u32>) -> Start<u32> {
    match arrival {
        Arrival::Started(start) => start,
        other => panic!("expected a start, found {other:?}"),
    }
}

#[test]
fn lateness_of_reports_never_adds_up() {
    // One worker, 100 jobs of 50 ms at once; each end is noticed later than it was meant.
    let mut station = station(1, 100);
    let mut running = Some(started(station.arrive(millis(0), 0)));
    for job in 1..100 {
        assert_eq!(station.arrive(millis(0), job), Arrival::Queued);
    }
    let mut finished_at = Duration::ZERO;
    while let Some(start) = running {
        finished_at = start.started_at + millis(50);
        running = station.complete(start.worker, finished_at);
    }
    assert_eq!(finished_at, millis(5000));
}

#[test]
fn an_arrival_before_a_late_report_starts_at_its_arrival() {
    let mut station = station(1, 1);
    let first = started(station.arrive(millis(0), 1));
    // The first was meant to end at 50 ms, the second arrives at 51 ms, the end is noticed at 52 ms.
    assert_eq!(station.arrive(millis(51), 2), Arrival::Queued);
    let second = station.complete(first.worker, millis(50)).unwrap();
    assert_eq!((second.started_at, second.waited()), (millis(51), millis(0)));
}

#[test]
fn an_arrival_before_the_intended_end_of_a_free_worker_starts_at_that_end() {
    let mut station = station(1, 0);
    let first = started(station.arrive(millis(0), 1));
    // The end is reported ahead of its time.
    assert_eq!(station.complete(first.worker, millis(50)), None);
    let second = started(station.arrive(millis(40), 2));
    assert_eq!((second.arrived_at, second.started_at), (millis(40), millis(50)));
}

#[test]
fn the_worker_free_for_the_longest_time_is_next() {
    let mut station = station(3, 0);
    let workers: Vec<WorkerId> = (0..3).map(|job| started(station.arrive(millis(0), job)).worker).collect();
    for (worker, ended_at) in workers.iter().zip([millis(30), millis(10), millis(20)]) {
        assert_eq!(station.complete(*worker, ended_at), None);
    }
    let next: Vec<WorkerId> = (0..3).map(|job| started(station.arrive(millis(100), job)).worker).collect();
    assert_eq!(next, [workers[1], workers[2], workers[0]]);
}

#[test]
fn an_end_before_the_start_counts_as_the_start() {
    let mut station = station(1, 1);
    let first = started(station.arrive(millis(100), 1));
    assert_eq!(station.arrive(millis(100), 2), Arrival::Queued);
    let second = station.complete(first.worker, millis(7)).unwrap();
    assert_eq!(second.started_at, millis(100));
}

#[test]
fn without_places_to_wait_what_finds_all_busy_is_refused() {
    let mut station = station(1, 0);
    assert_eq!(started(station.arrive(millis(0), 1)).job, 1);
    assert_eq!(station.arrive(millis(1), 2), Arrival::Refused(2));
    assert_eq!(station.counts(), Counts { arrived: 2, started: 1, completed: 0, refused: 1 });
}

#[test]
#[should_panic(expected = "worker 0 completes a job, but has none")]
#[cfg(debug_assertions)]
fn completing_twice_is_a_mistake() {
    let mut station = station(1, 0);
    let start = started(station.arrive(millis(0), 1));
    assert_eq!(station.complete(start.worker, millis(1)), None);
    assert_eq!(station.complete(start.worker, millis(2)), None);
}

#[test]
fn busy_seconds_follow_intended_ends() {
    let assert_busy = |station: &mut Station<u32>, now, expected: f64| {
        let found = station.busy_seconds(now);
        assert!((found - expected).abs() < 1e-12, "{found} worker-seconds at {now:?}, expected {expected}");
    };
    let mut station = station(2, 1);
    let first = started(station.arrive(millis(0), 1));
    let second = started(station.arrive(millis(100), 2));
    assert_busy(&mut station, millis(100), 0.1);
    assert_busy(&mut station, millis(200), 0.3);
    // The first was meant to end at 150 ms: the reading at 200 ms ran 50 ms ahead, and now stands still.
    assert_eq!(station.complete(first.worker, millis(150)), None);
    assert_busy(&mut station, millis(210), 0.3);
    // 150 ms of the first and 200 ms of the second.
    assert_busy(&mut station, millis(300), 0.35);
    assert_eq!(station.complete(second.worker, millis(300)), None);
    assert_busy(&mut station, millis(9000), 0.35);
}

/// What a caller may do next.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// A job arrives, so many milliseconds after the last event.
    Arrive(u64),
    /// One of the running jobs ends, so many milliseconds after its start; which one is chosen by the second
    /// number.
    Complete(u64, usize),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        (0..20_u64).prop_map(Event::Arrive),
        (0..100_u64, any::<usize>()).prop_map(|(service, which)| Event::Complete(service, which)),
    ];
    prop::collection::vec(event, 0..300)
}

proptest! {
    #[test]
    fn any_order_of_events_keeps_the_invariants(
        workers in 1..6_u32,
        capacity in 0..8_usize,
        events in events(),
    ) {
        let mut station = station(workers, capacity);
        let mut running: Vec<Start<u32>> = Vec::new();
        let mut begun: Vec<u32> = Vec::new();
        let mut free_since = std::vec![Duration::ZERO; workers as usize];
        let (mut now, mut next_job, mut last_busy_seconds) = (Duration::ZERO, 0, 0.0);
        for event in events {
            let start = match event {
                Event::Arrive(after) => {
                    now += millis(after);
                    next_job += 1;
                    match station.arrive(now, next_job) {
                        Arrival::Started(start) => Some(start),
                        Arrival::Queued => None,
                        Arrival::Refused(job) => {
                            prop_assert_eq!(job, next_job);
                            prop_assert_eq!(station.queue_depth(), capacity);
                            prop_assert_eq!(station.busy_workers(), workers);
                            None
                        }
                    }
                }
                Event::Complete(service, which) if !running.is_empty() => {
                    let ended = running.swap_remove(which % running.len());
                    let ended_at = ended.started_at + millis(service);
                    free_since[ended.worker.index() as usize] = ended_at;
                    station.complete(ended.worker, ended_at)
                }
                Event::Complete(..) => None,
            };
            if let Some(start) = start {
                prop_assert!(start.started_at >= start.arrived_at, "no job starts before it arrived");
                let free_since = free_since[start.worker.index() as usize];
                prop_assert!(start.started_at >= free_since, "a worker does one job at a time");
                prop_assert_eq!(start.started_at, start.arrived_at.max(free_since), "and none idles");
                begun.push(start.job);
                running.push(start);
            }
            let (depth, busy) = (station.queue_depth(), station.busy_workers());
            prop_assert_eq!(busy as usize, running.len());
            prop_assert!(no_job_waits_for_a_free_worker(depth, busy, station.workers()));
            prop_assert!(queue_is_within_capacity(depth, station.queue_capacity()));
            prop_assert!(jobs_are_conserved(station.counts(), depth, busy));
            let busy_seconds = station.busy_seconds(now);
            prop_assert!(busy_seconds >= last_busy_seconds, "busy seconds never fall");
            last_busy_seconds = busy_seconds;
        }
        prop_assert!(begun.is_sorted(), "first come, first served: {begun:?}");
    }
}
