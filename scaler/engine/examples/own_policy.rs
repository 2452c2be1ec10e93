//! A policy of one's own: it smooths the queue's depth, remembers the smoothed value, and takes any step.
//!
//! `cargo run -p scaler-engine --example own_policy` plays it against a queue that fills and empties.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use scaler_engine::{
    Cause, Check, Engine, Limits, Metric, Need, Observation, Policy, Proposal, Reason, Scaled, Setting,
    Signal, Situation,
};

/// Weight of the newest value in the smoothed one, 0 to 1.
const WEIGHT: f64 = 0.5;

/// Keeps the smoothed depth of the queue near a target, by as many replicas as it takes.
#[derive(Clone, Debug, PartialEq)]
struct SmoothQueuePolicy {
    limits: Limits,
    /// Jobs waiting for each replica, smoothed; none before the first value.
    smoothed: Option<f64>,
}

/// Jobs that may wait for each replica.
const TARGET: f64 = 4.0;

impl Policy for SmoothQueuePolicy {
    type History = Option<f64>;

    fn kind(&self) -> &'static str {
        "SmoothQueuePolicy"
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn check_interval(&self) -> Duration {
        Duration::from_secs(5)
    }

    fn needs(&self) -> Vec<Need> {
        vec![Need::of_service(Signal::QueueDepth, Duration::from_secs(5))]
    }

    fn propose(&mut self, situation: &Situation<'_>) -> Proposal {
        let need = &self.needs()[0];
        let depth = situation.seen.service_reading(need).and_then(|reading| reading.value);
        let Some(depth) = depth.filter(|depth| depth.is_finite()) else {
            let reason = Reason::MissingData { signal: Metric::from(Signal::QueueDepth) };
            return Proposal::hold(situation, reason, None);
        };
        let smoothed = self.smoothed.map_or(depth, |before| before + WEIGHT * (depth - before));
        self.smoothed = Some(smoothed);
        let wanted = (f64::from(situation.desired) * smoothed / TARGET).ceil();
        // `as` takes what is too large for the type as the largest value, and the engine keeps the limits.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a saturating cast is meant"
        )]
        let to = situation.limits.clamp(wanted as u32);
        Proposal {
            to,
            reason: Reason::other("smoothed_queue", format!("{smoothed:.1} jobs wait, smoothed")),
            limited_by: None,
        }
    }

    fn begin_check(&mut self, check: Check) {
        if check.is_paused {
            self.smoothed = None;
        }
    }

    /// More replicas share the same jobs.
    fn on_scaled(&mut self, action: &Scaled) {
        if action.cause == Cause::Policy && action.to > 0 {
            let share = f64::from(action.from) / f64::from(action.to);
            self.smoothed = self.smoothed.map(|depth| depth * share);
        }
    }

    fn history(&self) -> Option<f64> {
        self.smoothed
    }

    fn restore(&mut self, history: Option<f64>) -> Result<(), Option<f64>> {
        self.smoothed = history;
        Ok(())
    }

    fn settings_shown(&self) -> Vec<Setting> {
        Vec::new()
    }
}

fn main() {
    let limits = Limits::new(1, 10).expect("1 to 10 replicas are valid limits");
    let mut engine = Engine::new(SmoothQueuePolicy { limits, smoothed: None });
    let mut replicas = 1;
    for (check, jobs_waiting) in (1..).zip([0.0, 4.0, 40.0, 40.0, 30.0, 12.0, 4.0, 0.0, 0.0, 0.0]) {
        let now = Duration::from_secs(5 * check);
        let mut seen = Observation::of_replicas(now, replicas);
        seen.window = Duration::from_secs(5);
        seen.report_from_all(Signal::QueueDepth, jobs_waiting / f64::from(replicas));
        let decision = engine.decide(&seen);
        println!("{:>3} s  {jobs_waiting:>4} jobs wait  {decision}", now.as_secs());
        engine.record_scaled(now, decision.from, decision.to, decision.reason.cause());
        replicas = decision.to;
    }
}
