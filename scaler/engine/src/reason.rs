//! Says why a decision was made: a code for labels, its values for machines, a sentence for people.

use alloc::string::String;
use core::fmt;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::need::Metric;
use crate::policy::PolicyReason;

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

/// What wanted an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The policy's judgement.
    Policy,
    /// The limits were changed, or the service was found outside them.
    Limits,
    /// Replicas came or went unasked, and the count asked for before was restored. It changes nothing that was asked
    /// for, so it starts no cooldown: a replica that keeps dying must not hold off a scale-up forever.
    Restoration,
    /// A count was asked for by hand.
    ByHand,
    /// Something else set the count, and it was adopted.
    Elsewhere,
    /// An action is only assumed, because what happened before is not known.
    Unknown,
}

/// Why a decision is what it is: a reason that every policy shares, or one of a policy's own. Values are in the metric's
/// own unit and always finite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Reason {
    /// An action is due, but the last one is too recent.
    CooldownActive {
        /// Where the action would lead.
        direction: Direction,
        /// How long it still has to wait.
        remaining: Duration,
    },
    /// The signal has no reading.
    MissingData {
        /// The signal or metric that the policy needs.
        signal: Metric,
    },
    /// The signal's reading is too old to act on.
    StaleData {
        /// The signal or metric that the policy needs.
        signal: Metric,
        /// Age of the reading.
        age: Duration,
        /// The oldest that is acted on.
        bound: Duration,
    },
    /// The signal's reading is NaN or infinite.
    NotANumber {
        /// The signal or metric that the policy needs.
        signal: Metric,
    },
    /// Not every ready replica reported, so a low value proves nothing.
    PartialData {
        /// The signal or metric that the policy needs.
        signal: Metric,
        /// Ready replicas that reported.
        reported: u32,
        /// Ready replicas.
        ready: u32,
    },
    /// Replicas had work and completed none of it, so nothing is known of a signal that completed jobs tell.
    NothingCompleted {
        /// The signal or metric that the policy needs.
        signal: Metric,
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
    /// The reason of a policy that is not among the lab's own kinds.
    Other {
        /// One word for it.
        name: String,
        /// The sentence, without capital and full stop.
        sentence: String,
    },
    /// A reason that one kind of policy has for itself.
    #[serde(untagged)]
    OfPolicy(PolicyReason),
}

impl Reason {
    /// Every code, for documentation and for metrics that start at zero.
    pub fn codes() -> impl Iterator<Item = &'static str> {
        Self::SHARED_CODES.into_iter().chain(PolicyReason::codes())
    }

    /// The reason of a policy that is not among the lab's own kinds: one word, and a sentence without capital and full stop.
    pub fn other(name: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self::Other { name: name.into(), sentence: sentence.into() }
    }

    const SHARED_CODES: [&'static str; 14] = [
        "cooldown_active",
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
        "other",
    ];

    /// The reason as one word for metric labels and the API.
    pub fn code(&self) -> &'static str {
        match self {
            Self::CooldownActive { .. } => "cooldown_active",
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
            Self::Other { .. } => "other",
            Self::OfPolicy(reason) => reason.code(),
        }
    }

    /// What wants the action that goes with this reason.
    pub const fn cause(&self) -> Cause {
        match self {
            Self::BelowMinimum { .. } | Self::AboveMaximum { .. } => Cause::Limits,
            Self::ReplicasLost { .. } | Self::UnexpectedReplicas { .. } => Cause::Restoration,
            Self::ByHand { .. } => Cause::ByHand,
            Self::CooldownActive { .. }
            | Self::MissingData { .. }
            | Self::StaleData { .. }
            | Self::NotANumber { .. }
            | Self::PartialData { .. }
            | Self::NothingCompleted { .. }
            | Self::RotationUnknown { .. }
            | Self::Paused
            | Self::Other { .. }
            | Self::OfPolicy(_) => Cause::Policy,
        }
    }
}

/// The reason as a sentence, without capital and full stop.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CooldownActive { direction, remaining } => write!(
                f,
                "Cooldown active, the scale-{} waits another {}",
                direction.name(),
                Span(*remaining)
            ),
            Self::MissingData { signal } => write!(f, "no reading of {signal}"),
            Self::StaleData { signal, age, bound } => {
                write!(
                    f,
                    "the reading of {signal} is {} old, at most {} is acted on",
                    Span(*age),
                    Span(*bound)
                )
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
                Replicas(*replicas),
                Span(*at_least)
            ),
            Self::RotationUnknown { age } => write!(
                f,
                "the gateway has not said for {} which replicas are in rotation, and without that none is removed",
                Span(*age)
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
            Self::Other { sentence, .. } => f.write_str(sentence),
            Self::OfPolicy(reason) => reason.fmt(f),
        }
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
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;
    use crate::signal::Signal;

    fn one_of_each() -> Vec<Reason> {
        let signal = || Metric::from(Signal::ResponseTimeMeanSeconds);
        let second = Duration::from_secs(1);
        let mut reasons = vec![
            Reason::CooldownActive { direction: Direction::Down, remaining: second },
            Reason::MissingData { signal: signal() },
            Reason::StaleData { signal: signal(), age: second, bound: second },
            Reason::NotANumber { signal: signal() },
            Reason::PartialData { signal: signal(), reported: 1, ready: 2 },
            Reason::NothingCompleted {
                signal: signal(),
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
            Reason::other("smoothed_queue", "4.0 jobs wait, smoothed"),
        ];
        reasons.extend(PolicyReason::one_of_each().into_iter().map(Reason::OfPolicy));
        reasons
    }

    #[test]
    fn the_code_is_the_same_in_labels_and_in_json() {
        assert_eq!(one_of_each().len(), Reason::codes().count());
        for (reason, code) in one_of_each().into_iter().zip(Reason::codes()) {
            assert_eq!(reason.code(), code);
            let json = serde_json::to_value(&reason).unwrap();
            assert_eq!(json["code"], code);
            assert!(!reason.to_string().is_empty());
            assert_eq!(serde_json::from_value::<Reason>(json).unwrap(), reason, "{code} reads back");
        }
    }

    #[test]
    fn no_two_kinds_of_policy_share_a_code() {
        let mut codes: Vec<&str> = Reason::codes().collect();
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), count);
    }

    #[test]
    fn spans_are_written_as_people_say_them() {
        let text = |ms| Span(Duration::from_millis(ms)).to_string();
        assert_eq!([text(250), text(20_000), text(1_500)], ["250 ms", "20 s", "1.5 s"]);
    }
}
