//! Shows the settings of a threshold policy as its file writes them.

use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use super::ThresholdSettings;
use crate::policy::{Setting, SettingValue, Threshold};
use crate::reason::Direction;

pub(super) fn settings(settings: &ThresholdSettings) -> Vec<Setting> {
    vec![
        Setting::new("signal", SettingValue::Text(settings.signal.to_string())),
        Setting::new("perReplica", SettingValue::Flag(settings.per_replica)),
        Setting::new("window", SettingValue::Span(settings.window)),
        Setting::new("checkInterval", SettingValue::Span(settings.check_interval)),
        Setting::new("scaleUpThreshold", SettingValue::Number(settings.scale_up_threshold)),
        Setting::new("scaleUpChecks", SettingValue::Count(settings.scale_up_checks)),
        Setting::new("scaleDownThreshold", SettingValue::Number(settings.scale_down_threshold)),
        Setting::new("scaleDownChecks", SettingValue::Count(settings.scale_down_checks)),
        Setting::new("scaleUpCooldown", SettingValue::Span(settings.scale_up_cooldown)),
        Setting::new("scaleDownCooldown", SettingValue::Span(settings.scale_down_cooldown)),
    ]
}

pub(super) fn thresholds(settings: &ThresholdSettings) -> Vec<Threshold> {
    [(Direction::Up, settings.scale_up_threshold), (Direction::Down, settings.scale_down_threshold)]
        .into_iter()
        .map(|(direction, value)| Threshold {
            signal: settings.signal.into(),
            direction,
            value,
            is_per_replica: settings.per_replica,
        })
        .collect()
}
