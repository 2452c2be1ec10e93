//! Sends requests when they are due, whatever the service does: an open model, over kept connections.
//!
//! 1. [`OpenModel::connect`] checks a [`Target`] and opens its connections.
//! 2. [`OpenModel::run_level`] sends at the rate of a [`LevelPlan`] and hands back a
//!    [`Measurement`]; as many levels as are wanted, one after the other.
//! 3. [`OpenModel::run_unpaced`] sends as fast as the connections carry.
//!
//! ## What a latency counts from
//! The instants at which requests should start are drawn from the seed. Where all connections are busy a request waits
//! and counts from its intended start, and one that could not be sent until the level was over, or within the
//! timeout, is `unsent` and counts with the time it waited. A service that freezes thus cannot hide it.
//!
//! ## Which request counts where
//! Answers, refusals and failures count when the request ended within the measured time, so rates are exact. What was
//! scheduled, sent and unsent, and all latencies, go by the intended start: each request of the measured time is in
//! them once, also if it ends after it; a level therefore waits for the answers in flight at its end, up to the
//! timeout. A request that timed out is in the latency from the intended start with the time it waited.
//!
//! ```no_run
//! # async fn example() -> Result<(), loadgen::OpenModelError> {
//! use std::time::Duration;
//! use loadgen::{LevelPlan, OpenModel, Target, WeightedRequest};
//! let request = WeightedRequest {
//!     weight: 1, method: http::Method::GET, path: "/".to_owned(), headers: Vec::new(), body: None,
//! };
//! let target = Target {
//!     base_url: "http://127.0.0.1:8000".to_owned(),
//!     requests: vec![request],
//!     connections: 64,
//!     timeout: Duration::from_secs(10),
//! };
//! let plan = LevelPlan {
//!     rate_rps: 50.0,
//!     warm_up: Duration::from_secs(2),
//!     hold: Duration::from_secs(10),
//!     arrivals: workload::Arrivals::Poisson,
//!     seed: 1,
//! };
//! let mut engine = OpenModel::connect(target).await?;
//! let level = engine.run_level(&plan, std::future::pending(), |progress| eprintln!("{progress}")).await?;
//! println!("{} of {} sent", level.sent, level.scheduled);
//! # Ok(())
//! # }
//! ```

mod answer;
mod connection;
mod descriptors;
mod error;
mod lanes;
mod schedule;
mod sender;
mod target;
mod timer;

use std::pin::pin;
use std::time::Duration;

use loadgen_baseline::measurement::plan::validate_times;
use loadgen_baseline::{LevelPlan, LevelProgress, Measurement};
use tokio::sync::{mpsc, oneshot};
use workload::Streams;

use schedule::{Choice, Schedule};
use sender::LevelOrder;

pub use error::OpenModelError;
pub use target::{Target, WeightedRequest};

/// Connections to one target, and the thread that sends over them; both end when this is dropped.
#[derive(Debug)]
pub struct OpenModel {
    orders: mpsc::Sender<LevelOrder>,
    weights: Vec<u32>,
}

impl OpenModel {
    /// Checks the target, raises the process's limit of open files where the connections need it, and opens them.
    ///
    /// Connections that do not come about are tried again before each level and by the requests that need them.
    ///
    /// # Errors
    /// [`OpenModelError`] where a setting cannot be, the limit does not suffice, or not one connection came about.
    pub async fn connect(target: Target) -> Result<Self, OpenModelError> {
        let target = target.check()?;
        descriptors::allow(target.connections)?;
        let weights = target.weights.clone();
        Ok(Self { orders: sender::start(target).await?, weights })
    }

    /// Sends at the plan's rate for its warm-up and hold, and hands back what the hold brought.
    ///
    /// `progress` is called once a second, from the task that awaits this. After `stop` the level ends within about two
    /// seconds; what was measured until then is handed back. Dropping the future ends the level, too.
    ///
    /// # Errors
    /// [`OpenModelError`] where the plan cannot be, or `stop` came before anything was measured.
    pub async fn run_level(
        &mut self,
        plan: &LevelPlan,
        stop: impl Future<Output = ()>,
        progress: impl FnMut(LevelProgress),
    ) -> Result<Measurement, OpenModelError> {
        plan.validate()?;
        let streams = Streams::from_seed(plan.seed);
        let end = plan.warm_up + plan.hold;
        let schedule = Schedule::paced(plan.arrivals, plan.rate_rps, end, &self.weights, streams);
        self.run(Some(plan.rate_rps), plan.warm_up, plan.hold, schedule, stop, progress).await
    }

    /// Sends as much as the connections carry, each its next request as soon as its last is answered: what the engine
    /// and the target can do at most. Each request is due when it is sent, so it says nothing about latency at a rate;
    /// `offered_rps` is what was sent.
    ///
    /// # Errors
    /// As [`OpenModel::run_level`].
    pub async fn run_unpaced(
        &mut self,
        warm_up: Duration,
        hold: Duration,
        seed: u64,
        stop: impl Future<Output = ()>,
        progress: impl FnMut(LevelProgress),
    ) -> Result<Measurement, OpenModelError> {
        validate_times(warm_up, hold)?;
        let choice = Box::new(Choice::new(&self.weights, Streams::from_seed(seed)));
        let schedule = Schedule::Unpaced { choice, end: warm_up + hold };
        self.run(None, warm_up, hold, schedule, stop, progress).await
    }

    async fn run(
        &mut self,
        offered_rps: Option<f64>,
        warm_up: Duration,
        hold: Duration,
        schedule: Schedule,
        stop: impl Future<Output = ()>,
        mut progress: impl FnMut(LevelProgress),
    ) -> Result<Measurement, OpenModelError> {
        let (progress_sender, mut progresses) = mpsc::channel(4);
        let (stop_sender, stop_receiver) = oneshot::channel();
        let (done, mut is_done) = oneshot::channel();
        let order = LevelOrder {
            offered_rps,
            warm_up,
            hold,
            schedule,
            progress: progress_sender,
            stop: stop_receiver,
            done,
        };
        self.orders.send(order).await.map_err(|_| sender::ended_early())?;
        let mut stop = pin!(stop);
        // Dropped with this future, which ends the level.
        let mut stop_sender = Some(stop_sender);
        loop {
            tokio::select! {
                result = &mut is_done => return result.unwrap_or_else(|_| Err(sender::ended_early())),
                Some(told) = progresses.recv() => progress(told),
                () = &mut stop, if stop_sender.is_some() => {
                    let _ = stop_sender.take().map(|sender| sender.send(()));
                }
            }
        }
    }
}
