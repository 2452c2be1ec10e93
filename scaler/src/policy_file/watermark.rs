//! Reads the document of a watermark policy: the fields of its `spec`.

use std::collections::BTreeMap;
use std::time::Duration;

use excerpt::excerpt;
use scaler_engine::policy::watermark::{WatermarkPolicy, WatermarkSettings};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_saphyr::Spanned;

use super::error::PolicyFileError;
use super::header::{Document, Metadata};
use super::overrides::PolicyOverrides;
use super::settings::{parse_bool, parse_count, parse_signal, parse_span, parse_threshold};

const FIELDS: [&str; 11] = [
    "signal",
    "perReplica",
    "low",
    "high",
    "window",
    "checkInterval",
    "scaleDownChecks",
    "scaleUpCooldown",
    "scaleDownCooldown",
    "minReplicas",
    "maxReplicas",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Body {
    #[serde(rename = "apiVersion")]
    _api_version: IgnoredAny,
    #[serde(rename = "kind")]
    _kind: IgnoredAny,
    metadata: Option<Metadata>,
    spec: Option<BTreeMap<String, Spanned<String>>>,
}

/// The policy, and its name where it has one. The thresholds of overrides are the marks.
pub(super) fn read(
    document: &Document<'_>,
    overrides: &PolicyOverrides,
) -> Result<(Option<String>, WatermarkPolicy), PolicyFileError> {
    let body: Body = document.body()?;
    let spec = body.spec.unwrap_or_default();
    let refuse =
        |line, problem: String, hint: &str| PolicyFileError::new(document.origin, line, problem, hint);
    let mut settings = WatermarkSettings::default();
    for (field, written) in &spec {
        let line = Some(written.referenced.line());
        match set(&mut settings, field, &written.value) {
            Some(Ok(())) => {}
            Some(Err(expected)) => {
                let problem = format!("`spec.{field}` is `{}`, expected {expected}", excerpt(&written.value));
                return Err(refuse(line, problem, "marks are in the signal's own unit"));
            }
            None => {
                let problem = format!("`spec.{}` is not a field of WatermarkPolicy", excerpt(field));
                return Err(refuse(line, problem, &format!("known fields are {}", FIELDS.join(", "))));
            }
        }
    }
    if overrides.scale_up_checks.is_some() {
        let problem = "overridden by a flag or an environment variable, `scaleUpChecks` is not a setting of a WatermarkPolicy";
        return Err(refuse(None, problem.to_owned(), "it asks for more at the first check above `high`"));
    }
    override_settings(&mut settings, overrides);
    let policy = WatermarkPolicy::new(settings).map_err(|error| {
        let problem = format!("`spec.{}` is {}, expected {}", error.field, error.value, error.expected);
        let flag = match error.field {
            "high" => "scaleUpThreshold",
            "low" => "scaleDownThreshold",
            other => other,
        };
        if overrides.sets(flag) {
            let problem = format!("overridden by a flag or an environment variable, {problem}");
            return refuse(None, problem, error.hint);
        }
        let line = spec.get(error.field).map(|written| written.referenced.line());
        refuse(line, problem, error.hint)
    })?;
    Ok((body.metadata.unwrap_or_default().name, policy))
}

fn override_settings(settings: &mut WatermarkSettings, overrides: &PolicyOverrides) {
    fn put<Value>(setting: &mut Value, value: Option<Value>) {
        if let Some(value) = value {
            *setting = value;
        }
    }
    put(&mut settings.signal, overrides.signal);
    put(&mut settings.window, overrides.window);
    put(&mut settings.check_interval, overrides.check_interval);
    put(&mut settings.high, overrides.scale_up_threshold);
    put(&mut settings.low, overrides.scale_down_threshold);
    put(&mut settings.scale_down_checks, overrides.scale_down_checks);
    put(&mut settings.scale_up_cooldown, overrides.scale_up_cooldown);
    put(&mut settings.scale_down_cooldown, overrides.scale_down_cooldown);
    put(&mut settings.min_replicas, overrides.min_replicas);
    put(&mut settings.max_replicas, overrides.max_replicas);
}

/// Sets one field of `spec`; none if there is no such field, and what was expected if it cannot be read.
fn set(settings: &mut WatermarkSettings, field: &str, text: &str) -> Option<Result<(), String>> {
    let span = |target: &mut Duration| parse_span(text).map(|span| *target = span);
    let count = |target: &mut u32| parse_count(text).map(|count| *target = count);
    let mark = |target: &mut f64| parse_threshold(text).map(|mark| *target = mark);
    Some(match field {
        "signal" => parse_signal(text).map(|signal| settings.signal = signal),
        "perReplica" => parse_bool(text).map(|per_replica| settings.per_replica = per_replica),
        "low" => mark(&mut settings.low),
        "high" => mark(&mut settings.high),
        "window" => span(&mut settings.window),
        "checkInterval" => span(&mut settings.check_interval),
        "scaleDownChecks" => count(&mut settings.scale_down_checks),
        "scaleUpCooldown" => span(&mut settings.scale_up_cooldown),
        "scaleDownCooldown" => span(&mut settings.scale_down_cooldown),
        "minReplicas" => count(&mut settings.min_replicas),
        "maxReplicas" => count(&mut settings.max_replicas),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use scaler_engine::{AnyPolicy, Policy as _};

    use super::*;
    use crate::policy_file::NamedPolicy;

    fn read(spec: &str) -> Result<NamedPolicy, PolicyFileError> {
        read_with(spec, PolicyOverrides::default())
    }

    fn read_with(spec: &str, overrides: PolicyOverrides) -> Result<NamedPolicy, PolicyFileError> {
        let text = format!("apiVersion: autoscale-lab/v1\nkind: WatermarkPolicy\nspec: {{{spec}}}\n");
        NamedPolicy::from_text("wm.yaml", "wm", &text, &overrides)
    }

    #[test]
    fn overrides_set_the_marks_and_are_refused_where_they_mean_nothing() {
        let overrides = PolicyOverrides {
            scale_up_threshold: Some(80.0),
            max_replicas: Some(4),
            ..PolicyOverrides::default()
        };
        let settings = WatermarkSettings { high: 80.0, max_replicas: 4, ..WatermarkSettings::default() };
        let expected = AnyPolicy::from(WatermarkPolicy::new(settings).unwrap());
        assert_eq!(read_with("high: 50", overrides).unwrap().policy, expected);
        let wrong = PolicyOverrides { scale_up_threshold: Some(10.0), ..PolicyOverrides::default() };
        let error = read_with("", wrong).unwrap_err().to_string();
        assert!(error.contains("`spec.low` is 30"), "{error}");
        let checks = PolicyOverrides { scale_up_checks: Some(2), ..PolicyOverrides::default() };
        let error = read_with("", checks).unwrap_err().to_string();
        assert!(error.contains("overridden by a flag") && error.contains("scaleUpChecks"), "{error}");
    }

    #[test]
    fn every_field_has_a_default_and_can_be_set() {
        let defaults = AnyPolicy::from(WatermarkPolicy::new(WatermarkSettings::default()).unwrap());
        assert_eq!(read("").unwrap().policy, defaults);
        let set = read("signal: in_flight, perReplica: false, low: 2, high: 4, maxReplicas: 3").unwrap();
        assert_eq!((set.policy.kind(), set.policy.limits().max()), ("WatermarkPolicy", 3));
        for field in FIELDS {
            assert!(set_is_known(field), "{field}");
        }
    }

    fn set_is_known(field: &str) -> bool {
        set(&mut WatermarkSettings::default(), field, "nonsense").is_some()
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (spec, expected) in [
            ("low: 60", "`spec.low` is 60, expected from 0 to below `high`, which is 60"),
            ("high: many", "`spec.high` is `many`"),
            ("hihg: 3", "`spec.hihg` is not a field of WatermarkPolicy"),
        ] {
            let error = read(spec).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains("wm.yaml:3"), "{error}");
        }
    }
}
