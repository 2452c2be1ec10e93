//! A service in virtual time that fills in a [`Measurement`] as an engine would: replicas of the webapp's own queue,
//! each request at a random one of them, and, where there is one, a database that all of them share.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::num::NonZero;
use std::time::Duration;

use hdrhistogram::Histogram;
use loadgen_baseline::PlannedLevel;
use loadgen_baseline::{Measurement, MeasurementPart, SIGNIFICANT_DIGITS};
use rand::Rng;
use webapp_queue::{Arrival, Start, Station};
use workload::{Arrivals, ServiceTime, ServiceTimeDistribution, Stream, Streams};

/// Equal parts into which the measured time is cut.
const PARTS: u32 = 20;

/// What the service is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct VirtualService {
    pub(crate) replicas: usize,
    pub(crate) workers: u32,
    pub(crate) queue: usize,
    pub(crate) service_time: Duration,
    pub(crate) distribution: ServiceTimeDistribution,
    pub(crate) service_cv: f64,
    /// Workers and mean service time of the database, during whose work a replica's worker waits.
    pub(crate) database: Option<(u32, Duration)>,
    pub(crate) seed: u64,
}

impl Default for VirtualService {
    /// A replica with the webapp's own defaults, but exponential service, for which there are formulas.
    fn default() -> Self {
        Self {
            replicas: 1,
            workers: 4,
            queue: 100,
            service_time: Duration::from_millis(50),
            distribution: ServiceTimeDistribution::Exponential,
            service_cv: 1.0,
            database: None,
            seed: 1,
        }
    }
}

/// A request on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Job {
    intended: Duration,
    replica: usize,
}

type Running = Start<Job>;

/// What happens next.
#[derive(Debug)]
enum Event {
    /// The replica's own work on a request is done.
    Worked(Running),
    /// The database is done with it; it holds the replica's worker until now.
    Stored { database: Start<usize>, replica: Running },
}

struct Simulation {
    service_time: ServiceTime,
    database_time: Option<ServiceTime>,
    services: Stream,
    routing: Stream,
    replicas: Vec<Station<Job>>,
    database: Option<Station<usize>>,
    /// Requests that wait for the database or are in it, by number.
    at_database: Vec<Option<Running>>,
    events: BinaryHeap<Reverse<(Duration, usize)>>,
    pending: Vec<Option<Event>>,
    free: Vec<usize>,
    record: Record,
}

impl VirtualService {
    /// Runs one level from an idle service.
    pub(crate) fn run(&self, level: &PlannedLevel) -> Measurement {
        let streams = Streams::from_seed(self.seed).derive(&format!("level-{}", level.number));
        let distribution = |mean| {
            ServiceTime::new(self.distribution, mean, self.service_cv)
                .expect("the spread suits the distribution")
        };
        let servers = |workers| NonZero::new(workers).expect("a station has workers");
        let mut simulation = Simulation {
            service_time: distribution(self.service_time),
            database_time: self.database.map(|(_, mean)| distribution(mean)),
            services: streams.stream("service_times"),
            routing: streams.stream("routing"),
            replicas: (0..self.replicas).map(|_| Station::new(servers(self.workers), self.queue)).collect(),
            database: self.database.map(|(workers, _)| Station::new(servers(workers), usize::MAX)),
            at_database: Vec::new(),
            events: BinaryHeap::new(),
            pending: Vec::new(),
            free: Vec::new(),
            record: Record::new(level),
        };
        let mut arrivals = streams.stream("arrivals");
        let end = level.warm_up + level.hold;
        let mut now = Duration::ZERO;
        loop {
            now += Arrivals::Poisson.next_gap(level.rate_rps, &mut arrivals).expect("a rate above 0");
            simulation.run_until(now.min(end));
            if now >= end {
                return simulation.record.into_measurement(level);
            }
            simulation.arrive(now);
        }
    }
}

