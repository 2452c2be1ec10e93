//! Says why a decision was made: a code for labels, its values for machines, a sentence for people.

use core::fmt;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::signal::Signal;

/// Which way replicas would be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More replicas.
    Up,
    /// Fewer replicas.
    Down,
}

impl Direction {
    /// The direction as one word for metric labels and the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// Who wanted an action; decides whether it starts the cooldowns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The policy's judgement of a signal.
    Policy,
    /// The limits were changed, or the service was found outside them.
    Limits,
    /// Replicas came or went behind the scaler's back, and the count asked for before was restored. It changes
    /// nothing that was asked for, so it starts no cooldown: a replica that keeps dying must not hold off a
    /// scale-up for ever.
    Restoration,
    /// Somebody asked for a count.
    ByHand,
}

/// Why a decision is what it is. Values are in the signal's own unit and always finite.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Reason {
    /// The signal was above the scale-up threshold for enough checks in a row.
    AboveThreshold {
        /// The signal judged.
        signal: Signal,
        /// Its value at this check.
        value: f64,
        /// The scale-up threshold.
        threshold: f64,
        /// Checks in a row.
        checks: u32,
    },
    /// The signal was below the scale-down threshold for enough checks in a row.
    BelowThreshold {
        /// The signal judged.
        signal: Signal,
        /// Its value at this check.
        value: f64,
        /// The scale-down threshold.
        threshold: f64,
        /// Checks in a row.
        checks: u32,
    },
    /// The signal lies between both thresholds, ends included.
    WithinThresholds {
        /// The signal judged.
        signal: Signal,
        /// Its value at this check.
        value: f64,
        /// The scale-down threshold.
        lower: f64,
        /// The scale-up threshold.
        upper: f64,
    },
    /// A threshold is breached, but not yet for enough checks in a row.
    BreachPending {
        /// Where the breach leads if it lasts.
        direction: Direction,
        /// The signal judged.
        signal: Signal,
        /// Its value at this check.
        value: f64,
        /// The threshold breached.
        threshold: f64,
        /// Checks in a row so far.
        checks: u32,
        /// Checks in a row that are needed.
        needed: u32,
    },
    /// An action is due, but the last one is too recent.
    CooldownActive {
        /// Where the action would lead.
        direction: Direction,
        /// How long it still has to wait.
        remaining: Duration,
    },
    /// More replicas are due, but the maximum is reached.
    AtMaximum {
        /// The signal judged.
        signal: Signal,
        /// Its value at this check.
        value: f64,
        /// The scale-up threshold.
        threshold: f64,
        /// The maximum.
        max: u32,
    },
    /// Fewer replicas are due, but the minimum is reached.
    AtMinimum {
        /// The signal judged.
        signal: Signal,
        /// Its value at this check.
        value: f64,
        /// The scale-down threshold.
        threshold: f64,
        /// The minimum.
        min: u32,
    },
    /// The signal has no reading.
    MissingData {
        /// The signal the policy needs.
        signal: Signal,
    },
    /// The signal's reading is too old to act on.
    StaleData {
        /// The signal the policy needs.
        signal: Signal,
        /// Age of the reading.
        age: Duration,
        /// The oldest that is acted on.
        bound: Duration,
    },
    /// The signal's reading is NaN or infinite.
    NotANumber {
        /// The signal the policy needs.
        signal: Signal,
    },
    /// Not every ready replica reported, so a low value proves nothing.
    PartialData {
        /// The signal the policy needs.
        signal: Signal,
        /// Ready replicas that reported.
        reported: u32,
        /// Ready replicas.
        ready: u32,
    },
    /// Replicas had work and completed none of it, so nothing is known of a signal that completed jobs tell.
    NothingCompleted {
        /// The signal the policy needs.
        signal: Signal,
        /// Ready replicas that completed nothing.
        replicas: u32,
        /// Jobs waiting or being worked on in them.
        jobs: f64,
        /// Jobs that they refused, per second.
        refused_per_second: f64,
        /// How long that has lasted, at least.
        at_least: Duration,
    },
    /// Which replicas are in rotation is not known, and without that none is removed.
    RotationUnknown {
        /// How long it has not been known.
        age: Duration,
    },
    /// Fewer replicas than the minimum.
    BelowMinimum {
        /// Replicas found.
        current: u32,
        /// The minimum.
        min: u32,
    },
    /// More replicas than the maximum.
    AboveMaximum {
        /// Replicas found.
        current: u32,
        /// The maximum.
        max: u32,
    },
    /// Replicas went away that nobody asked to go.
    ReplicasLost {
        /// Replicas found.
        current: u32,
        /// Replicas that were asked for.
        desired: u32,
    },
    /// Replicas came that nobody asked for.
    UnexpectedReplicas {
        /// Replicas found.
        current: u32,
        /// Replicas that were asked for.
        desired: u32,
    },
    /// The engine is paused.
    Paused,
    /// Somebody asked for this count.
    ByHand {
        /// What was asked for.
        asked: u32,
    },
}

