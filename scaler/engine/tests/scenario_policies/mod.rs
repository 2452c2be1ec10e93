//! Makes the policies of the followed scenarios from one line.

use std::time::Duration;

use scaler_engine::AnyPolicy;
use scaler_engine::CronWindow;
use scaler_engine::hpa::{
    Behavior, ControllerSettings, HpaPolicy, HpaSpec, Metric, MetricSource, MetricTarget, Resource,
    ScalingChange, ScalingPolicy, ScalingRules, SelectPolicy,
};
use scaler_engine::keda::{
    CRON_TARGET_MILLI, ExternalTargetType, Fallback, FallbackBehavior, PolledTrigger, ScaledObjectPolicy,
    ScaledObjectSpec, Trigger, TriggerSource, TriggerTarget,
};
use scaler_engine::knative::{KnativePolicy, KnativeSpec, PANIC_WINDOW_PERCENTAGE, panic_window};

/// The policy that a step describes; none if it is not understood.
pub(crate) fn policy_of(words: &[&str]) -> Option<AnyPolicy> {
    let settings: Vec<(&str, &str)> =
        words.get(1..)?.iter().map(|word| word.split_once('=')).collect::<Option<_>>()?;
    match *words.first()? {
        "hpa" => hpa(&settings),
        "keda" => keda(&settings),
        "knative" => knative(&settings),
        _ => None,
    }
}

pub(crate) fn span(text: &str) -> Option<Duration> {
    text.strip_suffix('s')?.parse().ok().map(Duration::from_secs_f64)
}

/// `30` becomes 30,000.
fn milli(text: &str) -> Option<i64> {
    text.parse::<i64>().ok().map(|whole| whole * 1_000)
}

fn hpa(settings: &[(&str, &str)]) -> Option<AnyPolicy> {
    let mut spec = HpaSpec { min_replicas: 1, max_replicas: 10, behavior: None, metrics: Vec::new() };
    let mut controller = ControllerSettings::default();
    for &(name, value) in settings {
        match name {
            "min" => spec.min_replicas = value.parse().ok()?,
            "max" => spec.max_replicas = value.parse().ok()?,
            "profile" => controller = ControllerSettings::of(value.parse().ok()?),
            "cpu" => spec.metrics.push(metric(MetricSource::Resource(Resource::Cpu), value)?),
            "memory" => spec.metrics.push(metric(MetricSource::Resource(Resource::Memory), value)?),
            "pods" => spec.metrics.push(metric(MetricSource::Pods("orders_per_second".into()), value)?),
            "object" => spec.metrics.push(metric(MetricSource::Object("hits_per_second".into()), value)?),
            "external" => spec.metrics.push(metric(MetricSource::External("orders_waiting".into()), value)?),
            "up_window" | "up_rate" | "up_tolerance" => {
                let behavior = spec.behavior.get_or_insert_default();
                rule(behavior.scale_up.get_or_insert_default(), name.strip_prefix("up_")?, value)?;
            }
            "down_window" | "down_rate" | "down_tolerance" => {
                let behavior: &mut Behavior = spec.behavior.get_or_insert_default();
                rule(behavior.scale_down.get_or_insert_default(), name.strip_prefix("down_")?, value)?;
            }
            _ => return None,
        }
    }
    HpaPolicy::new(spec, controller).ok().map(AnyPolicy::from)
}

/// `70%`, `30` for a mean per pod, `value:30` for the metric itself.
fn metric(source: MetricSource, text: &str) -> Option<Metric> {
    let target = if let Some(percent) = text.strip_suffix('%') {
        MetricTarget::Utilization { percent: percent.parse().ok()? }
    } else if let Some(value) = text.strip_prefix("value:") {
        MetricTarget::Value { milli: milli(value)? }
    } else {
        MetricTarget::AverageValue { milli: milli(text)? }
    };
    Some(Metric { source, target: Some(target) })
}

fn rule(rules: &mut ScalingRules, name: &str, text: &str) -> Option<()> {
    match (name, text) {
        ("window", _) => rules.stabilization_window = Some(span(text)?),
        ("tolerance", _) => rules.tolerance = Some(text.parse().ok()?),
        ("rate", "disabled") => rules.select_policy = Some(SelectPolicy::Disabled),
        ("rate", _) => {
            let (change, period) = text.split_once('/')?;
            let change = match change.strip_suffix('%') {
                Some(percent) => ScalingChange::Percent(percent.parse().ok()?),
                None => ScalingChange::Pods(change.parse().ok()?),
            };
            let policy = ScalingPolicy { change, period: span(period)? };
            rules.policies.get_or_insert_default().push(policy);
        }
        _ => return None,
    }
    Some(())
}

fn keda(settings: &[(&str, &str)]) -> Option<AnyPolicy> {
    let mut spec = ScaledObjectSpec::default();
    let mut activation = 0.0;
    for &(name, value) in settings {
        match name {
            "min" => spec.min_replicas = value.parse().ok(),
            "max" => spec.max_replicas = value.parse().ok(),
            "idle" => spec.activation.idle_replicas = value.parse().ok(),
            "polling" => spec.polling_interval = span(value)?,
            "cooldown" => spec.activation.cooldown = span(value)?,
            "activation" => activation = value.parse().ok()?,
            "fallback" => {
                let (replicas, failures) = value.split_once("after")?;
                let (failure_threshold, replicas) = (failures.parse().ok()?, replicas.parse().ok()?);
                let behavior = FallbackBehavior::Static;
                spec.fallback = Some(Fallback { failure_threshold, replicas, behavior });
            }
            "prometheus" => {
                let metric = "orders_waiting".into();
                let source = TriggerSource::External { metric, activation };
                spec.triggers.push(trigger("s0-prometheus", milli(value)?, source));
            }
            // Office hours in Berlin.
            "cron" => {
                let window = CronWindow::new("Europe/Berlin", "0 8 * * 1-5", "0 18 * * 1-5").ok()?;
                let source = TriggerSource::Cron { window, desired_replicas: value.parse().ok()? };
                spec.triggers.push(trigger("s1-cron", CRON_TARGET_MILLI, source));
            }
            _ => return None,
        }
    }
    ScaledObjectPolicy::new(spec, ControllerSettings::default()).ok().map(AnyPolicy::from)
}

fn trigger(name: &str, milli: i64, source: TriggerSource) -> PolledTrigger {
    let target = TriggerTarget::External { target_type: ExternalTargetType::AverageValue, milli };
    PolledTrigger { trigger: Trigger { name: name.to_owned(), target }, source, uses_cached_metrics: false }
}

fn knative(settings: &[(&str, &str)]) -> Option<AnyPolicy> {
    let mut spec = KnativeSpec::default();
    for &(name, value) in settings {
        match name {
            "target" => spec.kpa.target = value.parse().ok()?,
            "total" => spec.kpa.total = value.parse().ok()?,
            "min" => spec.scale.min_scale = value.parse().ok()?,
            "max" => spec.scale.max_scale = value.parse().ok()?,
            "burst" => spec.kpa.target_burst_capacity = value.parse().ok()?,
            "activation" => spec.kpa.activation_scale = value.parse().ok()?,
            "delay" => spec.kpa.scale_down_delay = span(value)?,
            "retention" => spec.scale.pod_retention = span(value)?,
            "window" => {
                spec.kpa.stable_window = span(value)?;
                spec.panic_window = panic_window(spec.kpa.stable_window, PANIC_WINDOW_PERCENTAGE);
            }
            _ => return None,
        }
    }
    KnativePolicy::new(spec).ok().map(AnyPolicy::from)
}
