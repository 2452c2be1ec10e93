//! Reads `behavior`: windows, rates and tolerances of both directions.

use std::time::Duration;

use scaler_engine::hpa::{Behavior, ScalingChange, ScalingPolicy, ScalingRules, SelectPolicy};

use crate::fields::Fields;
use crate::problem::Problems;

/// The longest stabilization window, in seconds.
const WINDOW_SECONDS_MAX: i32 = 3_600;

/// The longest period of a policy, in seconds.
const PERIOD_SECONDS_MAX: i32 = 1_800;

/// Reads a behavior.
///
/// Source: `pkg/apis/autoscaling/validation/validation.go`, `validateBehavior`.
pub(crate) fn read_behavior(mut fields: Fields<'_>, problems: &mut Problems) -> Behavior {
    let scale_up = fields.map("scaleUp", problems).map(|rules| read_rules(rules, problems));
    let scale_down = fields.map("scaleDown", problems).map(|rules| read_rules(rules, problems));
    fields.finish(problems);
    Behavior { scale_up, scale_down }
}

fn read_rules(mut fields: Fields<'_>, problems: &mut Problems) -> ScalingRules {
    let window = fields.whole(
        "stabilizationWindowSeconds",
        0..=WINDOW_SECONDS_MAX,
        "an hour is the most that Kubernetes looks back",
        problems,
    );
    let words =
        [("Max", SelectPolicy::Max), ("Min", SelectPolicy::Min), ("Disabled", SelectPolicy::Disabled)];
    let select_policy = fields.one_of("selectPolicy", &words, problems);
    let path = fields.at("policies");
    let policies = fields.list("policies", problems).map(|items| {
        if items.is_empty() {
            problems.wrong(&path, "empty", "at least one policy", "leave it out for Kubernetes' defaults");
        }
        let read = |(index, item)| {
            Fields::of(item, &format!("{path}[{index}]"), problems)
                .and_then(|fields| read_policy(fields, problems))
        };
        items.iter().enumerate().filter_map(read).collect()
    });
    let at = fields.at("tolerance");
    let tolerance = fields.quantity_milli("tolerance", problems).map(|milli| {
        if milli < 0 {
            let value = crate::quantity::quantity_of_milli(milli);
            problems.wrong(&at, value, "a fraction of at least 0", "0.05 leaves deviations of 5 % alone");
        }
        milli as f64 / 1_000.0
    });
    fields.finish(problems);
    ScalingRules {
        policies,
        select_policy,
        stabilization_window: window.map(|seconds| Duration::from_secs(u64::from(seconds.unsigned_abs()))),
        tolerance,
    }
}

fn read_policy(mut fields: Fields<'_>, problems: &mut Problems) -> Option<ScalingPolicy> {
    let required = |fields: &mut Fields<'_>, name, expected, hint, problems: &mut Problems| {
        if fields.take(name).is_none() {
            problems.missing(&fields.at(name), expected, hint);
        }
    };
    required(&mut fields, "type", "Pods or Percent", "type: Pods, for example", problems);
    let kinds = [("Pods", false), ("Percent", true)];
    let is_percent = fields.one_of("type", &kinds, problems);
    required(&mut fields, "value", "how many pods or percent", "value: 4, for example", problems);
    let value = fields.whole("value", 1..=i32::MAX, "selectPolicy: Disabled turns a direction off", problems);
    required(
        &mut fields,
        "periodSeconds",
        "the period in seconds",
        "periodSeconds: 60, for example",
        problems,
    );
    let period = fields.whole(
        "periodSeconds",
        1..=PERIOD_SECONDS_MAX,
        "half an hour is the longest period that Kubernetes takes",
        problems,
    );
    fields.finish(problems);
    let change = if is_percent? { ScalingChange::Percent(value?) } else { ScalingChange::Pods(value?) };
    Some(ScalingPolicy { change, period: Duration::from_secs(u64::from(period?.unsigned_abs())) })
}
