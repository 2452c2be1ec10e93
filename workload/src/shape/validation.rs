//! Every rule that a shape must keep, in one place.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt::Display;

use super::points::LevelPoint;
use super::{Replay, ShapeDefinition, Steps};

/// The largest level: beyond it, sums over a long run would lose single requests to rounding.
pub const LARGEST_LEVEL: f64 = 1e9;

/// The longest span of a shape, in seconds (317 years): always representable as a `Duration`.
pub const LONGEST_SECONDS: f64 = 1e10;

/// The shortest period of a wave, and the shortest hold of a random walk, in seconds.
pub const SHORTEST_PERIOD_SECONDS: f64 = 0.001;

/// The most points of steps or a replay: almost two years of minutes.
pub const MOST_POINTS: usize = 1_000_000;

/// A rule that a shape's definition breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` of a `{kind}` shape is {value}, expected {expected}")]
pub struct ShapeError {
    /// The kind of shape, as written in files.
    pub kind: &'static str,
    /// The field, with its index inside a list, such as `steps[3].at_seconds`.
    pub field: String,
    /// The value found.
    pub value: String,
    /// What was expected there.
    pub expected: String,
}

pub(super) fn validate(definition: &ShapeDefinition) -> Result<(), ShapeError> {
    match definition {
        ShapeDefinition::Steady(steady) => Rules { kind: "steady" }.level("level", steady.level),
        ShapeDefinition::Steps(steps) => validate_steps(steps),
        ShapeDefinition::Ramp(ramp) => {
            let rules = Rules { kind: "ramp" };
            rules.level("from", ramp.from)?;
            rules.level("to", ramp.to)?;
            rules.span("over_seconds", ramp.over_seconds)
        }
        ShapeDefinition::Spike(spike) => {
            let rules = Rules { kind: "spike" };
            rules.level("base", spike.base)?;
            rules.level("peak", spike.peak)?;
            rules.span("hold_seconds", spike.hold_seconds)?;
            rules.span("ramp_seconds", spike.ramp_seconds)
        }
        ShapeDefinition::Sine(sine) => {
            let rules = Rules { kind: "sine" };
            // At most half, so that the crest, twice the mean at most, stays a level.
            rules.within("mean", sine.mean, 0.0, LARGEST_LEVEL / 2.0, "a level")?;
            rules.within("amplitude", sine.amplitude, 0.0, sine.mean, "a level not above the mean,")?;
            rules.period("period_seconds", sine.period_seconds)
        }
        ShapeDefinition::Diurnal(diurnal) => {
            let rules = Rules { kind: "diurnal" };
            rules.level("high", diurnal.high)?;
            rules.within("low", diurnal.low, 0.0, diurnal.high, "a level not above `high`,")?;
            rules.period("period_seconds", diurnal.period_seconds)?;
            let (peak_at, period) = (diurnal.peak_at_seconds, diurnal.period_seconds);
            rules.within("peak_at_seconds", peak_at, 0.0, period, "seconds within the period,")
        }
        ShapeDefinition::RandomWalk(walk) => {
            let rules = Rules { kind: "random_walk" };
            rules.level("max", walk.max)?;
            rules.within("min", walk.min, 0.0, walk.max, "a level not above `max`,")?;
            rules.within("start", walk.start, walk.min, walk.max, "a level within `min` and `max`,")?;
            rules.within("step", walk.step, 0.0, LARGEST_LEVEL, "a standard deviation")?;
            rules.period("every_seconds", walk.every_seconds)
        }
        ShapeDefinition::Replay(replay) => validate_replay(replay),
    }
}

fn validate_steps(steps: &Steps) -> Result<(), ShapeError> {
    Rules { kind: "steps" }.points("steps", &steps.steps)
}

fn validate_replay(replay: &Replay) -> Result<(), ShapeError> {
    let rules = Rules { kind: "replay" };
    rules.points("points", &replay.points)?;
    rules.span("end_seconds", replay.end_seconds)?;
    let last_at_seconds = replay.points.last().map_or(0.0, |point| point.at_seconds);
    if replay.end_seconds > last_at_seconds {
        return Ok(());
    }
    Err(rules.broken(
        "end_seconds",
        &replay.end_seconds,
        format!("more than the last point's {last_at_seconds}"),
    ))
}

/// The rules that kinds have in common, and the kind to blame.
struct Rules {
    kind: &'static str,
}

impl Rules {
    fn level(&self, field: impl Display, value: f64) -> Result<(), ShapeError> {
        self.within(field, value, 0.0, LARGEST_LEVEL, "a level")
    }

    fn span(&self, field: impl Display, value: f64) -> Result<(), ShapeError> {
        self.within(field, value, 0.0, LONGEST_SECONDS, "seconds")
    }

    fn period(&self, field: impl Display, value: f64) -> Result<(), ShapeError> {
        self.within(field, value, SHORTEST_PERIOD_SECONDS, LONGEST_SECONDS, "seconds")
    }

    /// A list of points: not empty, not too long, beginning at 0, each later than the one before.
    fn points(&self, field: &str, points: &[LevelPoint]) -> Result<(), ShapeError> {
        if points.is_empty() || points.len() > MOST_POINTS {
            let value = format!("a list of {}", points.len());
            return Err(self.broken(field, &value, format!("from 1 to {MOST_POINTS} entries")));
        }
        let mut previous_at_seconds = None;
        for (index, point) in points.iter().enumerate() {
            // Written out only for an error: a list may have a million entries.
            let at_seconds = format_args!("{field}[{index}].at_seconds");
            self.span(at_seconds, point.at_seconds)?;
            self.level(format_args!("{field}[{index}].level"), point.level)?;
            match previous_at_seconds {
                None if point.at_seconds > 0.0 => {
                    return Err(self.broken(
                        at_seconds,
                        &point.at_seconds,
                        "0 for the first entry".to_string(),
                    ));
                }
                Some(previous) if point.at_seconds <= previous => {
                    let expected = format!("more than the {previous} of the entry before");
                    return Err(self.broken(at_seconds, &point.at_seconds, expected));
                }
                _ => previous_at_seconds = Some(point.at_seconds),
            }
        }
        Ok(())
    }

    /// A number from `least` to `most`; neither infinite nor not a number, for no comparison holds for those.
    fn within(
        &self,
        field: impl Display,
        value: f64,
        least: f64,
        most: f64,
        what: &str,
    ) -> Result<(), ShapeError> {
        if value >= least && value <= most {
            return Ok(());
        }
        Err(self.broken(field, &value, format!("{what} from {least} to {most}")))
    }

    fn broken(&self, field: impl Display, value: &dyn Display, expected: String) -> ShapeError {
        ShapeError { kind: self.kind, field: field.to_string(), value: value.to_string(), expected }
    }
}
