//! Load shapes as callers see them: what they say at which time, how they are written, what is refused.

use std::mem::discriminant;
use std::time::Duration;

use proptest::prelude::*;
use workload::{
    Diurnal, LARGEST_LEVEL, LevelPoint, MOST_POINTS, Ramp, RandomWalk, Replay, Shape, ShapeDefinition, Sine,
    Spike, Steady, Steps,
};

fn from_json(json: &str) -> Result<Shape, String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

fn assert_levels(shape: &Shape, expected: &[(f64, f64)]) {
    for &(seconds, level) in expected {
        let found = shape.level_at(Duration::from_secs_f64(seconds));
        assert!((found - level).abs() < 1e-9, "{shape:?} is {found} at {seconds} s, expected {level}");
    }
}

#[test]
fn each_kind_reads_from_its_written_form_and_follows_its_formula() {
    /// What a shape looks like in a file, its level at some times, and when it ends.
    type Case = (&'static str, &'static [(f64, f64)], Option<f64>);
    let cases: [Case; 8] = [
        (r#"{"kind": "steady", "level": 2}"#, &[(0.0, 2.0), (1e9, 2.0)], None),
        (
            r#"{"kind": "steps", "steps": [{"at_seconds": 0, "level": 1}, {"at_seconds": 10, "level": 5}]}"#,
            &[(0.0, 1.0), (9.999, 1.0), (10.0, 5.0), (1e6, 5.0)],
            Some(10.0),
        ),
        (
            r#"{"kind": "ramp", "from": 4, "to": 1, "over_seconds": 30}"#,
            &[(0.0, 4.0), (10.0, 3.0), (30.0, 1.0), (99.0, 1.0)],
            Some(30.0),
        ),
        (
            r#"{"kind": "spike", "base": 1, "peak": 5, "hold_seconds": 120, "ramp_seconds": 30}"#,
            &[(0.0, 5.0), (119.999, 5.0), (120.0, 5.0), (135.0, 3.0), (150.0, 1.0), (1000.0, 1.0)],
            Some(150.0),
        ),
        (
            r#"{"kind": "sine", "mean": 3, "amplitude": 2, "period_seconds": 60}"#,
            &[(0.0, 3.0), (15.0, 5.0), (30.0, 3.0), (45.0, 1.0), (60e6 + 15.0, 5.0)],
            None,
        ),
        (
            r#"{"kind": "diurnal", "low": 1, "high": 9, "peak_at_seconds": 50400}"#,
            &[(50_400.0, 9.0), (7_200.0, 1.0), (28_800.0, 5.0), (136_800.0, 9.0)],
            None,
        ),
        (
            r#"{"kind": "random_walk", "start": 2, "step": 0.5, "min": 1, "max": 3, "every_seconds": 5, "seed": 7}"#,
            &[(0.0, 2.0), (4.999, 2.0)],
            None,
        ),
        (
            r#"{"kind": "replay", "points": [{"at_seconds": 0, "level": 7}, {"at_seconds": 60, "level": 0.5}],
                "end_seconds": 90}"#,
            &[(0.0, 7.0), (60.0, 0.5), (89.9, 0.5), (90.0, 0.0), (1e6, 0.0)],
            Some(90.0),
        ),
    ];
    for (json, levels, ends_after_seconds) in cases {
        let shape = from_json(json).expect(json);
        assert_levels(&shape, levels);
        assert_eq!(shape.ends_after(), ends_after_seconds.map(Duration::from_secs_f64), "{json}");
    }
}

#[test]
fn the_default_is_the_load_as_it_is() {
    assert_eq!(Shape::default(), Shape::steady(1.0).unwrap());
}

#[test]
fn a_jump_takes_no_time() {
    let spike = Spike { base: 1.0, peak: 5.0, hold_seconds: 10.0, ramp_seconds: 0.0 };
    assert_levels(&Shape::try_from(spike).unwrap(), &[(9.999, 5.0), (10.0, 1.0)]);
    let ramp = Ramp { from: 1.0, to: 2.0, over_seconds: 0.0 };
    assert_levels(&Shape::try_from(ramp).unwrap(), &[(0.0, 2.0)]);
}

