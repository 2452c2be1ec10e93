//! Documents for the tests of the rules.

use super::{Finding, LintSettings, lint};
use crate::Manifest;

/// A CPU metric with a target of 70 %, on lines 10 to 12.
pub(super) const CPU: &str = "    - type: Resource\n      resource:\n        name: cpu\n        target: {type: Utilization, averageUtilization: 70}\n";

/// An autoscaler; its metrics begin in line 9, what is behind them follows.
pub(super) fn hpa(min: u32, max: u32, metrics: &str, rest: &str) -> String {
    format!(
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {{name: shop}}\nspec:\n  \
         scaleTargetRef: {{kind: Deployment, name: shop}}\n  minReplicas: {min}\n  maxReplicas: {max}\n  metrics:\n{metrics}{rest}"
    )
}

/// A Deployment with one container, and what is behind it.
pub(super) fn with_deployment(spec: &str, resources: &str, rest: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: shop}}\nspec:\n{spec}  template:\n    spec:\n      containers:\n        \
         - name: app\n          resources: {{{resources}}}\n---\n{rest}"
    )
}

/// The finding of a rule; none if it says nothing.
pub(super) fn found(rule: &str, text: &str) -> Option<Finding> {
    found_with(rule, text, &LintSettings::default())
}

pub(super) fn found_with(rule: &str, text: &str, settings: &LintSettings) -> Option<Finding> {
    let manifest = Manifest::read(text);
    assert_eq!(manifest.problems, [], "{text}");
    lint(&[&manifest], settings).into_iter().find(|finding| finding.rule == rule)
}
