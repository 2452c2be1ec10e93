//! Shows the scaler's present state as one value, which API, page and events are made from.

mod endpoint;
mod freshness;
mod replica_state;

use std::collections::BTreeMap;
use std::time::Duration;

use scaler_engine::{
    Action, AnyPolicy, ConditionShown, Decision, Direction, Limit, Limits, Metric, Observed, Policy as _,
    PolicyEvent, Reading, Reason, SettingValue, Signal, Slo,
};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::clock::{read_rfc3339, rfc3339};
use crate::policy_file::NamedPolicy;

pub(crate) use self::endpoint::EndpointStatus;
use self::freshness::oldest_fresh;
pub(crate) use self::freshness::{GatewayStatus, ReadingState};
pub(crate) use self::replica_state::{ReplicaState, ReplicaStates};

/// Everything at one moment.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Status {
    /// When this was put together (run time).
    #[serde(serialize_with = "as_rfc3339")]
    pub(crate) at: Duration,
    /// The service's name.
    pub(crate) service: String,
    pub(crate) replicas: ReplicaCounts,
    pub(crate) policy: PolicyStatus,
    pub(crate) signals: BTreeMap<Signal, SignalStatus>,
    /// Whether the signals describe the present.
    pub(crate) reading: ReadingState,
    pub(crate) gateway: GatewayStatus,
    /// Time between two measurements of a replica.
    pub(crate) spacing_seconds: f64,
    /// None before the first check.
    pub(crate) last_decision: Option<DecisionStatus>,
    /// Whether automatic actions are off.
    pub(crate) paused: bool,
    /// Whether an action is being carried out.
    pub(crate) acting: bool,
    /// None as long as no replica reported it.
    pub(crate) load_factor: Option<f64>,
    pub(crate) endpoints: Vec<EndpointStatus>,
    /// The span that means, rates and quantiles cover.
    pub(crate) window_seconds: f64,
    pub(crate) slo: Slo,
    /// Where signals come from.
    pub(crate) source: &'static str,
    /// Who starts and stops replicas.
    pub(crate) actuator: &'static str,
    /// What is going wrong at this moment, one sentence each.
    pub(crate) problems: Vec<String>,
    pub(crate) uptime_seconds: f64,
}

/// Replicas, counted in every way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct ReplicaCounts {
    /// That exist.
    pub(crate) current: u32,
    /// That receive requests; none while the gateway does not say which do.
    pub(crate) ready: Option<u32>,
    /// That are wanted.
    pub(crate) desired: u32,
    /// The fewest allowed.
    pub(crate) min: u32,
    /// The most allowed.
    pub(crate) max: u32,
}

/// A signal's last value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct SignalStatus {
    /// In the signal's own unit.
    pub(crate) value: Option<f64>,
    pub(crate) age_seconds: f64,
}

impl Status {
    /// The signals that describe the present; the others without a value. Without the gateway there is nothing to say
    /// about the service: what its replicas measure is not what its clients get.
    pub(crate) fn fresh_signals(&self) -> BTreeMap<Signal, Option<f64>> {
        let limit = self.fresh_for().as_secs_f64();
        let fresh = |reading: &SignalStatus| {
            (self.gateway.responding && reading.age_seconds <= limit).then_some(reading.value?)
        };
        self.signals.iter().map(|(signal, reading)| (*signal, fresh(reading))).collect()
    }

    /// The greatest age at which something describes the present.
    pub(crate) fn fresh_for(&self) -> Duration {
        oldest_fresh(Duration::try_from_secs_f64(self.spacing_seconds).unwrap_or_default())
    }

    /// Replicas in rotation, where the gateway says so.
    pub(crate) fn known_ready(&self) -> Option<u32> {
        self.replicas.ready.filter(|_| self.gateway.responding)
    }
}

impl From<Reading> for SignalStatus {
    fn from(reading: Reading) -> Self {
        Self { value: reading.value, age_seconds: reading.age.as_secs_f64() }
    }
}

/// The policy in force.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct PolicyStatus {
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    /// The file it came from.
    pub(crate) origin: String,
    /// Its settings, named and written as in a policy file.
    pub(crate) settings: Value,
    /// The values of signals at which it acts, for charts; whatever its kind.
    pub(crate) thresholds: Vec<Threshold>,
    /// Its state as its own system shows it; empty for kinds that have none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) conditions: Vec<ConditionShown>,
    /// What it told of lately, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) events: Vec<EventStatus>,
}

/// Something that a policy told of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct EventStatus {
    /// `Normal` or `Warning`, as Kubernetes has it.
    #[serde(rename = "type")]
    pub(crate) event_type: &'static str,
    pub(crate) reason: String,
    pub(crate) message: String,
    pub(crate) count: u32,
    /// When first (run time).
    #[serde(serialize_with = "as_rfc3339")]
    pub(crate) first_at: Duration,
    /// When last (run time).
    #[serde(serialize_with = "as_rfc3339")]
    pub(crate) last_at: Duration,
}

impl From<PolicyEvent> for EventStatus {
    fn from(event: PolicyEvent) -> Self {
        let PolicyEvent { is_warning, reason, message, count, first_at, last_at } = event;
        let event_type = if is_warning { "Warning" } else { "Normal" };
        Self { event_type, reason, message, count, first_at, last_at }
    }
}

/// A line that a signal has to cross before a policy acts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Threshold {
    pub(crate) signal: Metric,
    /// Where crossing it leads.
    pub(crate) direction: Direction,
    /// In the signal's own unit, of the whole service: where the policy judges the share of one replica, this is that
    /// share times the ready replicas.
    pub(crate) value: f64,
    /// The share of one replica at which the policy acts; left out where it judges the whole service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) per_replica: Option<f64>,
}