#[test]
fn a_random_walk_is_one_path_however_it_is_asked() {
    let walk = RandomWalk { start: 2.0, step: 0.5, min: 1.0, max: 3.0, every_seconds: 1.0, seed: 7 };
    let shape = Shape::try_from(walk).unwrap();
    let level_bits =
        |shape: &Shape, second: u64| shape.level_at(Duration::from_millis(second * 1000 + 999)).to_bits();
    let forwards: Vec<u64> = (0..500).map(|second| level_bits(&shape, second)).collect();
    let other = Shape::try_from(walk).unwrap();
    let mut backwards: Vec<u64> = (0..500).rev().map(|second| level_bits(&other, second)).collect();
    backwards.reverse();
    assert_eq!(forwards, backwards);
    let unlike = Shape::try_from(RandomWalk { seed: 8, ..walk }).unwrap();
    let unlike: Vec<u64> = (0..500).map(|second| level_bits(&unlike, second)).collect();
    assert_ne!(forwards, unlike);
    let mut sorted = forwards.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert!(sorted.len() > 490, "it moves at nearly every step, but took only {} levels", sorted.len());
}

#[test]
fn what_breaks_a_rule_is_named() {
    let cases = [
        (
            r#"{"kind": "steady", "level": -1}"#,
            "`level` of a `steady` shape is -1, expected a level from 0 to 1000000000",
        ),
        (
            r#"{"kind": "steps", "steps": []}"#,
            "`steps` of a `steps` shape is a list of 0, expected from 1 to 1000000",
        ),
        (
            r#"{"kind": "steps", "steps": [{"at_seconds": 1, "level": 1}]}"#,
            "`steps[0].at_seconds` of a `steps` shape is 1, expected 0 for the first entry",
        ),
        (
            r#"{"kind": "steps", "steps": [{"at_seconds": 0, "level": 1}, {"at_seconds": 0, "level": 2}]}"#,
            "`steps[1].at_seconds` of a `steps` shape is 0, expected more than the 0 of the entry before",
        ),
        (
            r#"{"kind": "replay", "points": [{"at_seconds": 0, "level": 1e10}], "end_seconds": 1}"#,
            "`points[0].level` of a `replay` shape is 10000000000",
        ),
        (
            r#"{"kind": "replay", "points": [{"at_seconds": 0, "level": 1}], "end_seconds": 0}"#,
            "`end_seconds` of a `replay` shape is 0, expected more than the last point's 0",
        ),
        (
            r#"{"kind": "ramp", "from": 1, "to": 2, "over_seconds": -3}"#,
            "`over_seconds` of a `ramp` shape is -3",
        ),
        (
            r#"{"kind": "sine", "mean": 1, "amplitude": 2, "period_seconds": 9}"#,
            "`amplitude` of a `sine` shape is 2",
        ),
        (
            r#"{"kind": "sine", "mean": 1, "amplitude": 1, "period_seconds": 0}"#,
            "`period_seconds` of a `sine` shape is 0",
        ),
        (
            r#"{"kind": "diurnal", "low": 2, "high": 1, "peak_at_seconds": 0}"#,
            "`low` of a `diurnal` shape is 2",
        ),
        (
            r#"{"kind": "random_walk", "start": 9, "step": 1, "min": 0, "max": 3, "every_seconds": 1, "seed": 0}"#,
            "`start` of a `random_walk` shape is 9, expected a level within `min` and `max`, from 0 to 3",
        ),
        (r#"{"kind": "spike", "base": 1, "peak": 5, "hold": 1, "ramp_seconds": 0}"#, "unknown field `hold`"),
        (r#"{"kind": "square", "level": 1}"#, "unknown variant `square`"),
    ];
    for (json, expected) in cases {
        let error = from_json(json).expect_err(json);
        assert!(error.contains(expected), "{json} gives: {error}");
    }
}

#[test]
fn numbers_that_are_none_and_endless_lists_are_refused() {
    for level in [f64::NAN, f64::INFINITY, -0.001, LARGEST_LEVEL * 1.001] {
        assert!(Shape::steady(level).is_err(), "{level}");
    }
    let steps = |count: u32| Steps {
        steps: (0..count).map(|index| LevelPoint { at_seconds: f64::from(index), level: 1.0 }).collect(),
    };
    let most = u32::try_from(MOST_POINTS).unwrap();
    assert!(Shape::try_from(steps(most)).is_ok());
    assert!(Shape::try_from(steps(most + 1)).is_err());
}

fn points() -> impl Strategy<Value = Vec<LevelPoint>> {
    prop::collection::vec((0.001..1000.0_f64, 0.0..100.0_f64), 1..20).prop_map(|gaps| {
        let mut at_seconds = 0.0;
        let mut points = Vec::new();
        for (gap_seconds, level) in gaps {
            points.push(LevelPoint { at_seconds, level });
            at_seconds += gap_seconds;
        }
        points
    })
}

/// Definitions of every kind that keep every rule.
fn valid_definitions() -> impl Strategy<Value = ShapeDefinition> {
    let level = || 0.0..1000.0_f64;
    let seconds = || prop_oneof![Just(0.0), 0.0..100_000.0_f64];
    let period = || 0.001..100_000.0_f64;
    let share = || prop_oneof![Just(0.0), Just(1.0), 0.0..1.0_f64];
    prop_oneof![
        level().prop_map(|level| Steady { level }.into()),
        points().prop_map(|steps| Steps { steps }.into()),
        (level(), level(), seconds())
            .prop_map(|(from, to, over_seconds)| Ramp { from, to, over_seconds }.into()),
        (level(), level(), seconds(), seconds()).prop_map(|(base, peak, hold_seconds, ramp_seconds)| {
            Spike { base, peak, hold_seconds, ramp_seconds }.into()
        }),
        (level(), share(), period()).prop_map(|(mean, share, period_seconds)| {
            Sine { mean, amplitude: share * mean, period_seconds }.into()
        }),
        (share(), level(), period(), share()).prop_map(|(low, high, period_seconds, peak)| {
            Diurnal { low: low * high, high, period_seconds, peak_at_seconds: peak * period_seconds }.into()
        }),
        (share(), share(), level(), level(), period(), any::<u64>()).prop_map(
            |(start, min, max, step, every_seconds, seed)| {
                let min = min * max;
                let start = (min + start * (max - min)).min(max);
                RandomWalk { start, step, min, max, every_seconds, seed }.into()
            }
        ),
        (points(), 0.001..1000.0_f64).prop_map(|(points, gap_seconds)| {
            let end_seconds = points.last().map_or(0.0, |point| point.at_seconds) + gap_seconds;
            Replay { points, end_seconds }.into()
        }),
    ]
}

/// Every number, the odd ones included.
fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![any::<f64>(), -10.0..10.0_f64, Just(0.0), Just(f64::NAN), Just(f64::INFINITY)]
}

/// Definitions that mostly break a rule.
fn any_definitions() -> impl Strategy<Value = ShapeDefinition> {
    let numbers = prop::array::uniform5(any_number());
    (0..6, numbers, any::<u64>()).prop_map(|(kind, [first, second, third, fourth, fifth], seed)| match kind {
        0 => Steady { level: first }.into(),
        1 => Ramp { from: first, to: second, over_seconds: third }.into(),
        2 => Spike { base: first, peak: second, hold_seconds: third, ramp_seconds: fourth }.into(),
        3 => Sine { mean: first, amplitude: second, period_seconds: third }.into(),
        4 => Diurnal { low: first, high: second, period_seconds: third, peak_at_seconds: fourth }.into(),
        _ => RandomWalk { start: first, step: second, min: third, max: fourth, every_seconds: fifth, seed }
            .into(),
    })
}

fn any_elapsed() -> impl Strategy<Value = Duration> {
    prop_oneof![
        Just(Duration::ZERO),
        Just(Duration::MAX),
        (0.0..200_000.0_f64).prop_map(Duration::from_secs_f64),
        (any::<u64>(), 0..1_000_000_000_u32).prop_map(|(seconds, nanos)| Duration::new(seconds, nanos)),
    ]
}

#[test]
fn the_highest_level_of_each_kind_is_known() {
    for (json, highest) in [
        (r#"{"kind": "steady", "level": 2}"#, 2.0),
        (
            r#"{"kind": "steps", "steps": [{"at_seconds": 0, "level": 5}, {"at_seconds": 10, "level": 1}]}"#,
            5.0,
        ),
        (r#"{"kind": "ramp", "from": 4, "to": 1, "over_seconds": 30}"#, 4.0),
        (r#"{"kind": "spike", "base": 1, "peak": 5, "hold_seconds": 120, "ramp_seconds": 30}"#, 5.0),
        (r#"{"kind": "sine", "mean": 3, "amplitude": 2, "period_seconds": 60}"#, 5.0),
        (r#"{"kind": "diurnal", "low": 1, "high": 9, "peak_at_seconds": 50400}"#, 9.0),
        (
            r#"{"kind": "random_walk", "start": 2, "step": 0.5, "min": 1, "max": 3, "every_seconds": 5, "seed": 7}"#,
            3.0,
        ),
        (r#"{"kind": "replay", "points": [{"at_seconds": 0, "level": 7}], "end_seconds": 90}"#, 7.0),
    ] {
        let found = from_json(json).expect(json).highest_level();
        assert!((found - highest).abs() < 1e-12, "{json}: {found}");
    }
}

proptest! {
    #[test]
    fn no_level_is_above_the_highest(definition in valid_definitions(), elapsed in any_elapsed()) {
        let shape = Shape::try_from(definition).unwrap();
        // A wave's top may be off in its last digits.
        let highest = shape.highest_level() * (1.0 + 1e-9);
        prop_assert!(shape.level_at(elapsed) <= highest, "{} of {shape:?}", shape.level_at(elapsed));
    }

    #[test]
    fn levels_are_finite_and_not_negative(definition in valid_definitions(), elapsed in any_elapsed()) {
        let level = Shape::try_from(definition).unwrap().level_at(elapsed);
        prop_assert!((0.0..=LARGEST_LEVEL).contains(&level), "level {level}");
    }

    #[test]
    fn what_validation_admits_never_misbehaves(definition in any_definitions(), elapsed in any_elapsed()) {
        if let Ok(shape) = Shape::try_from(definition) {
            let level = shape.level_at(elapsed);
            prop_assert!((0.0..=LARGEST_LEVEL).contains(&level), "level {level} of {shape:?}");
            let _ = shape.ends_after();
        }
    }

    #[test]
    fn a_shape_survives_being_written_and_read(definition in valid_definitions()) {
        let shape = Shape::try_from(definition).unwrap();
        let json = serde_json::to_string(&shape).unwrap();
        // Reading a float back may be off in its last digit, unless serde_json is told to be exact: so
        // written twice.
        let read: Shape = serde_json::from_str(&json).unwrap();
        let again: Shape = serde_json::from_str(&serde_json::to_string(&read).unwrap()).unwrap();
        prop_assert_eq!(discriminant(read.definition()), discriminant(shape.definition()));
        prop_assert_eq!(again, read);
    }

    #[test]
    fn after_its_end_a_shape_keeps_its_level(definition in valid_definitions(), later in any_elapsed()) {
        let shape = Shape::try_from(definition).unwrap();
        if let Some(end) = shape.ends_after() {
            let level = shape.level_at(end);
            prop_assert_eq!(shape.level_at(end.saturating_add(later)).to_bits(), level.to_bits());
        }
    }
}
