//! One run: requests one after the other, and between them the events that happen at a time of their own.
//!
//! Up to the next event nothing changes but what requests change. So the kernel takes arrivals in a row, and a replica's
//! future is known when a request is admitted to it (see `workers`). What ends is settled when the replica is next looked
//! at: by a pick, or by the next event.

mod attempts;
mod events;
mod replicas;

use std::time::Duration;

use scaler_engine::{ControlLoop, Engine, Limits, Policy};
use scaler_signals::Wanted;

use crate::arrivals::ArrivalTimes;
use crate::buckets::BucketTable;
use crate::control::{Control, Event};
use crate::measuring::Measuring;
use crate::model::Model;
use crate::observer::Observer;
use crate::random::RunStreams;
use crate::replica::Replica;
use crate::result::{ActionTaken, Run};
use crate::routing::Routing;
use crate::scaling::Scaling;
use crate::tally::{ReplicaMoment, Tally};
use crate::time::{Nanoseconds, SECOND, nanoseconds_of, seconds_of};

/// Length of a step of the tally.
const STEP: Nanoseconds = 5 * SECOND;
const MINUTE: Nanoseconds = 60 * SECOND;

/// Most points of a time line.
const POINTS_MAX: u64 = 5000;

/// Most actions that a result lists; further ones are counted.
const ACTIONS_LISTED_MAX: usize = 10_000;

/// A run in progress.
#[derive(Debug)]
struct World<'a, P: Policy, O> {
    model: &'a Model,
    observer: &'a mut O,
    table: BucketTable,
    end: Nanoseconds,
    attempt_timeout: Nanoseconds,
    arrivals: ArrivalTimes,
    next_arrival: Nanoseconds,
    streams: RunStreams,
    requests: u64,
    /// Every replica that there has been, in the order in which they were first started.
    replicas: Vec<Replica>,
    /// The places of those that are not gone, in that order.
    existing: Vec<u32>,
    /// None where there is one replica for good: then there is nothing to balance.
    routing: Option<Routing>,
    control: Control,
    steering: Steering<P>,
    measuring: Option<Measuring>,
    tally: Tally,
    step_began_at: Nanoseconds,
    point_length: Nanoseconds,
    account: Account,
}

/// What decides, with what it needs to know.
#[derive(Debug)]
enum Steering<P: Policy> {
    Policy(Box<ControlLoop<P>>),
    Plan { counts: Vec<(Duration, u32)>, next: usize, desired: u32 },
}

/// What replicas cost and how their number changed.
#[derive(Debug, Default)]
struct Account {
    counted_until: Nanoseconds,
    replica_seconds: f64,
    /// Busy time of the workers of replicas that are gone.
    busy_seconds: f64,
    scale_ups: u64,
    scale_downs: u64,
    churn: u64,
    actions: Vec<ActionTaken>,
    /// Ready replicas from each time on; seconds.
    ready_changes: Vec<(f64, u32)>,
}

/// Plays one run; none if the observer ended it.
///
/// The same model, scaling and seed give the same run, bit by bit.
pub fn simulate<P: Policy, O: Observer>(
    model: &Model,
    scaling: Scaling<P>,
    seed: u64,
    observer: &mut O,
) -> Option<Run> {
    World::new(model, scaling, seed, observer).run(seed)
}

impl<'a, P: Policy, O: Observer> World<'a, P, O> {
    fn new(model: &'a Model, scaling: Scaling<P>, seed: u64, observer: &'a mut O) -> Self {
        let streams = RunStreams::of_seed(seed);
        let end = nanoseconds_of(model.duration);
        let mut arrivals = ArrivalTimes::new(&model.workload, streams.arrivals.clone(), end);
        let next_arrival = arrivals.next();
        let initial = match &scaling {
            Scaling::Fixed(count) => (*count).min(model.replicas.max),
            Scaling::Plan(counts) => first_count(counts, model.replicas.initial),
            Scaling::Policy(_) => model.replicas.initial,
        };
        let is_alone = initial == 1 && matches!(scaling, Scaling::Fixed(_)) && model.faults.is_empty();
        let (steering, measuring) = steering_of(model, scaling, initial);
        let points = end.div_ceil(POINTS_MAX).div_ceil(STEP).max(1);
        let mut world = Self {
            model,
            observer,
            table: BucketTable::new(),
            end,
            attempt_timeout: nanoseconds_of(model.gateway.attempt_timeout),
            arrivals,
            next_arrival,
            streams,
            requests: 0,
            replicas: Vec::new(),
            existing: Vec::new(),
            routing: (!is_alone).then(Routing::default),
            control: Control::default(),
            steering,
            measuring,
            tally: Tally::new(model.slo),
            step_began_at: 0,
            point_length: points * STEP,
            account: Account::default(),
        };
        world.begin(initial);
        world
    }

