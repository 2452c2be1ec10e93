//! One user as it acts: what it knows, what comes next, and its requests one after the other.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use loadgen_baseline::RequestOutcome;
use reqwest::cookie::Jar;
use workload::Stream;

use crate::scenario::{Request, Scope, Step, Untyped, UserType};
use crate::users::phase::{Phase, Phases};
use crate::users::shared::Shared;

/// How long a user of a run that is over waits for Goose to end it; without, it would spin.
const LINGER: Duration = Duration::from_millis(200);

/// A pause that ended by so little later is what the runtime's clock brings.
const CLOCK_TICK: Duration = Duration::from_millis(1);

/// How a row of steps ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Done,
    /// A request failed, and the rest would build on it.
    Failed,
    /// The run is over.
    Over,
}

/// When requests are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// At once, because what is sent belongs to no task.
    Free,
    /// As the run wants it: at once, or in the slots of the schedule.
    OfRun,
}

/// One user; kept in its Goose session.
#[derive(Clone, Debug)]
pub(crate) struct Player {
    shared: Arc<Shared>,
    user_type: Arc<UserType>,
    /// The place of the kind of user.
    kind: usize,
    /// The place in which the user is let in, from 0.
    place: usize,
    stream: Stream,
    trace_ids: Stream,
    values: Vec<Option<Untyped>>,
    cookies: Option<Arc<Jar>>,
    iteration: u64,
    started: bool,
    phases: Phases,
}

impl Player {
    /// A user who is about to start, of the kind at place `kind`, and the one at `place` among all.
    pub(crate) fn new(shared: &Arc<Shared>, kind: usize, place: usize) -> Self {
        let user_type = Arc::clone(&shared.scenario.user_types()[kind]);
        let number = place as u64 + 1;
        Self {
            stream: shared.streams.stream(&format!("user-{number}")),
            trace_ids: shared.sender.traces.stream(number),
            values: user_type.initial.clone(),
            cookies: user_type.cookies.then(Arc::default),
            iteration: 0,
            started: false,
            phases: shared.phase.listen(),
            shared: Arc::clone(shared),
            user_type,
            kind,
            place,
        }
    }

    /// One task with the pause after it, once the user is let in.
    pub(crate) async fn act(&mut self) {
        let shared = Arc::clone(&self.shared);
        if !shared.gates.wait(self.place, &mut self.phases).await {
            tokio::time::sleep(LINGER).await;
            return;
        }
        let user_type = Arc::clone(&self.user_type);
        if !self.started {
            self.started = true;
            shared.recorder.prepare(Instant::now());
            self.play(&user_type.on_start, Pace::Free).await;
        }
        self.iteration += 1;
        let task = user_type.choose(&mut self.stream, self.iteration);
        let begun = Instant::now();
        self.play(&task.steps, Pace::OfRun).await;
        // With a schedule the slots space the requests.
        if shared.pacer.is_none() {
            let pause = user_type.wait.draw(&mut self.stream, begun.elapsed());
            self.pause(pause).await;
        }
    }

    /// What the user does after the end.
    pub(crate) async fn leave(&mut self) {
        if self.started {
            let user_type = Arc::clone(&self.user_type);
            self.play(&user_type.on_stop, Pace::Free).await;
        }
    }

    async fn play(&mut self, steps: &[Step], pace: Pace) -> End {
        for step in steps {
            let end = match step {
                Step::Request(request) => self.request(request, pace).await,
                Step::Pause(pause) => {
                    if self.shared.pacer.is_none() {
                        let pause = pause.draw(&mut self.stream, Duration::ZERO);
                        self.pause(pause).await;
                    }
                    End::Done
                }
                Step::Feed { feeder, slots } => {
                    let row = feeder.next_row(&mut self.stream);
                    for (slot, value) in slots.iter().zip(row) {
                        self.values[*slot] = Some(value.clone());
                    }
                    End::Done
                }
            };
            if end != End::Done {
                return end;
            }
        }
        End::Done
    }

    async fn request(&mut self, request: &Request, pace: Pace) -> End {
        let shared = Arc::clone(&self.shared);
        let due = match (&shared.pacer, pace) {
            (Some(pacer), Pace::OfRun) => match pacer.next(self.kind, &mut self.phases).await {
                Some(due) => Some(due),
                None => return End::Over,
            },
            _ => None,
        };
        let intended_at = due.map(|due| due.intended_at);
        if pace == Pace::OfRun && intended_at.is_none() && self.phases.is_over() {
            return End::Over;
        }
        let mut scope = Scope {
            values: &self.values,
            stream: &mut self.stream,
            user_number: self.place as u64 + 1,
            iteration: self.iteration,
        };
        let sent_at = Instant::now();
        let begun = intended_at.unwrap_or(sent_at);
        // Only what was due belongs to a level.
        let level = due.zip(shared.recorder.level());
        if let Some((due, level)) = level {
            level.sent(begun, sent_at, due.waited_for_user);
        }
        let exchange = shared.sender.exchange(
            request,
            intended_at,
            &mut scope,
            self.cookies.as_deref(),
            &mut self.trace_ids,
        );
        shared.in_flight.fetch_add(1, Ordering::Relaxed);
        let exchanged = tokio::select! {
            exchanged = exchange => Some(exchanged),
            () = self.phases.reach(Phase::GivenUp) => {
                let now = Instant::now();
                shared.recorder.unanswered(request.name_index, begun, sent_at, now);
                if let Some((_, level)) = level {
                    level.given_up(request.name_index, begun, sent_at, now);
                }
                None
            }
        };
        shared.in_flight.fetch_sub(1, Ordering::Relaxed);
        let Some((exchange, values)) = exchanged else { return End::Over };
        shared.recorder.record(request.name_index, &exchange);
        if let Some((_, level)) = level {
            level.ended(request.name_index, &exchange);
        }
        for (slot, value) in values {
            self.values[slot] = Some(value);
        }
        if exchange.outcome == RequestOutcome::Succeeded { End::Done } else { End::Failed }
    }

    /// Pauses, or until the run is over; without a time, lets the others act.
    async fn pause(&mut self, time: Duration) {
        if time.is_zero() {
            tokio::task::yield_now().await;
            return;
        }
        let until = Instant::now() + time;
        tokio::select! {
            () = tokio::time::sleep_until(until.into()) => {
                let late = Instant::now().saturating_duration_since(until);
                self.shared.recorder.late(late.saturating_sub(CLOCK_TICK));
            }
            () = self.phases.reach(Phase::Over) => {}
        }
    }
}