impl Reason {
    /// Every code, for documentation and for metrics that start at zero.
    pub const CODES: [&'static str; 19] = [
        "above_threshold",
        "below_threshold",
        "within_thresholds",
        "breach_pending",
        "cooldown_active",
        "at_maximum",
        "at_minimum",
        "missing_data",
        "stale_data",
        "not_a_number",
        "partial_data",
        "nothing_completed",
        "rotation_unknown",
        "below_minimum",
        "above_maximum",
        "replicas_lost",
        "unexpected_replicas",
        "paused",
        "by_hand",
    ];

    /// The reason as one word for metric labels and the API.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AboveThreshold { .. } => "above_threshold",
            Self::BelowThreshold { .. } => "below_threshold",
            Self::WithinThresholds { .. } => "within_thresholds",
            Self::BreachPending { .. } => "breach_pending",
            Self::CooldownActive { .. } => "cooldown_active",
            Self::AtMaximum { .. } => "at_maximum",
            Self::AtMinimum { .. } => "at_minimum",
            Self::MissingData { .. } => "missing_data",
            Self::StaleData { .. } => "stale_data",
            Self::NotANumber { .. } => "not_a_number",
            Self::PartialData { .. } => "partial_data",
            Self::NothingCompleted { .. } => "nothing_completed",
            Self::RotationUnknown { .. } => "rotation_unknown",
            Self::BelowMinimum { .. } => "below_minimum",
            Self::AboveMaximum { .. } => "above_maximum",
            Self::ReplicasLost { .. } => "replicas_lost",
            Self::UnexpectedReplicas { .. } => "unexpected_replicas",
            Self::Paused => "paused",
            Self::ByHand { .. } => "by_hand",
        }
    }

    /// Who wants the action that goes with this reason.
    pub const fn cause(&self) -> Cause {
        match self {
            Self::BelowMinimum { .. } | Self::AboveMaximum { .. } => Cause::Limits,
            Self::ReplicasLost { .. } | Self::UnexpectedReplicas { .. } => Cause::Restoration,
            Self::ByHand { .. } => Cause::ByHand,
            _ => Cause::Policy,
        }
    }
}

/// The reason as a sentence, without capital and full stop.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::AboveThreshold { signal, value, threshold, checks } => write!(
                f,
                "{signal} {} above {} for {}",
                signal.amount(value),
                signal.amount(threshold),
                Checks(checks)
            ),
            Self::BelowThreshold { signal, value, threshold, checks } => write!(
                f,
                "{signal} {} below {} for {}",
                signal.amount(value),
                signal.amount(threshold),
                Checks(checks)
            ),
            Self::WithinThresholds { signal, value, lower, upper } => write!(
                f,
                "{signal} {} between {} and {}",
                signal.amount(value),
                signal.amount(lower),
                signal.amount(upper)
            ),
            Self::BreachPending { direction, signal, value, threshold, checks, needed } => write!(
                f,
                "{signal} {} {} {}, check {checks} of {needed}",
                signal.amount(value),
                if direction == Direction::Up { "above" } else { "below" },
                signal.amount(threshold)
            ),
            Self::CooldownActive { direction, remaining } => write!(
                f,
                "Cooldown active, the scale-{} waits another {}",
                if direction == Direction::Up { "up" } else { "down" },
                Span(remaining)
            ),
            Self::AtMaximum { signal, value, threshold, max } => write!(
                f,
                "{signal} {} above {}, but {max} is the maximum",
                signal.amount(value),
                signal.amount(threshold)
            ),
            Self::AtMinimum { signal, value, threshold, min } => write!(
                f,
                "{signal} {} below {}, but {min} is the minimum",
                signal.amount(value),
                signal.amount(threshold)
            ),
            Self::MissingData { signal } => write!(f, "no reading of {signal}"),
            Self::StaleData { signal, age, bound } => {
                write!(f, "the reading of {signal} is {} old, at most {} is acted on", Span(age), Span(bound))
            }
            Self::NotANumber { signal } => write!(f, "the reading of {signal} is not a finite number"),
            Self::PartialData { signal, reported, ready } => write!(
                f,
                "{reported} of {ready} ready replicas reported {signal}, too few to rely on a value that is not high"
            ),
            Self::NothingCompleted { signal, replicas, jobs, refused_per_second, at_least } => write!(
                f,
                "no usable reading of {signal}: {} completed nothing for at least {}, with {jobs:.0} jobs waiting or \
                 in work and {refused_per_second:.1}/s refused",
                Replicas(replicas),
                Span(at_least)
            ),
            Self::RotationUnknown { age } => write!(
                f,
                "the gateway has not said for {} which replicas are in rotation, and without that none is removed",
                Span(age)
            ),
            Self::BelowMinimum { current, min } => write!(f, "{current} is below the minimum of {min}"),
            Self::AboveMaximum { current, max } => write!(f, "{current} is above the maximum of {max}"),
            Self::ReplicasLost { current, desired } => {
                write!(f, "{current} left of the {desired} that were asked for")
            }
            Self::UnexpectedReplicas { current, desired } => {
                write!(f, "{current} found, though {desired} were asked for")
            }
            Self::Paused => write!(f, "paused by hand"),
            Self::ByHand { asked } => write!(f, "{asked} asked for by hand"),
        }
    }
}

