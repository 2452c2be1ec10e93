//! Rules about windows and rates.

use std::time::Duration;

use scaler_engine::hpa::{CompleteRules, RecentChanges, ScalingChange, SelectPolicy, scale_up_limit};

use super::{LintSettings, Report, Severity};
use crate::knative::KnativeDocument;
use crate::subject::Subject;

pub(super) const NO_STABILIZATION: &str = "no-stabilization";
pub(super) const SLOW_RATE: &str = "slow-scale-up";
pub(super) const WINDOW_LONGER_THAN_PATTERN: &str = "window-longer-than-pattern";

/// Without a pattern: peaks of two minutes are ordinary, and a scale-up window must not hide them.
const PEAK: Duration = Duration::from_secs(120);

/// Without a pattern: peaks that return each half hour are ordinary, and replicas should leave in between.
const BETWEEN_PEAKS: Duration = Duration::from_secs(1_800);

/// A way to the maximum that takes longer is slow.
const SLOW: Duration = Duration::from_secs(300);

pub(super) fn judge(subject: &Subject<'_>, settings: &LintSettings, report: &mut Report) {
    let behavior = subject.spec.behavior.as_ref();
    let rules = behavior.map(|behavior| (behavior.complete_scale_up(), behavior.complete_scale_down()));
    if let Some((up, down)) = &rules {
        no_stabilization(subject, up, down, settings, report);
        up_window(subject, up, settings, report);
        slow_rate(subject, up, report);
    }
    let may_go_down = rules.as_ref().is_none_or(|(_, down)| down.select_policy != SelectPolicy::Disabled);
    let written = rules.as_ref().and_then(|(_, down)| down.stabilization_window);
    let window = written.unwrap_or(settings.controller.downscale_stabilization);
    let pattern = settings.pattern.unwrap_or(BETWEEN_PEAKS);
    if may_go_down && window >= pattern {
        let message = format!(
            "replicas leave only after {} s of lower recommendations, and the next peak comes after {} s: the count stays at \
             its highest; shorten the window or keep the replicas on purpose with a higher minimum",
            window.as_secs(),
            pattern.as_secs()
        );
        let field = format!("{}.scaleDown.stabilizationWindowSeconds", subject.fields.behavior);
        let numbers = [("window_seconds", window.as_secs_f64()), ("pattern_seconds", pattern.as_secs_f64())];
        report.about(subject, (WINDOW_LONGER_THAN_PATTERN, Severity::Warning), &field, message, &numbers);
    }
}

fn no_stabilization(
    subject: &Subject<'_>,
    up: &CompleteRules,
    down: &CompleteRules,
    settings: &LintSettings,
    report: &mut Report,
) {
    let up_window = up.stabilization_window.unwrap_or_default();
    let down_window = down.stabilization_window.unwrap_or(settings.controller.downscale_stabilization);
    let is_free = |rules: &CompleteRules| rules.select_policy != SelectPolicy::Disabled;
    if !(up_window.is_zero() && down_window.is_zero() && is_free(up) && is_free(down)) {
        return;
    }
    let sync = settings.controller.sync_period.as_secs_f64();
    let message = format!(
        "no window in either direction: a metric that swings makes the count swing every {sync} s; give scaleDown a window, \
         300 s is Kubernetes' default"
    );
    let field = format!("{}.scaleDown.stabilizationWindowSeconds", subject.fields.behavior);
    let numbers =
        [("scale_up_window_seconds", 0.0), ("scale_down_window_seconds", 0.0), ("sync_period_seconds", sync)];
    report.about(subject, (NO_STABILIZATION, Severity::Warning), &field, message, &numbers);
}

fn up_window(subject: &Subject<'_>, up: &CompleteRules, settings: &LintSettings, report: &mut Report) {
    let window = up.stabilization_window.unwrap_or_default();
    let peak = settings.pattern.unwrap_or(PEAK);
    if window < peak {
        return;
    }
    let message = format!(
        "replicas are added only after {} s of higher recommendations: a peak of {} s is over before one is; shorten the window",
        window.as_secs(),
        peak.as_secs()
    );
    let field = format!("{}.scaleUp.stabilizationWindowSeconds", subject.fields.behavior);
    let numbers = [("window_seconds", window.as_secs_f64()), ("pattern_seconds", peak.as_secs_f64())];
    report.about(subject, (WINDOW_LONGER_THAN_PATTERN, Severity::Warning), &field, message, &numbers);
}

/// How long the rates need from the minimum to the maximum.
fn slow_rate(subject: &Subject<'_>, up: &CompleteRules, report: &mut Report) {
    let (min, max) = (subject.spec.min_replicas.max(1), subject.spec.max_replicas);
    if min >= max {
        return;
    }
    let field = format!("{}.scaleUp", subject.fields.behavior);
    let Some(took) = time_to_reach(min, max, up) else {
        let message =
            format!("the rules for scaling up allow no step from {min} replicas: {max} are never reached");
        let numbers = [("min_replicas", f64::from(min)), ("max_replicas", f64::from(max))];
        report.about(subject, (SLOW_RATE, Severity::Warning), &field, message, &numbers);
        return;
    };
    if took <= SLOW {
        return;
    }
    let message = format!(
        "from {min} to {max} replicas the rates take at least {} s, whatever the load; allow more pods per period",
        took.as_secs()
    );
    let numbers = [
        ("min_replicas", f64::from(min)),
        ("max_replicas", f64::from(max)),
        ("seconds_to_max", took.as_secs_f64()),
    ];
    report.about(subject, (SLOW_RATE, Severity::Warning), &field, message, &numbers);
}

