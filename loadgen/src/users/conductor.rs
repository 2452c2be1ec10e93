//! Leads a run through its phases: users are started, the load follows its plan, all is over, what is left is given up.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use loadgen_baseline::measurement::rate::per_second;

use crate::config::{Load, LoadConfig, users};
use crate::error_limit::ErrorLimit;
use crate::generator::{self, GeneratorResult};
use crate::levels::Levels;
use crate::recorder::Tally;
use crate::result::progress::Progress;
use crate::result::series::{Moment, SeriesBuilder};
use crate::result::{Ending, LoadResult, errors};
use crate::users::pacer::Pacer;
use crate::users::phase::Phase;
use crate::users::shared::Shared;

/// How often progress is told.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);

/// How long requests may stay unanswered after the end before they are given up: a service that hangs must not keep
/// the run from ending.
pub(crate) const PATIENCE_AT_THE_END: Duration = Duration::from_secs(2);

/// Where the run is.
#[derive(Clone, Copy, Debug)]
enum Stage {
    /// Goose starts the users, none of whom acts.
    Launching,
    /// They are let in one after the other.
    RampUp { since: Instant },
    /// The load follows its plan.
    Steady { since: Instant },
    /// Nobody begins anything.
    Over { since: Option<Instant>, at: Instant },
}

/// Leads a run through its phases.
#[derive(Debug)]
pub(crate) struct Conductor {
    shared: Arc<Shared>,
    stage: Stage,
    levels: Levels,
    scheduled: bool,
    run_time: Duration,
    ramp_up: Duration,
    pool: usize,
    /// How long requests may stay unanswered after the end.
    patience: Duration,
    max_errors: Option<ErrorLimit>,
    ending: Ending,
    descriptors: Option<String>,
    series: SeriesBuilder,
    /// The last stretch of the measured time, from the last progress to the end.
    last_stretch: Option<(Moment, Tally)>,
    told_at: Instant,
    /// When progress is to be told next, so that ticks that come late do not add up.
    next_tell: Instant,
    /// CPU time at the last progress and at the beginning of the window.
    cpu_told: Duration,
    cpu_begun: Duration,
    /// CPU time at the end of the window.
    cpu_ended: Option<Duration>,
}

impl Conductor {
    pub(super) fn new(
        config: &LoadConfig,
        shared: Arc<Shared>,
        descriptors: Option<String>,
        patience: Duration,
    ) -> Self {
        let scheduled = matches!(config.load, Load::Rate { .. });
        // With a schedule nobody acts before his slot, so there is nothing to spread but what is done on the start.
        let ramp_up =
            if scheduled && !shared.scenario.has_on_start() { Duration::ZERO } else { config.ramp_up };
        let cpu = generator::cpu_time();
        let now = Instant::now();
        Self {
            shared,
            stage: Stage::Launching,
            levels: config.load.levels().clone(),
            scheduled,
            run_time: config.run_time(),
            ramp_up,
            pool: config.pool(),
            patience,
            max_errors: config.max_errors,
            ending: Ending::default(),
            descriptors,
            series: SeriesBuilder::new(config.run_time(), scheduled),
            last_stretch: None,
            told_at: now,
            next_tell: now + PROGRESS_EVERY,
            cpu_told: cpu,
            cpu_begun: cpu,
            cpu_ended: None,
        }
    }

