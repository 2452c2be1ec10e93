//! Sends traffic in virtual time through a rotation and counts where it goes.

#[path = "traffic/client_errors.rs"]
mod client_errors;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use gateway_balancer::{EndpointId, Outcome, ProbeAnswer, Rotation, State};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// How a replica of the test behaves.
#[derive(Debug, Clone, Copy)]
enum Replica {
    /// Answers after this time.
    Serves(Duration),
    /// Has four workers of 50 ms and a queue of 100, and refuses beyond.
    Queues,
    /// Fails at once.
    Fails,
    /// Refuses at once.
    Refuses,
    /// Fails one request in a hundred, otherwise answers after 50 ms.
    FailsSometimes,
    /// Answers this percentage of all requests with a 4xx after 1 ms, the others after 50 ms.
    Rejects(u64),
}

const SERVICE_TIME: Duration = Duration::from_millis(50);
const WORKERS: usize = 4;

/// Time of an answer that takes no work.
const QUICK: Duration = Duration::from_millis(1);

struct Traffic {
    rotation: Rotation,
    rng: ChaCha8Rng,
    now: Duration,
    replicas: BTreeMap<EndpointId, (Replica, Vec<Duration>)>,
    /// Ends of requests in flight, earliest first.
    ends: BinaryHeap<Reverse<(Duration, u64, EndpointId)>>,
    outcomes: BTreeMap<u64, Outcome>,
    picks: Vec<EndpointId>,
}

impl Traffic {
    fn new(replicas: &[Replica], seed: u64) -> Self {
        let mut traffic = Self {
            rotation: Rotation::default(),
            rng: ChaCha8Rng::seed_from_u64(seed),
            now: Duration::ZERO,
            replicas: BTreeMap::new(),
            ends: BinaryHeap::new(),
            outcomes: BTreeMap::new(),
            picks: Vec::new(),
        };
        for &replica in replicas {
            traffic.add(replica);
        }
        traffic
    }

    fn add(&mut self, replica: Replica) -> EndpointId {
        let url = format!("http://replica-{}", self.replicas.len());
        let id = self.rotation.put(self.now, &url).id;
        while let Some(due) = self.rotation.begin_probe(self.now) {
            self.rotation.record_probe(self.now, due, ProbeAnswer::Ready);
        }
        self.replicas.insert(id, (replica, vec![self.now; WORKERS]));
        id
    }

    /// Sends `rate` requests per second, evenly, for `time`.
    fn run(&mut self, rate: u32, time: Duration) {
        self.run_every(Duration::from_secs(1) / rate, time);
    }

    /// Sends a request each `gap` for `time`.
    fn run_every(&mut self, gap: Duration, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            self.finish_until(self.now);
            let id = self.rotation.pick(self.now, &mut self.rng, &[]).endpoint().expect("some are ready");
            let number = self.picks.len() as u64;
            self.picks.push(id);
            let (end, outcome) = self.serve(id, number);
            self.outcomes.insert(number, outcome);
            self.ends.push(Reverse((end, number, id)));
            self.now += gap;
        }
    }

    fn serve(&mut self, id: EndpointId, number: u64) -> (Duration, Outcome) {
        let now = self.now;
        let in_flight = self.rotation.endpoint(now, id).expect("picked").in_flight as usize;
        let (replica, workers) = self.replicas.get_mut(&id).expect("added");
        let served = |latency| (now + latency, Outcome::Success { latency });
        match *replica {
            Replica::Serves(latency) => served(latency),
            Replica::FailsSometimes if number.is_multiple_of(100) => {
                (now, Outcome::Failed { after: Duration::ZERO })
            }
            // By a hash of the request's number, so that the same requests are rejected wherever they go.
            Replica::Rejects(percent)
                if number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32 < percent * (1 << 32) / 100 =>
            {
                (now + QUICK, Outcome::ClientError { latency: QUICK })
            }
            Replica::FailsSometimes | Replica::Rejects(_) => served(SERVICE_TIME),
            Replica::Fails => (now, Outcome::Failed { after: Duration::ZERO }),
            Replica::Refuses => (now, Outcome::Refused),
            Replica::Queues if in_flight > WORKERS + 100 => (now, Outcome::Refused),
            Replica::Queues => {
                let worker = workers.iter_mut().min().expect("there are workers");
                *worker = (*worker).max(now) + SERVICE_TIME;
                served(worker.saturating_sub(now))
            }
        }
    }

    fn finish_until(&mut self, now: Duration) {
        while let Some(&Reverse((end, number, id))) = self.ends.peek() {
            if end > now {
                break;
            }
            self.ends.pop();
            let outcome = self.outcomes.remove(&number).expect("each request has an outcome");
            self.rotation.record(end, id, outcome);
            self.rotation.release(id);
        }
    }

    /// Shares of the picks from `first` on, in the order of the replicas.
    fn shares_from(&self, first: usize) -> Vec<f64> {
        let picks = &self.picks[first..];
        let share = |id| picks.iter().filter(|&picked| picked == id).count() as f64 / picks.len() as f64;
        self.replicas.keys().map(share).collect()
    }

    fn shares(&self) -> Vec<f64> {
        self.shares_from(0)
    }
}