/// The time from one count to another where each step waits for the shortest period; none if there is no step.
fn time_to_reach(from: u32, to: u32, rules: &CompleteRules) -> Option<Duration> {
    let period = rules.policies.iter().map(|policy| policy.period).min()?;
    let per_step = |count: u32| {
        let changes = RecentChanges { now: Duration::ZERO, up: &[], down: &[] };
        u32::try_from(scale_up_limit(count, rules, &changes)).unwrap_or(count)
    };
    // A single fixed number of pods is the slowest, and may need very many steps.
    if let [policy] = rules.policies.as_slice()
        && let ScalingChange::Pods(pods) = policy.change
        && rules.select_policy != SelectPolicy::Disabled
    {
        let steps = (to - from).div_ceil(pods.unsigned_abs().max(1));
        return Some(policy.period * steps.saturating_sub(1));
    }
    let (mut count, mut steps) = (from, 0_u32);
    while count < to {
        let next = per_step(count);
        if next <= count || steps > 10_000 {
            return None;
        }
        count = next;
        steps += 1;
    }
    Some(period * steps.saturating_sub(1))
}

pub(super) fn knative(service: &KnativeDocument, settings: &LintSettings, report: &mut Report) {
    let Some(pattern) = settings.pattern else { return };
    let window = service.spec.stable_window;
    if window < pattern {
        return;
    }
    let field = "spec.template.metadata.annotations[autoscaling.knative.dev/window]";
    let message = format!(
        "the stable window of {} s averages whole peaks away, which come every {} s; shorten it",
        window.as_secs(),
        pattern.as_secs()
    );
    let numbers = [("window_seconds", window.as_secs_f64()), ("pattern_seconds", pattern.as_secs_f64())];
    let place = (service.lines.of_field(field), field);
    report.add(WINDOW_LONGER_THAN_PATTERN, Severity::Warning, place, message, &numbers);
}

#[cfg(test)]
mod tests {
    use super::super::testing::{CPU, found, found_with, hpa};
    use super::*;

    #[test]
    fn windows_of_zero_in_both_directions_are_named() {
        let both = hpa(1, 5, CPU, "  behavior: {scaleDown: {stabilizationWindowSeconds: 0}}\n");
        let finding = found(NO_STABILIZATION, &both).unwrap();
        assert_eq!(finding.numbers.get("sync_period_seconds"), Some(&15.0));
        assert_eq!(
            found(
                NO_STABILIZATION,
                &hpa(1, 5, CPU, "  behavior: {scaleUp: {stabilizationWindowSeconds: 0}}\n")
            ),
            None
        );
        assert_eq!(found(NO_STABILIZATION, &hpa(1, 5, CPU, "")), None);
    }

    #[test]
    fn a_window_is_compared_with_the_pattern() {
        let long = hpa(1, 5, CPU, "  behavior:\n    scaleDown: {stabilizationWindowSeconds: 3600}\n");
        let finding = found(WINDOW_LONGER_THAN_PATTERN, &long).unwrap();
        assert_eq!((finding.line, finding.numbers["window_seconds"]), (14, 3_600.0));
        let up = hpa(1, 5, CPU, "  behavior: {scaleUp: {stabilizationWindowSeconds: 180}}\n");
        assert!(found(WINDOW_LONGER_THAN_PATTERN, &up).unwrap().field.contains("scaleUp"));
        assert_eq!(found(WINDOW_LONGER_THAN_PATTERN, &hpa(1, 5, CPU, "")), None);
        let settings = LintSettings { pattern: Some(Duration::from_secs(240)), ..LintSettings::default() };
        assert_eq!(
            found_with(WINDOW_LONGER_THAN_PATTERN, &hpa(1, 5, CPU, ""), &settings)
                .unwrap()
                .numbers
                .get("window_seconds"),
            Some(&300.0),
            "the default window"
        );
        let disabled = hpa(1, 5, CPU, "  behavior: {scaleDown: {selectPolicy: Disabled}}\n");
        assert_eq!(found_with(WINDOW_LONGER_THAN_PATTERN, &disabled, &settings), None);
    }

    #[test]
    fn slow_rates_are_told_with_the_time_they_take() {
        let slow = hpa(
            1,
            10,
            CPU,
            "  behavior: {scaleUp: {policies: [{type: Pods, value: 1, periodSeconds: 60}]}}\n",
        );
        assert_eq!(found(SLOW_RATE, &slow).unwrap().numbers.get("seconds_to_max"), Some(&480.0));
        let fast = hpa(
            1,
            10,
            CPU,
            "  behavior: {scaleUp: {policies: [{type: Percent, value: 100, periodSeconds: 15}]}}\n",
        );
        assert_eq!(found(SLOW_RATE, &fast), None);
        let never = hpa(1, 10, CPU, "  behavior: {scaleUp: {selectPolicy: Disabled}}\n");
        assert!(found(SLOW_RATE, &never).unwrap().message.contains("never reached"));
    }
}
