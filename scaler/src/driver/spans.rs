//! The trace of a decision: what was seen and why it was decided so, and below it what the actuator did.
//!
//! It is a trace of its own, linked to nothing: which requests made the signal what it was, the scaler does not know.

use observability::traces::{self, Demand, KeyValue, Span, SpanKind, names};
use scaler_engine::Decision;

use crate::actuators::ScaleReport;

/// The span of a decision that was just made; it ends when the decision has been carried out.
pub(super) fn begin_decision(decision: &Decision) -> Option<Span> {
    traces::begin(Demand::Own, || {
        traces::span(names::SCALING_DECISION, SpanKind::Internal).with_attributes(attributes_of(decision))
    })
}

fn attributes_of(decision: &Decision) -> Vec<KeyValue> {
    let count = |key, count: u32| KeyValue::new(key, i64::from(count));
    let seen = &decision.observation;
    let mut attributes = vec![
        KeyValue::new(names::SCALING_ACTION, decision.action.name()),
        count(names::SCALING_FROM, decision.from),
        count(names::SCALING_TO, decision.to),
        KeyValue::new(names::SCALING_REASON, decision.reason.code()),
        KeyValue::new(names::SCALING_REASON_TEXT, decision.to_string()),
        count(names::SCALING_REPLICAS_CURRENT, seen.current),
        count(names::SCALING_REPLICAS_READY, seen.ready),
        count(names::SCALING_REPLICAS_DESIRED, seen.desired),
    ];
    let limit = decision.limited_by.map(|limit| KeyValue::new(names::SCALING_LIMITED_BY, limit.name()));
    // The first of what a policy reads is what it decides by.
    let read = seen.read.first();
    let signal = read.map(|read| KeyValue::new(names::SCALING_SIGNAL, read.metric.to_string()));
    let value =
        read.and_then(|read| read.value).map(|value| KeyValue::new(names::SCALING_SIGNAL_VALUE, value));
    let age = read
        .and_then(|read| read.age)
        .map(|age| KeyValue::new(names::SCALING_SIGNAL_AGE_SECONDS, age.as_secs_f64()));
    attributes.extend([limit, signal, value, age].into_iter().flatten());
    attributes
}

/// Nothing is to be done, or it has been: the decision's span ends.
pub(super) fn end_decision(span: &Span, outcome: Result<(), &'static str>) {
    if let Err(problem) = outcome {
        span.fail(problem);
    }
    span.end();
}

/// The span of the actuator's part.
pub(super) fn begin_action(decision: &Span, actuator: &'static str, asked: u32) -> Option<Span> {
    decision.child_with(|| {
        traces::span(names::ACTUATOR, SpanKind::Internal).with_attributes([
            KeyValue::new(names::SCALING_ACTUATOR, actuator),
            KeyValue::new(names::SCALING_TO, i64::from(asked)),
        ])
    })
}

/// The actuator has read back what came of it.
pub(super) fn end_action(span: &Span, report: &ScaleReport) {
    if let Some(after) = report.after {
        span.set(names::SCALING_REACHED, i64::from(after));
    }
    if !report.succeeded() {
        span.fail("not_reached");
    }
    span.end();
}
