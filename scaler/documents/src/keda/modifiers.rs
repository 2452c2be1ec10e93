//! `advanced.scalingModifiers`: one metric made of several by a formula.

use scaler_engine::keda::{ExternalTargetType, Trigger, TriggerTarget};

use crate::fields::Fields;
use crate::problem::Problems;
use crate::quantity::{QUANTITY_HINT, parse_milli};

/// The metric that KEDA makes of a formula.
pub const COMPOSITE_METRIC: &str = "composite-metric";

/// The formula and its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScalingModifiers {
    /// The formula over the names of the triggers.
    pub formula: String,
    /// Thousandths.
    pub target_milli: i64,
    /// Thousandths; the trigger is active above it.
    pub activation_target_milli: i64,
    /// `metricType`.
    pub target_type: ExternalTargetType,
}

impl ScalingModifiers {
    /// The metric as the generated autoscaler has it.
    pub(super) fn as_metric(&self) -> Trigger {
        Trigger {
            name: COMPOSITE_METRIC.to_owned(),
            target: TriggerTarget::External { target_type: self.target_type, milli: self.target_milli },
        }
    }
}

pub(super) fn read(mut fields: Fields<'_>, problems: &mut Problems) -> Option<ScalingModifiers> {
    let formula =
        fields.required_text("formula", "a formula over the triggers' names", "a + b, for example", problems);
    if fields.take("target").is_none() {
        problems.missing(&fields.at("target"), "the target of the formula, in quotes", "target: \"10\"");
    }
    let mut number = |name, problems: &mut Problems| {
        let text = fields.text(name, problems)?;
        let milli = parse_milli(text);
        if milli.is_none() {
            let value = format!("`{}`", excerpt::excerpt(text));
            problems.wrong(&fields.at(name), value, "a number in quotes", QUANTITY_HINT);
        }
        milli
    };
    let target_milli = number("target", problems);
    let activation = number("activationTarget", problems);
    let words = [("AverageValue", ExternalTargetType::AverageValue), ("Value", ExternalTargetType::Value)];
    let target_type = fields.one_of("metricType", &words, problems).unwrap_or_default();
    if target_milli.is_some_and(|milli| milli <= 0) {
        problems.wrong(&fields.at("target"), "not above 0", "a number above 0", "the count is divided by it");
    }
    let path = fields.at("formula");
    fields.finish(problems);
    problems.notice(
        &path,
        format!("`{path}` is not evaluated by the lab: a value has to be given for {COMPOSITE_METRIC}"),
    );
    Some(ScalingModifiers {
        formula: formula?.to_owned(),
        target_milli: target_milli.filter(|milli| *milli > 0)?,
        activation_target_milli: activation.unwrap_or(0),
        target_type,
    })
}
