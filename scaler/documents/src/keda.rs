//! Reads a `ScaledObject` of KEDA (release 2.20), and refuses what its schema, its webhook and its scalers would.

mod metadata;
mod modifiers;
mod schedule;
mod triggers;

use std::time::Duration;

use scaler_engine::keda::{
    ActivationSettings, Fallback, FallbackBehavior, POLLING_INTERVAL, ScaledObject, ScaledObjectError,
    generate_hpa,
};

use crate::fields::Fields;
use crate::header::{Header, read_header};
use crate::hpa::read_behavior;
use crate::problem::Problems;
use crate::target::{ObjectReference, read_reference};
use crate::tree::Lines;

pub use modifiers::{COMPOSITE_METRIC, ScalingModifiers};
pub use triggers::{
    CronTrigger, KafkaTrigger, MetricsApiTrigger, PrometheusTrigger, ResourceTrigger, TriggerDocument,
    TriggerKind,
};

const PAUSED: &str = "autoscaling.keda.sh/paused";
const PAUSED_REPLICAS: &str = "autoscaling.keda.sh/paused-replicas";
const PAUSED_SCALE_IN: &str = "autoscaling.keda.sh/paused-scale-in";
const PAUSED_SCALE_OUT: &str = "autoscaling.keda.sh/paused-scale-out";
const FORCE_ACTIVATION: &str = "autoscaling.keda.sh/force-activation";

/// A `ScaledObject` whose fields are checked.
#[derive(Clone, Debug, PartialEq)]
pub struct ScaledObjectDocument {
    /// Name, namespace, annotations.
    pub header: Header,
    /// `spec.scaleTargetRef`; its kind is Deployment where nothing else is said.
    pub target: ObjectReference,
    /// What the autoscaler is generated from. Triggers that are not supported are left out.
    pub object: ScaledObject,
    /// What the loop between zero and the minimum follows.
    pub activation: ActivationSettings,
    /// `pollingInterval`.
    pub polling_interval: Duration,
    /// `fallback`.
    pub fallback: Option<Fallback>,
    /// All triggers, in their order, those that are not supported included.
    pub triggers: Vec<TriggerDocument>,
    /// `advanced.scalingModifiers`.
    pub modifiers: Option<ScalingModifiers>,
    /// The count that the annotation `paused-replicas` holds.
    pub paused_replicas: Option<u32>,
    /// Whether `cooldownPeriod` stands in the document.
    pub has_cooldown: bool,
    /// Where its fields stand.
    pub lines: Lines,
}

/// Reads a document of `keda.sh/v1alpha1`.
pub(crate) fn read(document: &mut Fields<'_>, problems: &mut Problems) -> ScaledObjectDocument {
    let header = read_header(document, problems);
    let mut read = ScaledObjectDocument {
        activation: annotated(&header, problems),
        paused_replicas: paused_replicas(&header, problems),
        header,
        target: ObjectReference { api_version: None, kind: "Deployment".into(), name: String::new() },
        object: ScaledObject::default(),
        polling_interval: POLLING_INTERVAL,
        fallback: None,
        triggers: Vec::new(),
        modifiers: None,
        has_cooldown: false,
        lines: problems.lines.clone(),
    };
    if document.take("spec").is_none() {
        problems.missing("spec", "what to scale and by what", "add spec: with scaleTargetRef and triggers");
    }
    if let Some(mut spec) = document.map("spec", problems) {
        read_spec(&mut spec, &mut read, problems);
        spec.finish(problems);
    }
    read
}

fn read_spec(spec: &mut Fields<'_>, read: &mut ScaledObjectDocument, problems: &mut Problems) {
    if spec.take("scaleTargetRef").is_none() {
        problems.missing("spec.scaleTargetRef", "the object to scale", "add scaleTargetRef: {name: …}");
    }
    if let Some(fields) = spec.map("scaleTargetRef", problems) {
        read.target = read_reference(fields, Some("Deployment"), problems);
    }
    let hint = "0 is allowed: KEDA scales to zero by itself";
    read.object.min_replicas = spec.replicas("minReplicaCount", 0, hint, problems);
    read.object.max_replicas = spec.replicas("maxReplicaCount", 1, "the default is 100", problems);
    read.object.idle_replicas = spec.replicas("idleReplicaCount", 0, "only 0 works reliably", problems);
    let seconds = |spec: &mut Fields<'_>, name, least, problems: &mut Problems| {
        spec.whole(name, least..=i32::MAX, "a whole number of seconds, without a unit", problems)
            .map(|seconds| Duration::from_secs(u64::from(seconds.unsigned_abs())))
    };
    read.polling_interval = seconds(spec, "pollingInterval", 1, problems).unwrap_or(POLLING_INTERVAL);
    let cooldown = seconds(spec, "cooldownPeriod", 0, problems);
    read.has_cooldown = cooldown.is_some();
    read.activation.cooldown = cooldown.unwrap_or(read.activation.cooldown);
    read.activation.initial_cooldown =
        seconds(spec, "initialCooldownPeriod", 0, problems).unwrap_or_default();
    read.activation.min_replicas = read.object.min_replicas;
    read.activation.idle_replicas = read.object.idle_replicas;
    read.fallback = spec.map("fallback", problems).and_then(|fields| read_fallback(fields, problems));
    read.activation.fallback_replicas = read.fallback.map(|fallback| fallback.replicas);
    if let Some(mut advanced) = spec.map("advanced", problems) {
        read_advanced(&mut advanced, read, problems);
        advanced.finish(problems);
    }
    read_triggers(spec, read, problems);
    check_counts(read, problems);
}

