//! A kind of user, ready to be played: its pauses, its tasks, and which of them comes next.

use std::sync::Arc;
use std::time::Duration;

use rand::{Rng, RngExt};

use super::document::{TaskOrder, Wait};
use super::error::Mistake;
use super::feeder::Feeder;
use super::located::Located;
use super::request::{Request, Values};

/// How long a user pauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pause {
    /// Drawn evenly between the two.
    Between(Duration, Duration),
    /// Until this long after the task has begun.
    Pacing(Duration),
}

impl Pause {
    pub(super) fn new(wait: &Located<Wait>, place: &str) -> Result<Self, Mistake> {
        match wait.value {
            Wait::None => Ok(Self::Between(Duration::ZERO, Duration::ZERO)),
            Wait::Constant(time) => Ok(Self::Between(time.0, time.0)),
            Wait::Pacing(time) => Ok(Self::Pacing(time.0)),
            Wait::Between([from, to]) if from <= to => Ok(Self::Between(from.0, to.0)),
            Wait::Between([from, to]) => Err(Mistake::new(
                wait.line,
                format!("`{place}.between` is [{:?}, {:?}], expected the shorter time first", from.0, to.0),
                "`between: [1s, 3s]` is an example",
            )),
        }
    }

    /// A pause between two steps of a task.
    pub(super) fn within_task(wait: &Located<Wait>, place: &str) -> Result<Self, Mistake> {
        match wait.value {
            Wait::Between(_) | Wait::Constant(_) => Self::new(wait, place),
            Wait::None | Wait::Pacing(_) => Err(Mistake::new(
                wait.line,
                format!("`{place}` is no pause within a task, expected `constant` or `between`"),
                "pacing belongs to the user: it spaces whole tasks",
            )),
        }
    }

    /// How long to pause now, for a task that took `task_took`.
    pub(crate) fn draw<R: Rng + ?Sized>(self, stream: &mut R, task_took: Duration) -> Duration {
        match self {
            Self::Between(from, to) if from == to => from,
            Self::Between(from, to) => {
                let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
                Duration::from_nanos(stream.random_range(nanos(from)..=nanos(to)))
            }
            Self::Pacing(time) => time.saturating_sub(task_took),
        }
    }
}

/// One step of a task.
#[derive(Debug)]
pub(crate) enum Step {
    /// Send a request.
    Request(Box<Request>),
    /// Pause.
    Pause(Pause),
    /// Take a row of a table.
    Feed {
        /// The table.
        feeder: Arc<Feeder>,
        /// Where among the user's values the columns go.
        slots: Vec<usize>,
    },
}

/// Something that a user does as a whole.
#[derive(Debug)]
pub(crate) struct Task {
    /// How often, relative to the others.
    pub(crate) weight: u32,
    /// One after the other.
    pub(crate) steps: Vec<Step>,
}

/// A kind of user.
#[derive(Debug)]
pub(crate) struct UserType {
    /// The name in results.
    pub(crate) name: String,
    /// How many, relative to the other kinds.
    pub(crate) weight: u32,
    /// How long it pauses after a task.
    pub(crate) wait: Pause,
    /// Whether tasks come by chance or in turn.
    pub(crate) order: TaskOrder,
    /// Whether it keeps cookies.
    pub(crate) cookies: bool,
    /// What it knows from the start.
    pub(crate) initial: Values,
    /// Once before the first task.
    pub(crate) on_start: Vec<Step>,
    /// Never empty, and no weight is 0.
    pub(crate) tasks: Vec<Task>,
    /// Once after the end.
    pub(crate) on_stop: Vec<Step>,
}

impl UserType {
    /// The task that comes `iteration`-th, counted from 1.
    ///
    /// Goose would draw one order of tasks for the whole run, and all users would go through it in step; so each user
    /// chooses by its own stream.
    pub(crate) fn choose<R: Rng + ?Sized>(&self, stream: &mut R, iteration: u64) -> &Task {
        if self.order == TaskOrder::Sequence {
            let index = iteration.saturating_sub(1) % self.tasks.len() as u64;
            return &self.tasks[usize::try_from(index).expect("an index below a length")];
        }
        let total: u32 = self.tasks.iter().map(|task| task.weight).sum();
        let mut left = stream.random_range(0..total);
        self.tasks
            .iter()
            .find(|task| {
                let chosen = left < task.weight;
                left = left.saturating_sub(task.weight);
                chosen
            })
            .expect("a number below the sum of the weights falls to one of them")
    }
}