impl PolicyStatus {
    /// `running` is the policy with what it remembers; `limits` are the ones in force, which may differ from its own;
    /// `ready` the replicas that share a signal.
    pub(crate) fn new(policy: &NamedPolicy, running: &AnyPolicy, limits: Limits, ready: u32) -> Self {
        let mut settings = settings_of(&policy.policy);
        settings.insert("minReplicas".to_owned(), limits.min().into());
        settings.insert("maxReplicas".to_owned(), limits.max().into());
        Self {
            kind: policy.policy.kind(),
            name: policy.name.clone(),
            origin: policy.origin.clone(),
            settings: settings.into(),
            thresholds: thresholds_of(&policy.policy, ready),
            conditions: running.conditions(),
            events: running.events().into_iter().map(EventStatus::from).collect(),
        }
    }
}

fn thresholds_of(policy: &AnyPolicy, ready: u32) -> Vec<Threshold> {
    let tell = |threshold: scaler_engine::Threshold| {
        let scaler_engine::Threshold { signal, direction, value, is_per_replica } = threshold;
        Threshold {
            signal,
            direction,
            value: if is_per_replica { value * f64::from(ready.max(1)) } else { value },
            per_replica: is_per_replica.then_some(value),
        }
    };
    policy.thresholds().into_iter().map(tell).collect()
}

fn settings_of(policy: &AnyPolicy) -> serde_json::Map<String, Value> {
    let written = |value| match value {
        SettingValue::Number(number) => number.into(),
        SettingValue::Count(count) => count.into(),
        SettingValue::Flag(flag) => flag.into(),
        SettingValue::Span(span) => humantime::format_duration(span).to_string().into(),
        SettingValue::Text(text) => text.into(),
    };
    policy
        .settings_shown()
        .into_iter()
        .map(|setting| (setting.field.to_owned(), written(setting.value)))
        .collect()
}

/// A decision, flat.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct DecisionStatus {
    /// When it was made (run time).
    #[serde(serialize_with = "as_rfc3339")]
    pub(crate) at: Duration,
    pub(crate) action: Action,
    pub(crate) from: u32,
    pub(crate) to: u32,
    /// The reason's code.
    pub(crate) reason: &'static str,
    /// The reason as a sentence.
    pub(crate) reason_text: String,
    /// The reason with its values.
    pub(crate) because: Reason,
    pub(crate) limited_by: Option<Limit>,
    /// The values it rests on.
    pub(crate) observation: Observed,
}

impl From<&Decision> for DecisionStatus {
    fn from(decision: &Decision) -> Self {
        Self {
            at: decision.at,
            action: decision.action,
            from: decision.from,
            to: decision.to,
            reason: decision.reason.code(),
            reason_text: decision.reason.to_string(),
            because: decision.reason.clone(),
            limited_by: decision.limited_by,
            observation: decision.observation.clone(),
        }
    }
}

impl From<&DecisionStatus> for Decision {
    fn from(status: &DecisionStatus) -> Self {
        Self {
            at: status.at,
            action: status.action,
            from: status.from,
            to: status.to,
            reason: status.because.clone(),
            limited_by: status.limited_by,
            observation: status.observation.clone(),
        }
    }
}

/// Run time as RFC 3339.
pub(crate) fn as_rfc3339<S: Serializer>(at: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&rfc3339(*at))
}

/// Run time from RFC 3339.
pub(crate) fn from_rfc3339<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    read_rfc3339(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policy_file::PolicyOverrides;

    fn status_of(per_replica: bool, ready: u32) -> Value {
        let text = format!(
            "apiVersion: autoscale-lab/v1\nkind: ThresholdPolicy\nspec:\n  signal: requests_per_second\n  \
             perReplica: {per_replica}\n  scaleUpThreshold: 60\n  scaleDownThreshold: 27\n"
        );
        let policy = NamedPolicy::from_text("my.yaml", "my", &text, &PolicyOverrides::default()).unwrap();
        serde_json::to_value(PolicyStatus::new(&policy, &policy.policy, policy.policy.limits(), ready))
            .unwrap()
    }

    #[test]
    fn a_threshold_per_replica_is_told_as_one_and_for_the_whole_service() {
        let told = status_of(true, 3);
        assert_eq!(told["settings"]["perReplica"], true);
        let thresholds = &told["thresholds"];
        assert_eq!((&thresholds[0]["value"], &thresholds[0]["per_replica"]), (&json!(180.0), &json!(60.0)));
        assert_eq!((&thresholds[1]["value"], &thresholds[1]["per_replica"]), (&json!(81.0), &json!(27.0)));
        assert_eq!(
            status_of(true, 0)["thresholds"][0]["value"],
            60.0,
            "as it is judged without a ready replica"
        );
    }

    #[test]
    fn a_threshold_of_the_whole_service_does_not_depend_on_the_replicas() {
        let told = status_of(false, 3);
        assert_eq!(told["settings"]["perReplica"], false);
        assert_eq!(
            (&told["thresholds"][0]["value"], &told["thresholds"][0]["per_replica"]),
            (&json!(60.0), &json!(null))
        );
    }

    #[test]
    fn every_setting_of_a_policy_file_is_told() {
        let told = status_of(false, 1);
        for field in crate::policy_file::FIELDS {
            assert!(told["settings"].get(field).is_some(), "{field} is missing: {told}");
        }
    }
}
