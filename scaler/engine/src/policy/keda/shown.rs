//! Shows a `ScaledObject`'s settings and conditions as people know them.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use crate::policy::hpa::shown::settings_shown;
use crate::policy::hpa::{ControllerSettings, HpaSpec};
use crate::policy::keda::history::ScaledObjectHistory;
use crate::policy::keda::{PolledTrigger, Readiness, ScaledObjectSpec, TriggerSource};
use crate::policy::{ConditionShown, ConditionStatus, Setting, SettingValue};

pub(super) fn settings(
    spec: &ScaledObjectSpec,
    hpa: &HpaSpec,
    controller: &ControllerSettings,
) -> Vec<Setting> {
    let triggers: Vec<String> = spec.triggers.iter().map(trigger).collect();
    let mut shown = vec![
        Setting::new("triggers", SettingValue::Text(triggers.join("; "))),
        Setting::new("pollingInterval", SettingValue::Span(spec.polling_interval)),
        Setting::new("cooldownPeriod", SettingValue::Span(spec.activation.cooldown)),
        Setting::new("initialCooldownPeriod", SettingValue::Span(spec.activation.initial_cooldown)),
    ];
    if let Some(idle) = spec.activation.idle_replicas {
        shown.push(Setting::new("idleReplicaCount", SettingValue::Count(idle)));
    }
    if let Some(fallback) = spec.fallback {
        let text = format!("{} replicas after {} failures", fallback.replicas, fallback.failure_threshold);
        shown.push(Setting::new("fallback", SettingValue::Text(text)));
    }
    shown.extend(settings_shown(hpa, controller));
    shown
}

fn trigger(polled: &PolledTrigger) -> String {
    let name = &polled.trigger.name;
    match &polled.source {
        TriggerSource::Resource => name.clone(),
        TriggerSource::Cron { window, desired_replicas } => {
            let [timezone, opens, closes] = window.written();
            format!("{name}: {desired_replicas} from `{opens}` to `{closes}` in {timezone}")
        }
        TriggerSource::External { metric, activation } => {
            format!("{name}: {}, active above {activation}", crate::Metric::Named(metric.clone()))
        }
    }
}

/// The conditions that activation keeps, by the names of KEDA's API.
pub(super) fn conditions(history: &ScaledObjectHistory, is_paused: bool) -> Vec<ConditionShown> {
    let Some(active) = history.active else { return Vec::new() };
    let shown = |name, status, reason: &str, message: String| ConditionShown {
        name,
        status,
        reason: reason.to_string(),
        message,
    };
    let error = history.trigger_error.clone().unwrap_or_default();
    let (status, reason, message) = match history.ready {
        Readiness::Ready => {
            (ConditionStatus::True, "ScaledObjectReady", "its fields and triggers can be used".into())
        }
        Readiness::TriggerError => (ConditionStatus::False, "TriggerError", error),
        Readiness::PartialTriggerError => (ConditionStatus::Unknown, "PartialTriggerError", error),
    };
    let (activity, why) = if active {
        ("ScalerActive", "a trigger is active")
    } else {
        ("ScalerNotActive", "no trigger is active")
    };
    let (fallback, stands_in) = if history.in_fallback {
        ("FallbackExists", "a fallback stands in for a trigger")
    } else {
        ("NoFallbackFound", "no fallback stands in")
    };
    let paused = if is_paused { "ScaledObjectPaused" } else { "ScaledObjectUnpaused" };
    vec![
        shown("Ready", status, reason, message),
        shown("Active", active.into(), activity, why.into()),
        shown("Fallback", history.in_fallback.into(), fallback, stands_in.into()),
        shown("Paused", is_paused.into(), paused, "as its annotations say".into()),
    ]
}
