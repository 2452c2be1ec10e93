//! A load level as a function of the time elapsed: what a schedule, a spike or a recorded day looks like.
//!
//! A level is a number without a unit of its own: the load factor of a service, a multiplier of a base rate,
//! or, for a replayed trace, requests per second. Whoever uses the shape says which.
//!
//! Each kind describes itself by one function: the `Segment` that begins at a given
//! instant. The level, and the integral that arrival processes need, follow from it, so they cannot disagree.

mod points;
mod ramp;
mod random_walk;
mod replay;
pub(crate) mod segment;
mod spike;
mod steady;
mod steps;
mod validation;
mod wave;

use alloc::sync::Arc;
use core::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

pub use points::LevelPoint;
pub use ramp::Ramp;
pub use random_walk::RandomWalk;
pub use replay::Replay;
pub use spike::Spike;
pub use steady::Steady;
pub use steps::Steps;
pub use validation::{LARGEST_LEVEL, LONGEST_SECONDS, MOST_POINTS, SHORTEST_PERIOD_SECONDS, ShapeError};
pub use wave::{Diurnal, Sine};

use segment::Segment;

/// What a shape is made of, as it is written in files and requests; not yet checked.
///
/// In JSON, `{"kind": "spike", "base": 1, "peak": 5, "hold_seconds": 120, "ramp_seconds": 30}`. An unknown
/// field is an error. Make a [`Shape`] of it to use it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ShapeDefinition {
    /// One level for ever.
    Steady(Steady),
    /// A staircase.
    Steps(Steps),
    /// A straight line from one level to another.
    Ramp(Ramp),
    /// A sudden rise that holds, then a straight line back.
    Spike(Spike),
    /// A sine wave around a mean.
    Sine(Sine),
    /// A smooth day: a low, and a peak at a given time.
    Diurnal(Diurnal),
    /// A seeded random walk between two bounds.
    RandomWalk(RandomWalk),
    /// A recorded trace.
    Replay(Replay),
}

impl ShapeDefinition {
    /// Checks every rule that a shape must keep; the rules are listed in one place, the module `validation`.
    ///
    /// # Errors
    /// Names the first field that breaks a rule, its value, and what was expected.
    pub fn validate(&self) -> Result<(), ShapeError> {
        validation::validate(self)
    }

    /// The segment that begins at `elapsed`.
    fn segment_at(&self, elapsed: Duration) -> Segment {
        match self {
            Self::Steady(steady) => steady.segment(),
            Self::Steps(steps) => steps.segment_at(elapsed),
            Self::Ramp(ramp) => ramp.segment_at(elapsed),
            Self::Spike(spike) => spike.segment_at(elapsed),
            Self::Sine(sine) => sine.segment_at(elapsed),
            Self::Diurnal(diurnal) => diurnal.segment_at(elapsed),
            Self::RandomWalk(walk) => walk.segment_at(elapsed),
            Self::Replay(replay) => replay.segment_at(elapsed),
        }
    }
}

macro_rules! definition_and_shape_from {
    ($($kind:ident),*) => {$(
        impl From<$kind> for ShapeDefinition {
            fn from(kind: $kind) -> Self {
                Self::$kind(kind)
            }
        }

        impl TryFrom<$kind> for Shape {
            type Error = ShapeError;

            fn try_from(kind: $kind) -> Result<Self, ShapeError> {
                Self::try_from(ShapeDefinition::from(kind))
            }
        }
    )*};
}

definition_and_shape_from!(Steady, Steps, Ramp, Spike, Sine, Diurnal, RandomWalk, Replay);

/// A load level over elapsed time whose definition was checked: every level is finite and not negative.
///
/// Made by `Shape::try_from` of a [`ShapeDefinition`] or of one of its kinds, or read through serde, which
/// checks too. A clone shares the definition, so cloning a recorded day costs nothing. The default is steady
/// at 1.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "ShapeDefinition")]
pub struct Shape(Arc<ShapeDefinition>);

impl Shape {
    /// One level for ever.
    ///
    /// # Errors
    /// Where `level` is not from 0 to [`LARGEST_LEVEL`].
    pub fn steady(level: f64) -> Result<Self, ShapeError> {
        Self::try_from(Steady { level })
    }

    /// What this shape is made of.
    pub fn definition(&self) -> &ShapeDefinition {
        &self.0
    }

    /// The level once `elapsed` has passed since the shape began: finite, from 0 to [`LARGEST_LEVEL`].
    ///
    /// A pure function. It takes constant time, but for steps and replay (logarithmic in the number of
    /// points) and the random walk (logarithmic in the number of steps elapsed); calls in the order of time
    /// gain nothing.
    pub fn level_at(&self, elapsed: Duration) -> f64 {
        self.segment_at(elapsed).curve.level_after(0.0)
    }

    /// The highest level that it ever has, from 0 to [`LARGEST_LEVEL`]; of a random walk its upper bound.
    pub fn highest_level(&self) -> f64 {
        match self.definition() {
            ShapeDefinition::Steady(steady) => steady.level,
            ShapeDefinition::Steps(steps) => points::highest_level(&steps.steps),
            ShapeDefinition::Ramp(ramp) => ramp.from.max(ramp.to),
            ShapeDefinition::Spike(spike) => spike.base.max(spike.peak),
            ShapeDefinition::Sine(sine) => sine.mean + sine.amplitude,
            ShapeDefinition::Diurnal(diurnal) => diurnal.high,
            ShapeDefinition::RandomWalk(walk) => walk.max,
            ShapeDefinition::Replay(replay) => points::highest_level(&replay.points),
        }
    }

    /// When the level has reached the value it keeps for ever; `None` for shapes that go on (steady, sine,
    /// diurnal, random walk).
    ///
    /// A ramp ends when it arrives, a spike when it is back at its base, steps with their last step, and a
    /// replay with its last interval, after which its level is 0.
    pub fn ends_after(&self) -> Option<Duration> {
        match self.definition() {
            ShapeDefinition::Steps(steps) => Some(steps.ends_after()),
            ShapeDefinition::Ramp(ramp) => Some(ramp.ends_after()),
            ShapeDefinition::Spike(spike) => Some(spike.ends_after()),
            ShapeDefinition::Replay(replay) => Some(replay.ends_after()),
            ShapeDefinition::Steady(_)
            | ShapeDefinition::Sine(_)
            | ShapeDefinition::Diurnal(_)
            | ShapeDefinition::RandomWalk(_) => None,
        }
    }

    /// The segment that begins at `elapsed`.
    pub(crate) fn segment_at(&self, elapsed: Duration) -> Segment {
        let segment = self.0.segment_at(elapsed);
        debug_assert!(
            segment.end.is_none_or(|end| end > elapsed || end == Duration::MAX),
            "a segment lies ahead of its beginning"
        );
        segment
    }
}

impl Default for Shape {
    fn default() -> Self {
        Self(Arc::new(ShapeDefinition::Steady(Steady { level: 1.0 })))
    }
}

impl TryFrom<ShapeDefinition> for Shape {
    type Error = ShapeError;

    fn try_from(definition: ShapeDefinition) -> Result<Self, ShapeError> {
        definition.validate()?;
        Ok(Self(Arc::new(definition)))
    }
}

impl Serialize for Shape {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