fn read_advanced(advanced: &mut Fields<'_>, read: &mut ScaledObjectDocument, problems: &mut Problems) {
    let _only_on_deletion = advanced.flag("restoreToOriginalReplicaCount", problems);
    if let Some(mut config) = advanced.map("horizontalPodAutoscalerConfig", problems) {
        let _its_name = config.text("name", problems);
        read.object.behavior = config.map("behavior", problems).map(|fields| read_behavior(fields, problems));
        config.finish(problems);
    }
    read.modifiers =
        advanced.map("scalingModifiers", problems).and_then(|fields| modifiers::read(fields, problems));
}

fn read_triggers(spec: &mut Fields<'_>, read: &mut ScaledObjectDocument, problems: &mut Problems) {
    let items = spec.list("triggers", problems);
    if items.is_none_or(<[_]>::is_empty) {
        problems.missing(
            "spec.triggers",
            "at least one trigger",
            "a trigger says by what is scaled, type: cpu for example",
        );
    }
    for (index, item) in items.unwrap_or_default().iter().enumerate() {
        let Some(trigger) = triggers::read_trigger(item, index, problems) else { continue };
        if let Some(name) = &trigger.name
            && read.triggers.iter().any(|before| before.name.as_ref() == Some(name))
        {
            let value = format!("`{}` again", excerpt::excerpt(name));
            problems.wrong(
                &format!("spec.triggers[{index}].name"),
                value,
                "a name of its own",
                "rename one of the two",
            );
        }
        read.triggers.push(trigger);
    }
    let supported = read.triggers.iter().filter_map(TriggerDocument::as_metric);
    read.object.triggers = match &read.modifiers {
        Some(modifiers) => {
            let is_resource = |trigger: &TriggerDocument| matches!(trigger.kind, TriggerKind::Resource(_));
            let resources = read.triggers.iter().filter(|trigger| is_resource(trigger));
            let resources = resources.filter_map(TriggerDocument::as_metric);
            std::iter::once(modifiers.as_metric()).chain(resources).collect()
        }
        None => supported.collect(),
    };
}

fn check_counts(read: &ScaledObjectDocument, problems: &mut Problems) {
    if let Err(error) = generate_hpa(&read.object) {
        let field = match error {
            ScaledObjectError::MinimumAboveMaximum { .. } => "spec.minReplicaCount",
            ScaledObjectError::IdleNotBelowMinimum { .. } => "spec.idleReplicaCount",
            // Told where the trigger is read.
            ScaledObjectError::ExternalUtilization { .. } => return,
        };
        let name = field.trim_start_matches("spec.");
        problems.say(field, error.to_string().replacen(name, field, 1), error.hint());
    }
}

fn read_fallback(mut fields: Fields<'_>, problems: &mut Problems) -> Option<Fallback> {
    for (name, expected) in
        [("failureThreshold", "how many failures in a row"), ("replicas", "how many replicas")]
    {
        if fields.take(name).is_none() {
            problems.missing(&fields.at(name), expected, format!("{name}: 3, for example"));
        }
    }
    let hint = "a whole number of at least 0";
    let failure_threshold = fields.whole("failureThreshold", 0..=i32::MAX, hint, problems);
    let replicas = fields.whole("replicas", 0..=i32::MAX, hint, problems);
    let words = [
        ("static", FallbackBehavior::Static),
        ("currentReplicas", FallbackBehavior::CurrentReplicas),
        ("currentReplicasIfHigher", FallbackBehavior::CurrentReplicasIfHigher),
        ("currentReplicasIfLower", FallbackBehavior::CurrentReplicasIfLower),
    ];
    let behavior = fields.one_of("behavior", &words, problems).unwrap_or_default();
    fields.finish(problems);
    Some(Fallback { failure_threshold: failure_threshold?.into(), replicas: replicas?.into(), behavior })
}

/// What annotations say about activation.
fn annotated(header: &Header, problems: &mut Problems) -> ActivationSettings {
    let mut is_set = |name: &str| match header.annotations.get(name).map(String::as_str) {
        None | Some("false") => false,
        Some("true") => true,
        Some(other) => {
            let value = format!("`{}`", excerpt::excerpt(other));
            problems.wrong(
                &format!("metadata.annotations[{name}]"),
                value,
                "\"true\" or \"false\"",
                "write it in quotes",
            );
            false
        }
    };
    ActivationSettings {
        force_activation: is_set(FORCE_ACTIVATION),
        paused: is_set(PAUSED) || header.annotations.contains_key(PAUSED_REPLICAS),
        paused_scale_in: is_set(PAUSED_SCALE_IN),
        paused_scale_out: is_set(PAUSED_SCALE_OUT),
        ..ActivationSettings::default()
    }
}

fn paused_replicas(header: &Header, problems: &mut Problems) -> Option<u32> {
    let text = header.annotations.get(PAUSED_REPLICAS)?;
    let count = text.parse().ok();
    if count.is_none() {
        let value = format!("`{}`", excerpt::excerpt(text));
        let field = format!("metadata.annotations[{PAUSED_REPLICAS}]");
        problems.wrong(&field, value, "a whole number in quotes", "\"0\", for example");
    }
    count
}
