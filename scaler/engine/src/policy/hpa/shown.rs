//! Shows the settings of an autoscaler and of its controller manager as people write them.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use crate::policy::hpa::reason::metric_text;
use crate::policy::hpa::{
    Behavior, CompleteRules, ControllerSettings, HpaSpec, Metric, MetricTarget, ScaleToZero, ScalingChange,
    SelectPolicy,
};
use crate::policy::{Setting, SettingValue};

pub(crate) fn settings_shown(spec: &HpaSpec, settings: &ControllerSettings) -> Vec<Setting> {
    let metrics: Vec<String> = spec.metrics.iter().map(metric_shown).collect();
    let mut shown = vec![Setting::new("metrics", SettingValue::Text(metrics.join("; ")))];
    if let Some(behavior) = &spec.behavior {
        let (up, down) = behavior_shown(behavior);
        shown.push(Setting::new("behavior.scaleUp", SettingValue::Text(up)));
        shown.push(Setting::new("behavior.scaleDown", SettingValue::Text(down)));
    }
    let scale_to_zero = match settings.scale_to_zero {
        ScaleToZero::Before1_36 => "before 1.36",
        ScaleToZero::Off => "off",
        ScaleToZero::On => "on",
    };
    shown.extend([
        Setting::new("syncPeriod", SettingValue::Span(settings.sync_period)),
        Setting::new("tolerance", SettingValue::Number(settings.tolerance)),
        Setting::new("downscaleStabilization", SettingValue::Span(settings.downscale_stabilization)),
        Setting::new("cpuInitializationPeriod", SettingValue::Span(settings.cpu_initialization_period)),
        Setting::new("initialReadinessDelay", SettingValue::Span(settings.initial_readiness_delay)),
        Setting::new("scaleToZero", SettingValue::Text(scale_to_zero.into())),
    ]);
    shown
}

fn metric_shown(metric: &Metric) -> String {
    let units = |milli: i64| milli as f64 / 1e3;
    let target = match metric.target {
        Some(MetricTarget::Utilization { percent }) => format!("{percent} %"),
        Some(MetricTarget::AverageValue { milli }) => format!("{} per pod", units(milli)),
        Some(MetricTarget::Value { milli }) => units(milli).to_string(),
        None => "no target".into(),
    };
    format!("{}: {target}", metric_text(metric))
}

fn behavior_shown(behavior: &Behavior) -> (String, String) {
    (rules_shown(&behavior.complete_scale_up()), rules_shown(&behavior.complete_scale_down()))
}

fn rules_shown(rules: &CompleteRules) -> String {
    let rates: Vec<String> = rules
        .policies
        .iter()
        .map(|policy| {
            let change = match policy.change {
                ScalingChange::Pods(pods) => format!("{pods} pods"),
                ScalingChange::Percent(percent) => format!("{percent} %"),
            };
            format!("{change} per {} s", policy.period.as_secs())
        })
        .collect();
    let which = match rules.select_policy {
        SelectPolicy::Max => "the largest of",
        SelectPolicy::Min => "the smallest of",
        SelectPolicy::Disabled => return "disabled".into(),
    };
    let window = rules
        .stabilization_window
        .map_or_else(|| "the controller's window".into(), |window| format!("window {} s", window.as_secs()));
    format!("{which} {}; {window}", rates.join(", "))
}
