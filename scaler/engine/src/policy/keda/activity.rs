//! Judges the triggers of a `ScaledObject` together.

/// What one trigger came to in a polling pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerOutcome {
    /// Its value is above the activation threshold.
    Active,
    /// Its value is not above the activation threshold.
    Inactive,
    /// It failed and its fallback stands in; this counts as active.
    InFallback,
    /// It failed without a fallback that stands in.
    Failed,
    /// A `cpu` or `memory` trigger, which only the autoscaler evaluates.
    Resource,
}

/// What the triggers came to together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// Whether the target should run.
    pub active: bool,
    /// Whether a trigger failed without a fallback that stands in.
    pub error: bool,
}

impl Activity {
    /// Judges all triggers: any active one is enough, and a target with only `cpu` and `memory` triggers is active.
    ///
    /// Source: `pkg/scaling/scale_handler.go`, `getScaledObjectState`.
    pub fn of(triggers: &[TriggerOutcome]) -> Self {
        let any = |outcome| triggers.contains(&outcome);
        let only_resources = triggers.iter().all(|&trigger| trigger == TriggerOutcome::Resource);
        Self {
            active: any(TriggerOutcome::Active)
                || any(TriggerOutcome::InFallback)
                || (only_resources && !triggers.is_empty()),
            error: any(TriggerOutcome::Failed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trigger_in_fallback_counts_as_active() {
        let activity = Activity::of(&[TriggerOutcome::InFallback, TriggerOutcome::Inactive]);
        assert_eq!(activity, Activity { active: true, error: false });
    }

    #[test]
    fn only_resource_triggers_are_active_and_beside_others_they_say_nothing() {
        assert!(Activity::of(&[TriggerOutcome::Resource, TriggerOutcome::Resource]).active);
        assert!(!Activity::of(&[TriggerOutcome::Resource, TriggerOutcome::Inactive]).active);
        let failed = Activity::of(&[TriggerOutcome::Resource, TriggerOutcome::Failed]);
        assert_eq!(failed, Activity { active: false, error: true });
        assert_eq!(Activity::of(&[]), Activity::default());
    }
}