const MINUTE: Duration = Duration::from_mins(1);

#[test]
fn equal_replicas_get_equal_shares() {
    let mut traffic = Traffic::new(&[Replica::Serves(SERVICE_TIME); 4], 1);
    traffic.run(200, MINUTE);
    for share in traffic.shares() {
        assert!((share - 0.25).abs() < 0.02, "{:?}", traffic.shares());
    }
}

#[test]
fn a_slow_replica_gets_less_and_not_nothing() {
    let fast = Replica::Serves(SERVICE_TIME);
    let mut traffic = Traffic::new(&[fast, fast, fast, Replica::Serves(SERVICE_TIME * 5)], 2);
    traffic.run(200, MINUTE);
    let slow = traffic.shares()[3];
    assert!(slow > 0.005 && slow < 0.15, "{:?}", traffic.shares());
}

#[test]
fn a_replica_that_fails_at_once_attracts_no_traffic() {
    for (rate, seed) in [(20, 3), (200, 4), (1000, 5)] {
        let good = Replica::Serves(SERVICE_TIME);
        let mut traffic = Traffic::new(&[good, good, good, Replica::Fails], seed);
        traffic.run(rate, MINUTE);
        assert!(traffic.shares()[3] < 0.05, "at {rate}/s: {:?}", traffic.shares());
    }
}

#[test]
fn failing_replicas_attract_no_traffic_even_where_they_may_not_be_ejected() {
    let good = Replica::Serves(SERVICE_TIME);
    let mut traffic = Traffic::new(&[good, Replica::Fails, Replica::Fails, Replica::Fails], 6);
    traffic.run(100, MINUTE);
    let ejected = traffic.rotation.endpoints(traffic.now).filter(|endpoint| endpoint.state == State::Ejected);
    assert!(ejected.count() <= 2);
    // The cost of two failing ones is alike, and half of all pairs hold no good one while two are in rotation.
    assert!(traffic.shares()[0] > 0.4, "{:?}", traffic.shares());
}

#[test]
fn a_refusing_replica_attracts_no_traffic_in_calm_and_in_overload() {
    for (replica, rate, seed) in [(Replica::Serves(SERVICE_TIME), 200, 7), (Replica::Queues, 400, 8)] {
        let mut traffic = Traffic::new(&[replica, replica, replica, Replica::Refuses], seed);
        traffic.run(rate, MINUTE);
        assert!(traffic.shares()[3] < 0.05, "{replica:?} at {rate}/s: {:?}", traffic.shares());
    }
}

#[test]
fn a_service_that_is_full_everywhere_still_spreads_evenly() {
    let mut traffic = Traffic::new(&[Replica::Queues; 3], 9);
    traffic.run(400, MINUTE);
    for share in traffic.shares() {
        assert!((share - 1.0 / 3.0).abs() < 0.03, "{:?}", traffic.shares());
    }
}

#[test]
fn a_few_errors_everywhere_do_not_upset_the_balance() {
    let mut traffic = Traffic::new(&[Replica::FailsSometimes; 4], 10);
    traffic.run(200, MINUTE);
    for share in traffic.shares() {
        assert!((share - 0.25).abs() < 0.06, "{:?}", traffic.shares());
    }
    assert_eq!(traffic.rotation.ejections(), 0);
}

#[test]
fn a_newcomer_is_given_its_share_slowly() {
    let mut traffic = Traffic::new(&[Replica::Serves(SERVICE_TIME); 3], 11);
    traffic.run(400, Duration::from_secs(30));
    let first = traffic.picks.len();
    traffic.add(Replica::Serves(SERVICE_TIME));
    traffic.run(400, Duration::from_millis(250));
    let early = traffic.shares_from(first)[3];
    traffic.run(400, Duration::from_secs(10));
    let middle = traffic.picks.len();
    traffic.run(400, Duration::from_secs(30));
    let late = traffic.shares_from(middle)[3];
    assert!(early < 0.10, "a quarter second after its admission: {early}");
    assert!((late - 0.25).abs() < 0.03, "in the end: {late}");
}

#[test]
fn a_newcomer_is_not_starved_in_a_fast_service() {
    let fast = Replica::Serves(Duration::from_millis(1));
    let mut traffic = Traffic::new(&[fast; 2], 12);
    traffic.run(100, Duration::from_secs(30));
    traffic.add(fast);
    traffic.run(100, Duration::from_secs(5));
    let first = traffic.picks.len();
    traffic.run(100, Duration::from_secs(10));
    assert!(traffic.shares_from(first)[2] > 0.2, "{:?}", traffic.shares_from(first));
}

#[test]
fn the_same_seed_gives_the_same_picks_and_another_seed_others() {
    let run = |seed| {
        let mut traffic =
            Traffic::new(&[Replica::Queues, Replica::Fails, Replica::Queues, Replica::Refuses], seed);
        traffic.run(150, MINUTE);
        traffic.picks
    };
    assert_eq!(run(42), run(42));
    assert_ne!(run(42), run(43));
}