    /// Whether nobody begins anything any more.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over { .. })
    }

    /// Ends the run early.
    pub(super) fn stop(&mut self, now: Instant) {
        if !self.is_over() {
            self.ending.interrupted |= self.shared.recorder.stop(now);
            self.end(now);
        }
        self.patience = self.patience.min(PATIENCE_AT_THE_END);
    }

    /// Does what is due now.
    pub(super) fn conduct(&mut self, now: Instant) {
        self.shared.sender.metrics.users(self.acting());
        match self.stage {
            Stage::Launching => {
                if self.shared.launched() >= self.pool {
                    self.stage = Stage::RampUp { since: now };
                    self.conduct(now);
                }
            }
            Stage::RampUp { since } => self.ramp_up(now, since),
            Stage::Steady { since } => {
                let elapsed = now.saturating_duration_since(since);
                if elapsed >= self.run_time {
                    self.end(since + self.run_time);
                } else {
                    self.shared.gates.open(self.wanted_users(elapsed));
                    self.judge_errors(now);
                }
            }
            Stage::Over { at, .. } => {
                if now.saturating_duration_since(at) > self.patience {
                    self.shared.phase.enter(Phase::GivenUp);
                }
            }
        }
    }

    /// How it is going, if that is due.
    pub(super) fn progress(&mut self, now: Instant) -> Option<Progress> {
        if now < self.next_tell || self.is_over() {
            return None;
        }
        let length = now.saturating_duration_since(self.told_at);
        let (tally, _lateness) = self.shared.recorder.take_interval();
        let cpu = self.take_cpu();
        let measured = self.shared.recorder.measured(now);
        if let Stage::Steady { .. } = self.stage {
            self.series.add(self.moment(measured, cpu), &tally);
        }
        self.told_at = now;
        self.next_tell = (self.next_tell + PROGRESS_EVERY).max(now + PROGRESS_EVERY / 2);
        let error_sum = self.shared.recorder.error_sum();
        let times = if self.scheduled { &tally.from_intended } else { &tally.from_sent };
        Some(Progress {
            ramping_up: !matches!(self.stage, Stage::Steady { .. }),
            users: self.acting(),
            scheduled: self.scheduled,
            measured,
            run_time: self.run_time,
            requests_per_second: per_second(tally.requests, length),
            latency: times.latency(),
            requests: error_sum.requests - error_sum.unsent - error_sum.unanswered,
            failures: error_sum.failed,
            refusals: error_sum.refused,
            unsent: error_sum.unsent,
            error_sum,
            errors: errors(&tally),
            cpu_cores: cpu.as_secs_f64() / length.as_secs_f64(),
        })
    }

    /// Counts the slots that were never sent, once Goose has ended.
    pub(super) fn close(&self) {
        if let Stage::Over { since: Some(since), at } = self.stage
            && let Some(pacer) = &self.shared.pacer
        {
            pacer.finish(since, at);
        }
    }

    /// The result, once it is closed.
    pub(super) fn finish(self, config: &LoadConfig, now: Instant) -> LoadResult {
        let shared = Arc::clone(&self.shared);
        shared.sender.metrics.users(0);
        let snapshot = shared.recorder.snapshot(now);
        let pacing = shared.pacer.as_ref().map(Pacer::pacing).unwrap_or_default();
        let cpu_spent = self.cpu_ended.unwrap_or(self.cpu_told).saturating_sub(self.cpu_begun);
        let observed = generator::Observed {
            cpu_cores: cpu_spent.as_secs_f64() / snapshot.measured.as_secs_f64().max(1e-9),
            late_p99: Duration::from_secs_f64(snapshot.lateness.quantile_ms(0.99) / 1000.0),
            actions: snapshot.lateness.count(),
            scheduled: self.scheduled,
            exhausted: shared.sender.exhausted.load(Ordering::Relaxed),
            sent: pacing.sent,
            waited_for_user: pacing.waited_for_user,
            unsent: snapshot.all.unsent,
            users: self.pool,
        };
        let generator = GeneratorResult::new(&observed, self.descriptors);
        let series = self.series.finish(self.last_stretch);
        LoadResult::new(config, &snapshot, self.ending, generator, series)
    }

    fn ramp_up(&mut self, now: Instant, since: Instant) {
        let elapsed = now.saturating_duration_since(since);
        let first = if self.scheduled { self.pool } else { self.wanted_users(Duration::ZERO) };
        if elapsed < self.ramp_up {
            let share = elapsed.as_secs_f64() / self.ramp_up.as_secs_f64();
            // The first one at once, the last one at the end.
            self.shared.gates.open(users((first as f64 * share).ceil()).max(1).min(first));
            return;
        }
        self.shared.gates.open(first);
        self.shared.recorder.begin(now, self.run_time);
        self.shared.phase.enter(Phase::Running(now));
        self.stage = Stage::Steady { since: now };
        self.told_at = now;
        self.next_tell = now + PROGRESS_EVERY;
        self.take_cpu();
        self.cpu_begun = self.cpu_told;
    }

    /// Users who act: those who are let in, or with a schedule, those who wait for an answer.
    fn acting(&self) -> usize {
        match self.stage {
            Stage::Over { .. } => self.shared.in_flight.load(Ordering::Relaxed),
            _ if self.scheduled => self.shared.in_flight.load(Ordering::Relaxed),
            _ => self.shared.gates.count(),
        }
    }

    fn wanted_users(&self, elapsed: Duration) -> usize {
        if self.scheduled { self.pool } else { users(self.levels.level_at(elapsed)) }
    }

    fn judge_errors(&mut self, now: Instant) {
        let Some(limit) = self.max_errors else { return };
        let errors = self.shared.recorder.error_sum();
        if limit.is_exceeded(&errors) {
            self.ending.gave_up = Some(format!("gave up: errors {errors}, more than --max-errors {limit}"));
            self.shared.recorder.stop(now);
            self.end(now);
        }
    }

    fn end(&mut self, at: Instant) {
        let since = match self.stage {
            Stage::Steady { since } => Some(since),
            _ => None,
        };
        // Users who act and requests in flight are looked at before they end.
        let acting = self.acting();
        self.cpu_ended = Some(generator::cpu_time());
        let (tally, _lateness) = self.shared.recorder.take_interval();
        let cpu = self.take_cpu();
        let measured = self.shared.recorder.measured(at);
        self.last_stretch = since.map(|_| (Moment { users: acting, ..self.moment(measured, cpu) }, tally));
        self.stage = Stage::Over { since, at };
        self.shared.phase.enter(Phase::Over);
    }

    /// CPU time since this was last asked for.
    fn take_cpu(&mut self) -> Duration {
        let now = self.cpu_ended.unwrap_or_else(generator::cpu_time);
        let spent = now.saturating_sub(self.cpu_told);
        self.cpu_told = now;
        spent
    }

    fn moment(&self, at: Duration, cpu: Duration) -> Moment {
        Moment { at, wanted: self.levels.level_at(at), users: self.acting(), cpu }
    }
}
