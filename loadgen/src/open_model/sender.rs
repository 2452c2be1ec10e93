//! The thread that sends: keeps the connections, and runs one level after the other by its own clock.
//!
//! It is a thread with a runtime of its own, so that whatever else the process does (drawing a progress bar, fitting a
//! curve, serving a page) delays no request.

use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use loadgen_baseline::measurement::tally::LevelTally;
use loadgen_baseline::{FailureKind, LevelProgress, Measurement};
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{mpsc, oneshot};

use crate::generator::CpuMark;
use crate::open_model::error::OpenModelError;
use crate::open_model::lanes::{Lanes, Level, serving};
use crate::open_model::schedule::Schedule;
use crate::open_model::target::CheckedTarget;
use crate::open_model::timer::Timer;
use crate::stream::{Dialer, NoConnection};

/// How far ahead of the first instant of a level its clock is started, so that no request is late from the start.
const LEAD: Duration = Duration::from_millis(1);

/// The timer is never set shorter than this: requests closer together go out together. Half of it would cost a fifth of
/// a core more at 20,000 requests per second, twice as much would show in latencies.
const FINEST_WAIT: Duration = Duration::from_micros(100);

/// How often requests in flight are looked at for their timeout, at most and at least.
const SHORTEST_SWEEP: Duration = Duration::from_millis(1);
const LONGEST_SWEEP: Duration = Duration::from_millis(50);

/// How often progress is told.
const PROGRESS_PERIOD: Duration = Duration::from_secs(1);

/// How long requests in flight may take once the caller said stop.
const PATIENCE_AFTER_STOP: Duration = Duration::from_secs(2);

/// One level to be run.
#[derive(Debug)]
pub(crate) struct LevelOrder {
    pub(crate) offered_rps: Option<f64>,
    pub(crate) warm_up: Duration,
    pub(crate) hold: Duration,
    pub(crate) schedule: Schedule,
    pub(crate) progress: mpsc::Sender<LevelProgress>,
    /// Ends the level when something comes, or its other half is gone.
    pub(crate) stop: oneshot::Receiver<()>,
    pub(crate) done: oneshot::Sender<Result<Measurement, OpenModelError>>,
}

/// Starts the thread and waits until the connections are open.
pub(crate) async fn start(target: CheckedTarget) -> Result<mpsc::Sender<LevelOrder>, OpenModelError> {
    let (orders, received) = mpsc::channel(1);
    let (ready, is_ready) = oneshot::channel();
    thread::Builder::new()
        .name("open-model".to_owned())
        .spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
            match runtime {
                Ok(runtime) => runtime.block_on(serve(target, received, ready)),
                Err(error) => {
                    // Nobody is there to read it where the caller has gone.
                    let _ = ready.send(Err(OpenModelError::Thread(error.to_string())));
                }
            }
        })
        .map_err(|error| OpenModelError::Thread(error.to_string()))?;
    is_ready.await.unwrap_or_else(|_| Err(ended_early()))?;
    Ok(orders)
}

/// What is said where the thread has ended without a word.
pub(crate) fn ended_early() -> OpenModelError {
    OpenModelError::Thread("it ended early".to_owned())
}

async fn serve(
    target: CheckedTarget,
    mut orders: mpsc::Receiver<LevelOrder>,
    mut ready: oneshot::Sender<Result<(), OpenModelError>>,
) {
    let timeout = target.timeout;
    let opened = tokio::select! {
        opened = open(target) => opened,
        // A host that swallows packets would keep the thread and its connections for as long as opening takes.
        () = ready.closed() => return,
    };
    let (lanes, timer) = match opened {
        Ok(open) => open,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    if ready.send(Ok(())).is_err() {
        return;
    }
    while let Some(mut order) = orders.recv().await {
        tokio::select! {
            () = lanes.open() => {}
            _ = &mut order.stop => {
                let _ = order.done.send(Err(OpenModelError::Stopped { after: Duration::ZERO }));
                continue;
            }
        }
        let (done, running) = Running::begin(&lanes, &timer, timeout, order);
        // The caller may have gone; the level was ended for it.
        let _ = done.send(running.run().await);
    }
}

async fn open(target: CheckedTarget) -> Result<(Rc<Lanes>, Timer), OpenModelError> {
    let timer = Timer::new().map_err(|error| OpenModelError::Thread(error.to_string()))?;
    let base_url = target.service.text.clone();
    let unreachable = |failure: NoConnection| OpenModelError::Unreachable {
        base_url: base_url.clone(),
        kind: failure.kind,
        reason: failure.reason,
    };
    let dialer = Dialer::new(&target.service).map_err(unreachable)?;
    let addresses = dialer.lookup().await.map_err(unreachable)?;
    let lanes = serving::start(target, dialer, addresses);
    lanes.open().await;
    if lanes.connected() == 0 {
        return Err(unreachable(lanes.take_first_failure().unwrap_or(NoConnection {
            kind: FailureKind::NoConnection,
            reason: String::new(),
            exhausted: false,
        })));
    }
    Ok((lanes, timer))
}

/// A level that is being run.
struct Running<'a> {
    lanes: &'a Lanes,
    timer: &'a Timer,
    sweep_period: Duration,
    origin: Instant,
    begin: Duration,
    end: Duration,
    offered_rps: Option<f64>,
    progress: mpsc::Sender<LevelProgress>,
    stop: Option<oneshot::Receiver<()>>,
    /// CPU time when the measured time began.
    cpu_at_begin: Option<CpuMark>,
    /// CPU time when progress was told last.
    cpu_at_progress: CpuMark,
    next_progress: Duration,
    next_sweep: Duration,
}

