//! The highest factor that a schedule reaches, so that one out of range is refused instead of being cut off.

use workload::{LevelPoint, Shape, ShapeDefinition};

/// No level of the shape is above this one.
pub(super) fn highest_level(shape: &Shape) -> f64 {
    match shape.definition() {
        ShapeDefinition::Steady(steady) => steady.level,
        ShapeDefinition::Steps(steps) => highest_point(&steps.steps),
        ShapeDefinition::Ramp(ramp) => ramp.from.max(ramp.to),
        ShapeDefinition::Spike(spike) => spike.base.max(spike.peak),
        ShapeDefinition::Sine(sine) => sine.mean + sine.amplitude,
        ShapeDefinition::Diurnal(diurnal) => diurnal.high,
        ShapeDefinition::RandomWalk(walk) => walk.max,
        ShapeDefinition::Replay(replay) => highest_point(&replay.points),
    }
}

fn highest_point(points: &[LevelPoint]) -> f64 {
    points.iter().fold(0.0, |highest, point| highest.max(point.level))
}
