//! Moves a target between zero, its idle count and its minimum: one pass per polling interval.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::policy::age::Age;

/// Time between two passes, where `pollingInterval` says nothing else. It drives activation alone: the autoscaler
/// asks the triggers itself, on its own period.
pub const POLLING_INTERVAL: Duration = Duration::from_secs(30);

/// The settings of a `ScaledObject` that activation follows, annotations included.
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own in the document")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActivationSettings {
    /// `minReplicaCount`; none counts as 0.
    pub min_replicas: Option<u32>,
    /// `idleReplicaCount`.
    pub idle_replicas: Option<u32>,
    /// `fallback.replicas`; none without a fallback.
    pub fallback_replicas: Option<i64>,
    /// `cooldownPeriod`, from the last activity to the move down. Default: 300 s.
    pub cooldown: Duration,
    /// `initialCooldownPeriod`, from the creation, as long as nothing was ever active. Default: 0 s.
    pub initial_cooldown: Duration,
    /// Whether an annotation forces the target to be active.
    pub force_activation: bool,
    /// Whether an annotation pauses activation altogether.
    pub paused: bool,
    /// Whether an annotation pauses moves down.
    pub paused_scale_in: bool,
    /// Whether an annotation pauses moves up.
    pub paused_scale_out: bool,
}

impl Default for ActivationSettings {
    fn default() -> Self {
        Self {
            min_replicas: None,
            idle_replicas: None,
            fallback_replicas: None,
            cooldown: Duration::from_secs(300),
            initial_cooldown: Duration::ZERO,
            force_activation: false,
            paused: false,
            paused_scale_in: false,
            paused_scale_out: false,
        }
    }
}

/// What a pass sees of its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetSeen {
    /// The replicas asked for.
    pub current_replicas: u32,
    /// Whether a trigger is active; see [`Activity`](super::Activity).
    pub active: bool,
    /// Whether a trigger failed without a fallback that stands in.
    pub error: bool,
    /// How long ago the target was last active; none if never.
    pub last_active_age: Option<Age>,
    /// How long ago the `ScaledObject` was created.
    pub creation_age: Age,
}

/// The status of the condition Ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Readiness {
    /// True.
    #[default]
    Ready,
    /// False: `TriggerError`.
    TriggerError,
    /// Unknown: `PartialTriggerError`.
    PartialTriggerError,
}

/// The outcome of a pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Activation {
    /// The count to write; none leaves the target alone.
    pub set_replicas: Option<u32>,
    /// The status of the condition Active.
    pub active: bool,
    /// Whether the time of the last activity becomes now. After a move up that holds only once it was written.
    pub refresh_last_active: bool,
    /// The status of the condition Ready.
    pub ready: Readiness,
}

/// Runs one pass.
///
/// Source: `pkg/scaling/executor/scale_scaledobjects.go`, `RequestScale`.
pub fn activate(settings: &ActivationSettings, seen: &TargetSeen) -> Activation {
    if settings.paused {
        return Activation::default();
    }
    if seen.active || settings.force_activation {
        when_active(settings, seen)
    } else {
        when_inactive(settings, seen)
    }
}

fn when_active(settings: &ActivationSettings, seen: &TargetSeen) -> Activation {
    let min = settings.min_replicas.unwrap_or(0);
    let active = Activation { active: true, ..Activation::default() };
    let leaves_idle = settings.idle_replicas.is_some() && seen.current_replicas < min;
    if leaves_idle || seen.current_replicas == 0 {
        if settings.paused_scale_out {
            return active;
        }
        Activation { set_replicas: Some(min.max(1)), refresh_last_active: true, ..active }
    } else if seen.error {
        // The time of the last activity stays, so that a lasting failure runs into the cooldown.
        Activation { ready: Readiness::PartialTriggerError, ..active }
    } else {
        Activation { refresh_last_active: true, ..active }
    }
}

