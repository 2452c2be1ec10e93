//! Levels of a rate whose requests are those of a scenario: what [`OpenModel`](crate::OpenModel) does for single requests,
//! with users on Goose.
//!
//! Each level is a run of its own: its users start, do what they do on their start, send in the slots of the level's
//! schedule, and stop. Counted are the requests that were due in the hold, by the same rules as in the open-model
//! engine, so the same search, fit and comparison hold for both.

use std::sync::Arc;
use std::time::{Duration, Instant};

use loadgen_baseline::{LevelPlan, LevelProgress, Measurement};

use crate::config::{ConfigError, Load, LoadConfig};
use crate::error::LoadError;
use crate::generator::CpuMark;
use crate::levels::Levels;
use crate::metrics::LoadMetrics;
use crate::recorder::LevelRecorder;
use crate::scenario::Scenario;
use crate::users::run::{lead, reach};
use crate::users::shared::Shared;

/// Most users of all kinds together.
const MOST_USERS: usize = 100_000;

/// How long after the end what was due before it may still be sent. Without it, a slot that was due in the last
/// milliseconds and is a little late, which a level allows for, would be unsent, which it does not.
const GRACE: Duration = Duration::from_millis(250);

/// How often progress is told.
const PROGRESS_PERIOD: Duration = Duration::from_secs(1);

/// Who is loaded by which users.
#[derive(Clone, Debug)]
pub struct ScenarioTarget {
    /// Scheme, host and port, such as `http://127.0.0.1:8000`.
    pub base_url: String,
    /// What the users do.
    pub scenario: Scenario,
    /// Users of each kind, and so requests of that kind in flight at most; 1 to 100,000 for all kinds together.
    pub users_of_a_kind: usize,
    /// How long a request may take, 1 ms to 24 h; also how long one waits for a free user before it is unsent.
    pub timeout: Duration,
}

/// Users who can be asked for one level after the other.
#[derive(Debug)]
pub struct ScenarioModel {
    /// Of a level, but for its plan.
    config: LoadConfig,
    /// Which nobody reads; of all levels.
    metrics: LoadMetrics,
}

impl ScenarioModel {
    /// Checks the target, and that the service answers at all.
    ///
    /// # Errors
    /// [`LoadError`] where a setting cannot be, or the service does not answer.
    pub async fn connect(target: ScenarioTarget) -> Result<Self, LoadError> {
        let kinds = target.scenario.user_types().len();
        let max_users = target.users_of_a_kind.saturating_mul(kinds);
        if !(1..=MOST_USERS).contains(&max_users) {
            return Err(LoadError::Config(ConfigError {
                setting: "connections",
                value: format!("{} for each of {kinds} kinds of users", target.users_of_a_kind),
                expected: "1 to 100000 for all kinds together",
                hint: "64 carry most services to their limit",
            }));
        }
        let config = LoadConfig {
            host: target.base_url,
            load: Load::Rate {
                levels: Levels::steady(1.0),
                arrivals: workload::Arrivals::Poisson,
                max_users,
            },
            scenario: target.scenario,
            timeout: target.timeout,
            ..LoadConfig::default()
        };
        config.validate()?;
        reach(&config).await?;
        // From now on a service that is gone is a finding.
        Ok(Self { config: LoadConfig { must_answer: false, ..config }, metrics: LoadMetrics::default() })
    }

    /// Sends the scenario's requests at the plan's rate for its warm-up and hold, and hands back what the hold brought.
    ///
    /// What users do on their start comes before the warm-up, spread over as long, and is not counted. `progress` is
    /// called about once a second. The level waits for the answers in flight at its end, up to the timeout. After `stop`
    /// it ends within about three seconds; what was measured until then is handed back.
    ///
    /// One level or run at a time in a process; see [`run`](crate::run()) for what Goose does to Ctrl-C.
    ///
    /// # Errors
    /// [`LoadError`] where the plan cannot be, Goose failed, or `stop` came before anything was measured.
    pub async fn run_level(
        &mut self,
        plan: &LevelPlan,
        stop: impl Future<Output = ()>,
        mut progress: impl FnMut(LevelProgress),
    ) -> Result<Measurement, LoadError> {
        plan.validate()?;
        let Load::Rate { max_users, .. } = self.config.load else {
            unreachable!("a scenario's levels are rates, as `connect` made them")
        };
        let config = LoadConfig {
            load: Load::Rate { levels: Levels::steady(plan.rate_rps), arrivals: plan.arrivals, max_users },
            run_time: Some(plan.warm_up + plan.hold + GRACE),
            ramp_up: plan.warm_up,
            seed: plan.seed,
            ..self.config.clone()
        };
        let shared = Arc::new(Shared::of_level(&config, &self.metrics, plan)?);
        let recorder = shared.recorder.level().expect("a level is recorded as one");
        let mut watch = Watch::new(plan);
        lead(&config, &shared, config.timeout, stop, |conductor, now| {
            let in_flight = shared.in_flight.load(std::sync::atomic::Ordering::Relaxed);
            if let Some(told) = watch.look(recorder, in_flight, conductor.is_over(), now) {
                progress(told);
            }
        })
        .await?;
        watch.measurement(recorder).ok_or(LoadError::Stopped)
    }
}

/// Looks at the clock for a level: when the hold begins and ends, and what the generator needed meanwhile.
#[derive(Debug)]
struct Watch {
    plan: LevelPlan,
    cpu_at_begin: Option<CpuMark>,
    cpu_at_progress: Option<CpuMark>,
    next_progress: Duration,
    /// How long the schedule had run when it ended, and the cores that were busy in the hold.
    end: Option<(Duration, Option<f64>)>,
}

impl Watch {
    fn new(plan: &LevelPlan) -> Self {
        let next_progress = PROGRESS_PERIOD;
        Self { plan: *plan, cpu_at_begin: None, cpu_at_progress: None, next_progress, end: None }
    }

    fn look(
        &mut self,
        recorder: &LevelRecorder,
        in_flight: usize,
        is_over: bool,
        now: Instant,
    ) -> Option<LevelProgress> {
        let elapsed = recorder.elapsed(now)?;
        if self.end.is_some() {
            return None;
        }
        if elapsed >= self.plan.warm_up && self.cpu_at_begin.is_none() {
            self.cpu_at_begin = Some(CpuMark::set(elapsed));
        }
        if is_over || elapsed >= self.planned() {
            let cores = self.cpu_at_begin.and_then(|begin| begin.cores_until(elapsed));
            self.end = Some((elapsed.min(self.planned()), cores));
            return None;
        }
        if elapsed < self.next_progress {
            return None;
        }
        self.next_progress = elapsed + PROGRESS_PERIOD;
        let last = self.cpu_at_progress.replace(CpuMark::set(elapsed));
        Some(LevelProgress {
            offered_rps: Some(self.plan.rate_rps),
            warming_up: elapsed < self.plan.warm_up,
            elapsed,
            planned: self.planned(),
            in_flight,
            so_far: recorder.so_far(),
            generator_cpu_cores: last.and_then(|mark| mark.cores_until(elapsed)),
        })
    }

    /// What the hold brought; none where it was stopped before the hold began.
    fn measurement(&self, recorder: &LevelRecorder) -> Option<Measurement> {
        let (end, cores) = self.end?;
        (end > self.plan.warm_up).then(|| recorder.measurement(end, cores))
    }

    fn planned(&self) -> Duration {
        self.plan.warm_up + self.plan.hold
    }
}