impl Simulation {
    fn schedule(&mut self, at: Duration, event: Event) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.pending.push(None);
            self.pending.len() - 1
        });
        self.pending[slot] = Some(event);
        self.events.push(Reverse((at, slot)));
    }

    fn arrive(&mut self, now: Duration) {
        self.record.scheduled(now);
        let replica =
            usize::try_from(self.routing.next_u64() % self.replicas.len() as u64).expect("an index");
        match self.replicas[replica].arrive(now, Job { intended: now, replica }) {
            Arrival::Started(start) => self.begin(start),
            Arrival::Queued => {}
            Arrival::Refused(_) => self.record.refused(now),
        }
    }

    fn begin(&mut self, start: Running) {
        let at = start.started_at + self.service_time.draw(&mut self.services);
        self.schedule(at, Event::Worked(start));
    }

    fn run_until(&mut self, until: Duration) {
        while let Some(&Reverse((at, slot))) = self.events.peek() {
            if at > until {
                return;
            }
            self.events.pop();
            self.free.push(slot);
            match self.pending[slot].take().expect("an event is scheduled once") {
                Event::Worked(running) => self.worked(at, running),
                Event::Stored { database, replica } => {
                    let station = self.database.as_mut().expect("there is a database");
                    if let Some(next) = station.complete(database.worker, at) {
                        self.store(next);
                    }
                    self.answer(at, &replica);
                }
            }
        }
    }

    fn worked(&mut self, at: Duration, running: Running) {
        let Some(database) = &mut self.database else { return self.answer(at, &running) };
        self.at_database.push(Some(running));
        let number = self.at_database.len() - 1;
        match database.arrive(at, number) {
            Arrival::Started(start) => self.store(start),
            Arrival::Queued => {}
            Arrival::Refused(_) => unreachable!("its queue has no end"),
        }
    }

    fn store(&mut self, start: Start<usize>) {
        let service_time = self.database_time.as_ref().expect("there is a database");
        let at = start.started_at + service_time.draw(&mut self.services);
        let replica = self.at_database[start.job].take().expect("a request is stored once");
        self.schedule(at, Event::Stored { database: start, replica });
    }

    fn answer(&mut self, at: Duration, running: &Running) {
        self.record.answered(running.job.intended, at);
        if let Some(next) = self.replicas[running.job.replica].complete(running.worker, at) {
            self.begin(next);
        }
    }
}

struct Record {
    from: Duration,
    to: Duration,
    scheduled: u64,
    refused: u64,
    answered: Histogram<u64>,
    parts: Vec<(u64, f64)>,
    /// Of requests in flight, request-seconds within the measured time; those that never ended are few.
    in_flight_seconds: f64,
    unended: BTreeMap<Duration, u32>,
}

impl Record {
    fn new(level: &PlannedLevel) -> Self {
        Self {
            from: level.warm_up,
            to: level.warm_up + level.hold,
            scheduled: 0,
            refused: 0,
            answered: Histogram::new(SIGNIFICANT_DIGITS).expect("three digits"),
            parts: vec![(0, 0.0); PARTS as usize],
            in_flight_seconds: 0.0,
            unended: BTreeMap::new(),
        }
    }

    fn scheduled(&mut self, at: Duration) {
        self.scheduled += u64::from(at >= self.from);
        *self.unended.entry(at).or_default() += 1;
    }

    fn ended(&mut self, intended: Duration) {
        if let Some(count) = self.unended.get_mut(&intended) {
            *count -= 1;
            if *count == 0 {
                self.unended.remove(&intended);
            }
        }
    }

    fn refused(&mut self, at: Duration) {
        self.ended(at);
        self.refused += u64::from(at >= self.from);
    }

    fn answered(&mut self, intended: Duration, at: Duration) {
        self.ended(intended);
        if at < self.from {
            return;
        }
        self.in_flight_seconds += at.saturating_sub(intended.max(self.from)).as_secs_f64();
        let micros = at.saturating_sub(intended).as_secs_f64() * 1e6;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "far below 2^53")]
        self.answered.record(micros as u64).expect("the histogram grows");
        let part = at.saturating_sub(self.from).as_nanos() * u128::from(PARTS)
            / self.to.saturating_sub(self.from).as_nanos();
        let part = &mut self.parts[usize::try_from(part).expect("an index").min(PARTS as usize - 1)];
        part.0 += 1;
        part.1 += micros;
    }

    fn into_measurement(self, level: &PlannedLevel) -> Measurement {
        let in_flight: f64 = self
            .unended
            .iter()
            .map(|(since, count)| {
                f64::from(*count) * self.to.saturating_sub((*since).max(self.from)).as_secs_f64()
            })
            .sum();
        let mut punctual = Histogram::new(SIGNIFICANT_DIGITS).expect("three digits");
        punctual.record_n(0, self.scheduled).expect("0 fits");
        Measurement {
            offered_rps: level.rate_rps,
            measured: level.hold,
            scheduled: self.scheduled,
            sent: self.scheduled,
            unsent: 0,
            unsent_by_generator: 0,
            succeeded: self.answered.len(),
            refused: self.refused,
            failures: BTreeMap::new(),
            ended_late: 0,
            late_errors: 0,
            errors_by_request: BTreeMap::new(),
            repeated: 0,
            from_intended_micros: self.answered.clone(),
            from_sent_micros: self.answered,
            send_lateness_micros: punctual.clone(),
            generator_lateness_micros: punctual,
            mean_in_flight: (self.in_flight_seconds + in_flight) / level.hold.as_secs_f64(),
            mean_refused_in_flight: 0.0,
            parts: self
                .parts
                .iter()
                .map(|(answered, micros)| MeasurementPart {
                    answered: *answered,
                    mean_from_intended_micros: if *answered == 0 { 0.0 } else { micros / *answered as f64 },
                })
                .collect(),
            generator_cpu_cores: None,
        }
    }
}
