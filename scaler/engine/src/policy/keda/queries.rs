//! Asks the triggers: one answer each, with fallbacks standing in where they should.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use crate::need::Need;
use crate::observation::Observation;
use crate::policy::hpa::MetricAnswer;
use crate::policy::hpa::inputs::{external_need, total};
use crate::policy::keda::{
    Answered, ExternalTargetType, Fallback, FallbackTarget, PolledTrigger, Query, TriggerMetric,
    TriggerOutcome, TriggerSource, TriggerTarget, answer_query, cron_metric, exported_milli,
};

/// What one trigger came to in one query.
#[derive(Clone, Debug)]
pub(super) struct Queried {
    pub(super) outcome: TriggerOutcome,
    /// What the autoscaler is given.
    pub(super) answer: MetricAnswer,
}

impl Queried {
    /// The exported value in thousandths; none of a resource, or of a query that failed.
    pub(super) fn exported_milli(&self) -> Option<i64> {
        match &self.answer {
            MetricAnswer::External(values) => values.first().copied(),
            _ => None,
        }
    }
}

/// The need of a trigger; none where it needs nothing measured, or the autoscaler asks itself.
pub(super) fn need_of(trigger: &PolledTrigger) -> Option<Need> {
    match &trigger.source {
        TriggerSource::External { metric, .. } => Some(external_need(metric)),
        TriggerSource::Resource | TriggerSource::Cron { .. } => None,
    }
}

/// Asks each trigger but `cpu` and `memory`. Each query counts for the fallback, whichever loop makes it.
pub(super) fn ask(
    triggers: &[PolledTrigger],
    fallback: Option<&Fallback>,
    failures: &mut Vec<u32>,
    seen: &Observation,
    current_replicas: u32,
) -> Vec<Queried> {
    failures.resize(triggers.len(), 0);
    let asked = triggers.iter().zip(failures.iter_mut());
    asked.map(|(trigger, failures)| ask_one(trigger, fallback, failures, seen, current_replicas)).collect()
}

fn ask_one(
    trigger: &PolledTrigger,
    fallback: Option<&Fallback>,
    failures: &mut u32,
    seen: &Observation,
    current_replicas: u32,
) -> Queried {
    let Some(target) = fallback_target(trigger) else {
        let answer = MetricAnswer::Failed("the autoscaler evaluates resources itself".into());
        return Queried { outcome: TriggerOutcome::Resource, answer };
    };
    let metric = value(trigger, seen);
    let query = Query {
        value_milli: metric.as_ref().ok().map(|metric| metric.value_milli),
        target,
        current_replicas: Some(current_replicas),
        ready_pods: Some(seen.ready),
    };
    match (answer_query(fallback, failures, &query), metric) {
        (Ok(Answered { metric_milli, fallback_active }), metric) => {
            let outcome = match metric {
                _ if fallback_active => TriggerOutcome::InFallback,
                Ok(TriggerMetric { active: true, .. }) => TriggerOutcome::Active,
                _ => TriggerOutcome::Inactive,
            };
            Queried { outcome, answer: MetricAnswer::External([metric_milli].into()) }
        }
        (Err(error), metric) => {
            let why = metric.err().unwrap_or_else(|| error.to_string());
            Queried { outcome: TriggerOutcome::Failed, answer: MetricAnswer::Failed(why) }
        }
    }
}

/// None of a resource.
fn fallback_target(trigger: &PolledTrigger) -> Option<FallbackTarget> {
    match trigger.trigger.target {
        TriggerTarget::Resource { .. } => None,
        TriggerTarget::External { target_type: ExternalTargetType::Value, milli } => {
            Some(FallbackTarget::Value { milli })
        }
        TriggerTarget::External { milli, .. } => Some(FallbackTarget::AverageValue { milli }),
    }
}

/// The value of a trigger, or why there is none.
fn value(trigger: &PolledTrigger, seen: &Observation) -> Result<TriggerMetric, String> {
    match &trigger.source {
        TriggerSource::Cron { window, desired_replicas } => {
            let is_open = window.is_open(seen.at).ok_or("the time is beyond the calendar")?;
            Ok(cron_metric(is_open, *desired_replicas))
        }
        TriggerSource::External { activation, .. } => {
            let need = need_of(trigger).ok_or("there is nothing to ask for")?;
            let value = total(&need, seen)?;
            Ok(TriggerMetric { value_milli: exported_milli(value), active: value > *activation })
        }
        TriggerSource::Resource => Err(format!("{} is not a resource", trigger.trigger.name)),
    }
}