    /// The first replicas are ready, and the first events are due.
    fn begin(&mut self, initial: u32) {
        for _ in 0..initial {
            let place = self.add_replica(0);
            self.admit(0, place);
        }
        self.account.ready_changes = vec![(0.0, initial)];
        self.control.add(STEP, Event::Step);
        self.control.add(MINUTE, Event::Minute);
        self.control.add(self.point_length, Event::Point);
        if self.measuring.is_some() {
            self.control.add(0, Event::Scrape);
        }
        self.control.add(0, Event::Check);
        for fault in &self.model.faults {
            self.control.add(nanoseconds_of(fault.at), Event::Fault { place: fault.replica });
        }
    }

    fn run(mut self, seed: u64) -> Option<Run> {
        loop {
            let until = self.control.next_at().min(self.end);
            if self.routing.is_some() {
                self.arrive_until(until);
            } else {
                self.arrive_alone_until(until);
            }
            if self.control.next_at() >= self.end {
                break;
            }
            let (now, event) = self.control.pop()?;
            self.happen(now, event)?;
        }
        self.settle_all(self.end);
        self.account_until(self.end);
        for place in &self.existing {
            let workers = &self.replicas[*place as usize].workers;
            self.account.busy_seconds += seconds_of(workers.busy_time(self.end));
        }
        self.finish_requests();
        Some(self.result(seed))
    }

    /// Lets the requests that are in flight at the end of the run end; they count in its last interval.
    fn finish_requests(&mut self) {
        self.control.keep_what_ends_requests();
        while let Some((now, event)) = self.control.pop() {
            self.settle_all(now);
            if let Event::TimedOut { replica, number, sent_at } = event {
                self.time_out(now, replica, number, sent_at);
            }
        }
        self.settle_all(Nanoseconds::MAX);
        let (end, replicas) = (self.end, self.moment());
        self.tally.end_step(self.step_began_at, end);
        self.tally.end_minute();
        self.tally.end_point(end, replicas);
    }

    fn result(self, seed: u64) -> Run {
        let (totals, timeline) = self.tally.finish();
        let account = self.account;
        Run {
            seed,
            duration_seconds: seconds_of(self.end),
            totals,
            replica_seconds: account.replica_seconds,
            busy_seconds: account.busy_seconds,
            scale_ups: account.scale_ups,
            scale_downs: account.scale_downs,
            churn: account.churn,
            actions: account.actions,
            ready_changes: account.ready_changes,
            timeline,
        }
    }

    fn moment(&self) -> ReplicaMoment {
        let desired = match &self.steering {
            Steering::Policy(control) => control.engine().desired(),
            Steering::Plan { desired, .. } => Some(*desired),
        };
        let (current, ready) = self.counts();
        ReplicaMoment { desired: desired.unwrap_or(current), current, ready }
    }
}

fn first_count(counts: &[(Duration, u32)], otherwise: u32) -> u32 {
    counts.iter().take_while(|(at, _)| at.is_zero()).last().map_or(otherwise, |(_, count)| *count)
}

fn steering_of<P: Policy>(
    model: &Model,
    scaling: Scaling<P>,
    initial: u32,
) -> (Steering<P>, Option<Measuring>) {
    let policy = match scaling {
        Scaling::Policy(policy) => policy,
        Scaling::Fixed(_) => {
            return (Steering::Plan { counts: Vec::new(), next: 0, desired: initial }, None);
        }
        Scaling::Plan(counts) => return (Steering::Plan { counts, next: 0, desired: initial }, None),
    };
    let measuring = Measuring::new(model.signals, Wanted::of(&policy));
    let mut engine = Engine::new(policy);
    let own = engine.limits();
    if own.max() > model.replicas.max {
        let max = model.replicas.max;
        let limits =
            Limits::new(own.min().min(max), max).expect("the maximum of an experiment is at least 1");
        engine.set_limits(limits).expect("a policy's own minimum is one that it can have");
    }
    (Steering::Policy(Box::new(ControlLoop::new(engine, true))), Some(measuring))
}
