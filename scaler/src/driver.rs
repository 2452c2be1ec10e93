//! Runs the loop: takes each look, asks the engine when a check is due, acts, and records all three.
//!
//! One task owns the engine, so there are no locks and no order to get wrong. Looking and acting happen in other
//! tasks: neither a slow scrape nor an action in flight holds up the API. A check that falls due while an action is in
//! flight waits for its end, and a look that began before it is not judged: it would show a count of the past.

mod changes;
pub(crate) mod command;
mod problems;
mod reload;
#[cfg(test)]
mod reload_tests;
mod restarts;
#[cfg(test)]
pub(crate) mod rig;
mod spans;
mod statistics;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use observability::traces::Span;
use scaler_engine::{ControlLoop, Decision, Limits, LimitsError, Observation, Policy as _, Slo};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use self::changes::{Changes, LookContext};
use self::command::{ByHandOutcome, Command, CommandError};
use self::restarts::Restarts;
use self::statistics::Statistics;
use crate::actuators::{Actuator, ScaleReport};
use crate::clock::Clock;
use crate::policy_file::NamedPolicy;
use crate::published::Published;
use crate::service_event::{News, ServiceEvent};
use crate::sighting::Sighting;
use crate::sources::Wanted;
use crate::state_file::StateFile;
use crate::status::{
    DecisionStatus, EndpointStatus, GatewayStatus, PolicyStatus, ReadingState, ReplicaCounts, ReplicaStates,
    Status,
};

/// Time between two lines of statistics, and between two saves of an unchanged state.
const STATISTICS_EVERY: Duration = Duration::from_mins(1);

/// Longest wait for an action in flight at the end; replicas stay as they are then.
const STOP_WAIT: Duration = Duration::from_secs(2);

/// What a driver is made of.
pub(crate) struct DriverParts {
    pub(crate) service: String,
    pub(crate) policy: NamedPolicy,
    pub(crate) source_name: &'static str,
    pub(crate) actuator_name: &'static str,
    pub(crate) control: ControlLoop,
    pub(crate) actuator: Arc<dyn Actuator>,
    pub(crate) state_file: Option<StateFile>,
    pub(crate) clock: Clock,
    pub(crate) published: Arc<Published>,
    /// Time between two looks.
    pub(crate) looks_each: Duration,
    /// Tells the source what the policy in force wants measured.
    pub(crate) wanted: watch::Sender<Wanted>,
}

/// The loop's own state.
pub(crate) struct Driver {
    parts: DriverParts,
    statistics: Statistics,
    restarts: Restarts,
    replica_states: ReplicaStates,
    changes: Changes,
    seen: Option<Arc<Sighting>>,
    last_decision: Option<DecisionStatus>,
    action: Option<InFlight>,
    action_problem: Option<String>,
    /// Why the policy's file is not followed as it is.
    policy_problem: Option<String>,
    /// Looks that began before this moment (run time) were made for another policy.
    policy_from: Duration,
    problems: Vec<String>,
}

/// The action that carries out the decision that the control loop has in flight.
struct InFlight {
    /// The decision's span, which ends with the action.
    span: Option<Span>,
    task: JoinHandle<ScaleReport>,
    answer: Option<oneshot::Sender<Result<ByHandOutcome, CommandError>>>,
}

impl Driver {
    pub(crate) fn new(parts: DriverParts) -> Self {
        let mut driver = Self {
            parts,
            statistics: Statistics::default(),
            restarts: Restarts::default(),
            replica_states: ReplicaStates::default(),
            changes: Changes::default(),
            seen: None,
            last_decision: None,
            action: None,
            action_problem: None,
            policy_problem: None,
            policy_from: Duration::ZERO,
            problems: Vec::new(),
        };
        // Whoever asks before the first look learns at least the policy and its limits.
        driver.publish();
        driver
    }