struct Checks(u32);

impl fmt::Display for Checks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} check{}", self.0, if self.0 == 1 { "" } else { "s" })
    }
}

struct Replicas(u32);

impl fmt::Display for Replicas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} replica{}", self.0, if self.0 == 1 { "" } else { "s" })
    }
}

struct Span(Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < Duration::from_secs(1) {
            write!(f, "{} ms", self.0.as_millis())
        } else if self.0.subsec_millis() == 0 {
            write!(f, "{} s", self.0.as_secs())
        } else {
            write!(f, "{:.1} s", self.0.as_secs_f64())
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    fn one_of_each() -> [Reason; 19] {
        let (signal, value, threshold) = (Signal::ResponseTimeMeanSeconds, 0.9, 0.6);
        let second = Duration::from_secs(1);
        [
            Reason::AboveThreshold { signal, value, threshold, checks: 2 },
            Reason::BelowThreshold { signal, value, threshold, checks: 1 },
            Reason::WithinThresholds { signal, value, lower: 0.2, upper: 0.6 },
            Reason::BreachPending {
                direction: Direction::Up,
                signal,
                value,
                threshold,
                checks: 1,
                needed: 2,
            },
            Reason::CooldownActive { direction: Direction::Down, remaining: second },
            Reason::AtMaximum { signal, value, threshold, max: 6 },
            Reason::AtMinimum { signal, value, threshold, min: 1 },
            Reason::MissingData { signal },
            Reason::StaleData { signal, age: second, bound: second },
            Reason::NotANumber { signal },
            Reason::PartialData { signal, reported: 1, ready: 2 },
            Reason::NothingCompleted {
                signal,
                replicas: 2,
                jobs: 208.0,
                refused_per_second: 40.0,
                at_least: second,
            },
            Reason::RotationUnknown { age: second },
            Reason::BelowMinimum { current: 0, min: 1 },
            Reason::AboveMaximum { current: 9, max: 6 },
            Reason::ReplicasLost { current: 1, desired: 2 },
            Reason::UnexpectedReplicas { current: 3, desired: 2 },
            Reason::Paused,
            Reason::ByHand { asked: 3 },
        ]
    }

    #[test]
    fn the_code_is_the_same_in_labels_and_in_json() {
        for (reason, code) in one_of_each().into_iter().zip(Reason::CODES) {
            assert_eq!(reason.code(), code);
            let json = serde_json::to_value(reason).unwrap();
            assert_eq!(json["code"], code);
            assert_eq!(serde_json::from_value::<Reason>(json).unwrap(), reason, "{code} reads back");
            assert!(!reason.to_string().is_empty());
        }
    }

    #[test]
    fn spans_are_written_as_people_say_them() {
        let text = |ms| Span(Duration::from_millis(ms)).to_string();
        assert_eq!([text(250), text(20_000), text(1_500)], ["250 ms", "20 s", "1.5 s"]);
    }
}