impl<'a> Running<'a> {
    fn begin(
        lanes: &'a Lanes,
        timer: &'a Timer,
        timeout: Duration,
        order: LevelOrder,
    ) -> (oneshot::Sender<Result<Measurement, OpenModelError>>, Self) {
        let end = order.warm_up + order.hold;
        let origin = Instant::now() + LEAD;
        let tally = LevelTally::new(order.offered_rps.unwrap_or(0.0), order.warm_up, end);
        lanes.begin(Level::new(origin, order.schedule, tally));
        let running = Self {
            lanes,
            timer,
            sweep_period: (timeout / 10).clamp(SHORTEST_SWEEP, LONGEST_SWEEP),
            origin,
            begin: order.warm_up,
            end,
            offered_rps: order.offered_rps,
            progress: order.progress,
            stop: Some(order.stop),
            cpu_at_begin: None,
            cpu_at_progress: CpuMark::set(Duration::ZERO),
            next_progress: PROGRESS_PERIOD,
            next_sweep: Duration::ZERO,
        };
        (order.done, running)
    }

    async fn run(mut self) -> Result<Measurement, OpenModelError> {
        let stopped = self.send_until_the_end().await?;
        let now = self.now();
        let end = if stopped { now.min(self.end) } else { self.end };
        let cores = self.cpu_at_begin.and_then(|begin| begin.cores_until(now));
        self.lanes.with_level(|level| {
            level.tally.end_at(end);
            level.schedule.end_at(end);
            while let Some(slot) = level.schedule.take_due(end) {
                level.unsent(slot, end);
            }
        });
        self.wait_for_answers(if stopped { Some(now + PATIENCE_AFTER_STOP) } else { None }).await?;
        let level = self.lanes.end().ok_or_else(ended_early)?;
        if end <= self.begin {
            return Err(OpenModelError::Stopped { after: end });
        }
        let mut measurement = level.tally.finish(end, cores);
        if self.offered_rps.is_none() {
            measurement.offered_rps = measurement.sent_rps();
        }
        Ok(measurement)
    }

    /// Whether the caller said stop before the end.
    async fn send_until_the_end(&mut self) -> Result<bool, OpenModelError> {
        loop {
            let next_intended = self.lanes.hand_out();
            let now = self.now();
            if now >= self.end {
                return Ok(false);
            }
            self.look_around(now);
            let next = [next_intended, Some(self.next_sweep), Some(self.next_progress), Some(self.end)]
                .into_iter()
                .chain([(now < self.begin).then_some(self.begin)])
                .flatten()
                .min()
                .unwrap_or(self.end);
            if self.wait_until(next).await? {
                return Ok(true);
            }
        }
    }

    /// Lets requests in flight end, until they time out or patience is over; a stop that comes now shortens it, too.
    async fn wait_for_answers(&mut self, mut until: Option<Duration>) -> Result<(), OpenModelError> {
        self.lanes.drain();
        while !self.lanes.are_done() {
            let now = self.now();
            if until.is_some_and(|until| now >= until) {
                self.lanes.give_up_all();
            }
            self.look_around(now);
            if self.wait_until(self.next_sweep).await? {
                until = Some(self.now() + PATIENCE_AFTER_STOP);
            }
        }
        Ok(())
    }

    /// Does what is due besides sending.
    fn look_around(&mut self, now: Duration) {
        if now >= self.begin && self.cpu_at_begin.is_none() {
            self.cpu_at_begin = Some(CpuMark::set(now));
        }
        if now >= self.next_sweep {
            self.lanes.give_up_late();
            self.next_sweep = now + self.sweep_period;
        }
        if now >= self.next_progress {
            self.tell_progress(now);
            self.next_progress += PROGRESS_PERIOD;
        }
    }

    fn tell_progress(&mut self, now: Duration) {
        let Some(so_far) = self.lanes.with_level(|level| level.tally.so_far()) else { return };
        let generator_cpu_cores = self.cpu_at_progress.cores_until(now);
        self.cpu_at_progress = CpuMark::set(now);
        // Whoever does not keep up misses one.
        let _ = self.progress.try_send(LevelProgress {
            offered_rps: self.offered_rps,
            warming_up: now < self.begin,
            elapsed: now,
            planned: self.end,
            in_flight: self.lanes.in_flight(),
            so_far,
            generator_cpu_cores,
        });
    }

    /// Waits until then, or until there is reason to look before; whether the caller said stop.
    async fn wait_until(&mut self, then: Duration) -> Result<bool, OpenModelError> {
        let wait = (self.origin + then).saturating_duration_since(Instant::now()).max(FINEST_WAIT);
        let stop = async {
            match &mut self.stop {
                Some(stop) => drop(stop.await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            waited = self.timer.wait(wait) => {
                waited.map_err(|error| OpenModelError::Thread(error.to_string()))?;
                Ok(false)
            }
            () = self.lanes.changed() => Ok(false),
            () = stop => {
                self.stop = None;
                Ok(true)
            }
        }
    }

    fn now(&self) -> Duration {
        self.origin.elapsed()
    }
}