    /// Runs until it is stopped.
    pub(crate) async fn run(
        mut self,
        mut sightings: watch::Receiver<Option<Arc<Sighting>>>,
        mut commands: mpsc::Receiver<Command>,
        stop: CancellationToken,
    ) {
        let first = tokio::time::Instant::now() + STATISTICS_EVERY;
        let mut minutes = interval_at(first, STATISTICS_EVERY);
        minutes.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                report = finished(&mut self.action) => self.on_action_done(report),
                Some(command) = commands.recv() => self.on_command(command),
                Ok(()) = sightings.changed() => {
                    let seen = sightings.borrow_and_update().clone();
                    if let Some(seen) = seen {
                        self.on_sighting(&seen);
                    }
                }
                _ = minutes.tick() => {
                    info!("{}", self.statistics.take());
                    self.save();
                }
            }
        }
        self.finish().await;
    }

    fn on_sighting(&mut self, seen: &Arc<Sighting>) {
        self.parts.published.metrics.count_scrapes(seen.sample.scrapes);
        // Of a service that may have no replica and has none, there is nothing to scrape.
        let is_at_zero = self.parts.control.engine().limits().min() == 0
            && seen.listed.as_ref().is_ok_and(|listing| listing.count() == Some(0));
        let is_seen = is_at_zero || seen.sample.scrapes.ok > 0;
        self.parts.published.has_scraped.fetch_or(is_seen, Ordering::Relaxed);
        for replica in self.restarts.notice(seen) {
            self.record_event(ServiceEvent::ReplicaRestarted { replica });
        }
        self.replica_states.notice(seen);
        let told = self.record_news(&seen.news);
        self.seen = Some(seen.clone());
        self.check_if_due();
        let status = self.publish();
        let is_acting = !self.parts.control.shows_the_present(seen.began_at);
        let look = LookContext { faults: &seen.sample.faults, told: &told, is_acting };
        for event in self.changes.notice(&status, &look) {
            self.record_event(event);
        }
        let now = self.parts.clock.now();
        self.statistics.see(now, status.replicas.current);
        self.parts.published.record(status);
    }

    /// Records what the platform reported and was not recorded yet; returns the replicas of which it told the end.
    fn record_news(&self, news: &[News]) -> BTreeSet<String> {
        let (published, now) = (&self.parts.published, self.parts.clock.now());
        let mut ended = BTreeSet::new();
        for News { number, age_seconds, event } in news {
            if let ServiceEvent::ReplicaDied { replica, .. } = event {
                ended.insert(replica.clone());
            }
            if published.history(|history| history.take_news(*number)) {
                let age = Duration::try_from_secs_f64(*age_seconds).unwrap_or_default();
                published.record_event(now.saturating_sub(age), event.clone());
            }
        }
        ended
    }

    fn record_event(&self, event: ServiceEvent) {
        self.parts.published.record_event(self.parts.clock.now(), event);
    }

    fn check_if_due(&mut self) {
        let now = self.parts.clock.now();
        let Some(seen) = self.seen.clone() else { return };
        if seen.began_at < self.policy_from {
            return;
        }
        let Some(at) = self.parts.control.check_due(now, seen.began_at) else { return };
        // What is not known cannot be counted: the check stays due, and the next look tries again.
        let Some(observation) = seen.observation(at, self.parts.control.engine().desired()) else { return };
        self.statistics.count_check();
        let decision = self.parts.control.check(&observation);
        let span = self.record_decision(&decision);
        if self.parts.control.is_to_act(&decision) {
            self.act(decision, span, None);
        } else if let Some(span) = span {
            spans::end_decision(&span, Ok(()));
        }
    }

    /// Tells everybody of a decision; returns its span.
    fn record_decision(&mut self, decision: &Decision) -> Option<Span> {
        let span = spans::begin_decision(decision);
        // The line below carries the trace's id.
        let _entered = span.as_ref().map(Span::enter);
        info!(
            action = decision.action.name(),
            from = decision.from,
            to = decision.to,
            reason = decision.reason.code(),
            limited_by = decision.limited_by.map(scaler_engine::Limit::name),
            "{decision}"
        );
        let published = &self.parts.published;
        published.metrics.count_decision(decision);
        self.statistics.count(decision);
        let status = DecisionStatus::from(decision);
        self.last_decision = Some(status.clone());
        published.record_decision(status);
        span
    }

    fn act(
        &mut self,
        decision: Decision,
        span: Option<Span>,
        answer: Option<oneshot::Sender<Result<ByHandOutcome, CommandError>>>,
    ) {
        let (actuator, asked) = (self.parts.actuator.clone(), decision.to);
        let name = self.parts.actuator_name;
        let action = span.as_ref().and_then(|span| spans::begin_action(span, name, asked));
        let task = tokio::spawn(async move {
            let Some(action) = action else { return actuator.scale_to(asked).await };
            let report = action.scope(actuator.scale_to(asked)).await;
            spans::end_action(&action, &report);
            report
        });
        self.parts.control.begin_action(decision);
        self.action = Some(InFlight { span, task, answer });
        self.save();
    }

    fn on_action_done(&mut self, report: Result<ScaleReport, String>) {
        let Some(InFlight { span, answer, .. }) = self.action.take() else { return };
        let _entered = span.as_ref().map(Span::enter);
        let reached = report.as_ref().ok().map(ScaleReport::outcome);
        let Some(decision) = self.parts.control.end_action(self.parts.clock.now(), reached.as_ref()) else {
            return;
        };
        let outcome = match report {
            Ok(report) => {
                self.parts.published.metrics.count_action(&report);
                tell_report(&decision, &report);
                report
                    .problem
                    .as_ref()
                    .map_or(Ok(report.after.unwrap_or(report.asked)), |problem| Err(problem.to_string()))
            }
            Err(problem) => Err(problem),
        };
        if let Some(span) = &span {
            spans::end_decision(span, outcome.as_ref().map(|_| ()).map_err(|_| "actuator"));
        }
        self.action_problem = outcome.as_ref().err().map(|problem| {
            self.statistics.count_failure();
            warn!(
                from = decision.from,
                to = decision.to,
                "scaling failed, the next check tries again: {problem}"
            );
            format!("the last action failed: {problem}")
        });
        self.save();
        self.publish();
        if let Some(answer) = answer {
            let decision = DecisionStatus::from(&decision);
            let outcome =
                outcome.map(|reached| ByHandOutcome { decision, reached }).map_err(CommandError::Failed);
            drop(answer.send(outcome));
        }
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::SetReplicas { asked, answer } => self.set_by_hand(asked, answer),
            Command::SetLimits { limits, answer } => {
                drop(answer.send(self.set_limits(limits)));
            }
            Command::SetPolicy { outcome, is_asked } => self.set_policy(outcome, is_asked),
            Command::Pause { pause, answer } => {
                let engine = self.parts.control.engine_mut();
                let was_paused = engine.is_paused();
                if pause {
                    engine.pause();
                } else {
                    engine.resume();
                }
                if pause != was_paused {
                    self.record_event(if pause { ServiceEvent::Paused } else { ServiceEvent::Resumed });
                }
                self.save();
                drop(answer.send(self.publish()));
            }
        }
    }

    fn set_limits(&mut self, limits: Limits) -> Result<Arc<Status>, LimitsError> {
        self.parts.control.engine_mut().set_limits(limits)?;
        self.record_event(ServiceEvent::LimitsSet { min: limits.min(), max: limits.max() });
        self.save();
        Ok(self.publish())
    }

    fn set_by_hand(&mut self, asked: u32, answer: oneshot::Sender<Result<ByHandOutcome, CommandError>>) {
        match self.decide_by_hand(asked) {
            Ok(decision) => {
                self.record_event(ServiceEvent::ReplicasSet { asked });
                let span = self.record_decision(&decision);
                self.act(decision, span, Some(answer));
                self.publish();
            }
            Err(error) => drop(answer.send(Err(error))),
        }
    }

    fn decide_by_hand(&self, asked: u32) -> Result<Decision, CommandError> {
        if !self.parts.actuator.acts() {
            return Err(CommandError::ObservesOnly);
        }
        if self.action.is_some() {
            return Err(CommandError::Busy);
        }
        let seen = self.observe(self.parts.clock.now()).ok_or(CommandError::CountUnknown)?;
        self.parts.control.by_hand(&seen, asked).map_err(CommandError::OutOfLimits)
    }

    /// The last look, with the count of an action that has ended since.
    fn observe(&self, at: Duration) -> Option<Observation> {
        let (seen, control) = (self.seen.as_ref()?, &self.parts.control);
        let observation = seen.observation(at, control.engine().desired())?;
        Some(control.up_to_date(observation, seen.began_at))
    }

    /// Puts the present state together and hands it to everybody.
    fn publish(&mut self) -> Arc<Status> {
        let (parts, now) = (&self.parts, self.parts.clock.now());
        let engine = parts.control.engine();
        let limits = engine.limits();
        let seen = self.seen.as_deref();
        let observation = self.observe(now);
        let before = parts.published.status.borrow().replicas;
        let current = observation.as_ref().map_or(before.current, |seen| seen.current);
        let listed = observation.as_ref().map(|seen| seen.ready);
        let ready =
            listed.filter(|_| observation.as_ref().is_some_and(|seen| seen.rotation_unknown_for.is_none()));
        let desired = match parts.control.in_flight() {
            Some(decision) => decision.to,
            None => engine.desired().unwrap_or(current),
        };
        let sample = seen.map(|seen| &seen.sample);
        let endpoints =
            seen.map(|seen| EndpointStatus::all(seen, &self.replica_states, now)).unwrap_or_default();
        let refused = [&self.action_problem, &self.policy_problem].into_iter().flatten();
        let problems = problems::of(seen, &endpoints, refused);
        let status = Arc::new(Status {
            at: Duration::from_millis(u64::try_from(now.as_millis()).unwrap_or(u64::MAX)),
            service: parts.service.clone(),
            replicas: ReplicaCounts { current, ready, desired, min: limits.min(), max: limits.max() },
            policy: PolicyStatus::new(&parts.policy, engine.policy(), limits, listed.unwrap_or_default()),
            signals: sample
                .map(|sample| {
                    sample.service.iter().map(|(signal, reading)| (*signal, (*reading).into())).collect()
                })
                .unwrap_or_default(),
            last_decision: self.last_decision.clone(),
            paused: engine.is_paused(),
            acting: self.action.is_some(),
            load_factor: sample.and_then(|sample| sample.load_factor),
            endpoints,
            reading: sample.map(ReadingState::of).unwrap_or_default(),
            gateway: sample.map(GatewayStatus::of).unwrap_or_default(),
            spacing_seconds: sample.map_or(0.0, |sample| sample.spacing.as_secs_f64()),
            window_seconds: parts.policy.policy.window().as_secs_f64(),
            slo: Slo::DEFAULT,
            source: parts.source_name,
            actuator: parts.actuator_name,
            problems: problems.clone(),
            uptime_seconds: parts.clock.uptime().as_secs_f64(),
        });
        parts.published.metrics.show(&status);
        parts.published.status.send_replace(status.clone());
        self.tell_problems(problems);
        status
    }

    /// Logs problems when they come and when they are over, not each second.
    fn tell_problems(&mut self, problems: Vec<String>) {
        if self.problems.is_empty() != problems.is_empty() {
            if let Some(first) = problems.first() {
                warn!(problems = problems.len(), "the service is not fully seen: {first}");
            } else {
                info!("the service is fully seen again");
            }
        }
        self.problems = problems;
    }

    fn save(&self) {
        if let Some(file) = &self.parts.state_file
            && let Err(error) = file.save(&self.parts.control.state())
        {
            error!("{error}");
        }
    }

    async fn finish(&mut self) {
        if self.action.is_some() {
            match tokio::time::timeout(STOP_WAIT, finished(&mut self.action)).await {
                Ok(report) => self.on_action_done(report),
                Err(_) => {
                    warn!(
                        "stopped while an action was in flight; the next start finishes what is left of it"
                    );
                }
            }
        }
        info!("{}", self.statistics.take());
        self.save();
    }
}

/// Says in the log what an action brought about.
fn tell_report(decision: &Decision, report: &ScaleReport) {
    let did = report.did.join(", ");
    match report.after {
        Some(after) if report.succeeded() => info!(
            from = decision.from,
            to = after,
            took_seconds = report.took.as_secs_f64(),
            "Successfully scaled {} -> {after} in {:?}{}{did}",
            decision.from,
            report.took,
            if did.is_empty() { "" } else { ": " }
        ),
        _ if !did.is_empty() => info!("of what was asked, this was done in {:?}: {did}", report.took),
        _ => {}
    }
}

/// Waits for the action in flight; for ever if there is none.
async fn finished(action: &mut Option<InFlight>) -> Result<ScaleReport, String> {
    match action {
        Some(action) => (&mut action.task).await.map_err(|error| format!("the actuator broke: {error}")),
        None => std::future::pending().await,
    }
}
