//! Vectors of windows, rates and bounds.

use scaler_engine::hpa::{
    self, CompleteRules, Limited, RecentChanges, ScalingChange, change_in_period, store_scale_event,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::input::{DirectionInput, EventInput, HistoryInput, RulesInput, seconds, to_events, to_history};
use crate::instants::{NOW, span};

#[derive(Debug, Deserialize)]
pub(crate) struct LimitsInput {
    current: u32,
    desired: u32,
    min: u32,
    max: u32,
}

pub(crate) fn limits(input: &LimitsInput) -> Value {
    limited(hpa::limit_without_behavior(input.current, input.desired, input.min, input.max))
}

fn limited(limited: Limited) -> Value {
    json!({ "replicas": limited.replicas, "reason": limited.reason.to_string() })
}

#[derive(Debug, Deserialize)]
pub(crate) struct WindowInput {
    desired: u32,
    window_s: f64,
    history: Vec<HistoryInput>,
}

pub(crate) fn stabilization_without_behavior(input: &WindowInput) -> Value {
    let mut history = to_history(&input.history);
    let replicas = hpa::stabilize_without_behavior(NOW, input.desired, span(input.window_s), &mut history);
    json!({ "replicas": replicas, "history_len": history.len() })
}

#[derive(Debug, Deserialize)]
pub(crate) struct WindowsInput {
    current: u32,
    desired: u32,
    up_window_s: f64,
    down_window_s: f64,
    history: Vec<HistoryInput>,
}

pub(crate) fn stabilization(input: &WindowsInput) -> Value {
    let mut history = to_history(&input.history);
    let (up, down) = (span(input.up_window_s), span(input.down_window_s));
    let replicas = hpa::stabilize_with_behavior(NOW, input.current, input.desired, up, down, &mut history);
    let after: Vec<u32> = history.iter().map(|recommendation| recommendation.replicas).collect();
    json!({ "replicas": replicas, "history_after": after })
}

#[derive(Debug, Deserialize)]
pub(crate) struct BehaviorInput {
    current: u32,
    desired: u32,
    min: u32,
    max: u32,
    #[serde(default)]
    scale_up_rules: Option<RulesInput>,
    #[serde(default)]
    scale_down_rules: Option<RulesInput>,
    #[serde(default)]
    scale_up_events: Vec<EventInput>,
    #[serde(default)]
    scale_down_events: Vec<EventInput>,
}

pub(crate) fn behavior(input: &BehaviorInput) -> Value {
    let scale_up = complete(DirectionInput::Up, input.scale_up_rules.as_ref());
    let scale_down = complete(DirectionInput::Down, input.scale_down_rules.as_ref());
    let (up, down) = (to_events(&input.scale_up_events), to_events(&input.scale_down_events));
    let changes = RecentChanges { now: NOW, up: &up, down: &down };
    let bounds = (input.min, input.max);
    limited(hpa::limit_with_behavior(input.current, input.desired, bounds, &scale_up, &scale_down, &changes))
}

fn complete(direction: DirectionInput, rules: Option<&RulesInput>) -> CompleteRules {
    let rules = rules.map(RulesInput::to_rules);
    match direction {
        DirectionInput::Up => CompleteRules::for_scale_up(rules.as_ref()),
        DirectionInput::Down => CompleteRules::for_scale_down(rules.as_ref()),
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct RateLimitInput {
    direction: DirectionInput,
    current: u32,
    #[serde(default)]
    rules: Option<RulesInput>,
    #[serde(default)]
    scale_up_events: Vec<EventInput>,
    #[serde(default)]
    scale_down_events: Vec<EventInput>,
}

pub(crate) fn rate_limit(input: &RateLimitInput) -> Value {
    let rules = complete(input.direction, input.rules.as_ref());
    let (up, down) = (to_events(&input.scale_up_events), to_events(&input.scale_down_events));
    let changes = RecentChanges { now: NOW, up: &up, down: &down };
    let limit = match input.direction {
        DirectionInput::Up => hpa::scale_up_limit(input.current, &rules, &changes),
        DirectionInput::Down => hpa::scale_down_limit(input.current, &rules, &changes),
    };
    json!({ "limit": limit })
}

#[derive(Debug, Deserialize)]
pub(crate) struct EventsInput {
    direction: DirectionInput,
    previous_replicas: u32,
    new_replicas: u32,
    #[serde(default)]
    rules: Option<RulesInput>,
    events: Vec<EventInput>,
    query_period_s: f64,
}

pub(crate) fn scale_events(input: &EventsInput) -> Value {
    let mut events = to_events(&input.events);
    let before = change_in_period(NOW, span(input.query_period_s), &events);
    // Without a behavior nothing is stored, because nothing would use it.
    if let Some(rules) = &input.rules {
        let longest = complete(input.direction, Some(rules)).longest_period();
        store_scale_event(NOW, input.new_replicas.abs_diff(input.previous_replicas), longest, &mut events);
    }
    let after: Vec<Value> =
        events.iter().map(|event| json!({ "change": event.change, "outdated": event.outdated })).collect();
    json!({ "change_in_period_before": before, "events_after": after })
}

#[derive(Debug, Deserialize)]
pub(crate) struct DefaultsInput {
    direction: DirectionInput,
    #[serde(default)]
    rules: Option<RulesInput>,
}

pub(crate) fn behavior_defaults(input: &DefaultsInput) -> Result<Value, String> {
    let complete = complete(input.direction, input.rules.as_ref());
    let policies: Vec<Value> = complete
        .policies
        .iter()
        .map(|policy| {
            let (kind, value) = match policy.change {
                ScalingChange::Pods(value) => ("Pods", value),
                ScalingChange::Percent(value) => ("Percent", value),
            };
            json!({ "type": kind, "value": value, "period_s": seconds(policy.period) })
        })
        .collect();
    let select_policy = serde_json::to_value(complete.select_policy).map_err(|error| error.to_string())?;
    Ok(json!({
        "policies": policies,
        "select_policy": select_policy,
        "stabilization_window_s": complete.stabilization_window.map(seconds),
        "tolerance": complete.tolerance,
    }))
}