fn when_inactive(settings: &ActivationSettings, seen: &TargetSeen) -> Activation {
    let min = settings.min_replicas.unwrap_or(0);
    let inactive = Activation::default();
    match settings.fallback_replicas {
        // At zero the generated autoscaler would be off and could not go to the fallback's count.
        Some(replicas) if seen.error && replicas != 0 => return inactive,
        None if seen.error => return Activation { ready: Readiness::TriggerError, ..inactive },
        _ => {}
    }
    let above_idle = settings.idle_replicas.is_some_and(|idle| seen.current_replicas > idle);
    if above_idle || (seen.current_replicas > 0 && min == 0) {
        if settings.paused_scale_in || !has_cooled_down(settings, seen) {
            return inactive;
        }
        Activation { set_replicas: Some(settings.idle_replicas.unwrap_or(min)), ..inactive }
    } else if settings.idle_replicas.is_none() && seen.current_replicas < min {
        Activation { set_replicas: Some(min), ..inactive }
    } else {
        inactive
    }
}

/// Source: `pkg/scaling/executor/scale_scaledobjects.go`, `scaleToZeroOrIdle`.
fn has_cooled_down(settings: &ActivationSettings, seen: &TargetSeen) -> bool {
    match seen.last_active_age {
        None => seen.creation_age.is_above(settings.initial_cooldown),
        Some(age) => age.is_above(settings.cooldown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: ActivationSettings = ActivationSettings {
        min_replicas: None,
        idle_replicas: None,
        fallback_replicas: None,
        cooldown: Duration::from_secs(300),
        initial_cooldown: Duration::from_secs(120),
        force_activation: false,
        paused: false,
        paused_scale_in: false,
        paused_scale_out: false,
    };

    fn seen(current_replicas: u32, active: bool) -> TargetSeen {
        TargetSeen {
            current_replicas,
            active,
            error: false,
            last_active_age: None,
            creation_age: Age::from_seconds(1e9),
        }
    }

    #[test]
    fn the_defaults_are_those_of_keda() {
        let settings = ActivationSettings::default();
        assert_eq!((settings.cooldown.as_secs(), settings.initial_cooldown.as_secs()), (300, 0));
    }

    #[test]
    fn a_cooldown_must_be_strictly_over() {
        for (age, expected) in [(300.0, None), (300.000_001, Some(0))] {
            let seen = TargetSeen { last_active_age: Some(Age::from_seconds(age)), ..seen(3, false) };
            assert_eq!(activate(&SETTINGS, &seen).set_replicas, expected);
        }
        for (age, expected) in [(120.0, None), (120.5, Some(0))] {
            let seen = TargetSeen { creation_age: Age::from_seconds(age), ..seen(3, false) };
            assert_eq!(activate(&SETTINGS, &seen).set_replicas, expected);
        }
    }

    #[test]
    fn a_partial_failure_does_not_refresh_the_last_activity() {
        let partial = activate(&SETTINGS, &TargetSeen { error: true, ..seen(2, true) });
        assert_eq!((partial.refresh_last_active, partial.ready), (false, Readiness::PartialTriggerError));
        assert!(activate(&SETTINGS, &seen(2, true)).refresh_last_active);
    }

    #[test]
    fn a_paused_move_up_neither_scales_nor_refreshes() {
        let paused = ActivationSettings { paused_scale_out: true, ..SETTINGS };
        let outcome = activate(&paused, &seen(0, true));
        assert_eq!((outcome.set_replicas, outcome.refresh_last_active, outcome.active), (None, false, true));
    }

    #[test]
    fn a_pause_of_moves_down_does_not_keep_a_target_below_its_minimum() {
        let paused = ActivationSettings { paused_scale_in: true, min_replicas: Some(3), ..SETTINGS };
        assert_eq!(activate(&paused, &seen(1, false)).set_replicas, Some(3));
    }

    #[test]
    fn forced_activation_holds_without_a_trigger_even_when_one_fails() {
        let forced = ActivationSettings { force_activation: true, ..SETTINGS };
        let outcome = activate(&forced, &TargetSeen { error: true, ..seen(0, false) });
        assert_eq!((outcome.set_replicas, outcome.active), (Some(1), true));
    }

    #[test]
    fn the_cooldown_never_delays_what_the_autoscaler_does() {
        let settings = ActivationSettings { min_replicas: Some(1), ..SETTINGS };
        assert_eq!(activate(&settings, &seen(9, false)).set_replicas, None);
    }
}
