//! Decides as Kubernetes' `HorizontalPodAutoscaler` (`autoscaling/v2`) would, release by release.
//!
//! The rules are those of `pkg/controller/podautoscaler` in the Kubernetes source; each item names the function
//! its rule comes from. Quantities are integer thousandths, as the controller handles them, and float
//! expressions are evaluated in the controller's own order, because the float noise decides: 56 % of a 50 %
//! target with 25 ready pods makes 29, not 28.
//!
//! [`reconcile()`] is one pass of the controller. It reads what was seen and its own [`HpaState`], and answers
//! what to write. When the write is done, [`Reconciliation::rescaled`] or [`Reconciliation::rescale_failed`]
//! completes the pass.
//!
//! ```
//! use core::time::Duration;
//! use scaler_engine::hpa::{
//!     ControllerSettings, HpaSpec, HpaState, Metric, MetricAnswer, MetricSource, MetricTarget, Scale, Seen,
//!     Selector, reconcile,
//! };
//!
//! let target = Some(MetricTarget::AverageValue { milli: 1_000 });
//! let metrics = vec![Metric { source: MetricSource::External("queue_length".into()), target }];
//! let spec = HpaSpec { min_replicas: 1, max_replicas: 10, behavior: None, metrics };
//! let (settings, mut state) = (ControllerSettings::default(), HpaState::default());
//!
//! let now = Duration::from_secs(15);
//! let scale = Some(Scale { spec_replicas: 2, status_replicas: 2, selector: Selector::Ok });
//! let answers = [MetricAnswer::External(vec![9_000])];
//! let outcome = reconcile(&spec, &settings, &mut state, &Seen { now, scale, pods: &[], answers: &answers });
//! assert_eq!(outcome.rescale.map(|rescale| rescale.to), Some(4), "9 are wanted, a pass may reach 4");
//! outcome.rescaled(&spec, &settings, &mut state, now);
//! ```

mod behavior;
mod conditions;
mod events;
mod grouping;
mod history;
pub(crate) mod inputs;
mod limits;
mod metric;
mod per_object;
mod per_pod;
mod pod;
mod policy;
mod proposal;
mod rate;
mod ratio;
mod reason;
mod reconcile;
mod requests;
mod rules;
mod samples;
mod settings;
pub(crate) mod shown;
mod spec;
mod stabilization;
mod state;
#[cfg(test)]
mod testing;

pub use behavior::{Behavior, CompleteRules, ScalingChange, ScalingPolicy, ScalingRules, SelectPolicy};
pub use conditions::{Condition, ConditionReason, Conditions};
pub use events::{ScaleEvent, change_in_period, store_scale_event};
pub use grouping::{PodGroups, group_pods};
pub use history::{HpaHistory, PendingRescale};
pub use inputs::{METRIC_WINDOW, RESOURCE_WINDOW};
pub use limits::{Limited, limit_without_behavior};
pub use metric::{Metric, MetricAnswer, MetricSource, MetricTarget};
pub use per_object::{external_total, proposal_for_average_value, proposal_for_value};
pub use per_pod::{proposal_for_average, proposal_for_utilization};
pub use pod::{Container, InitContainer, Pod, PodPhase, Requests, Resource};
pub use policy::HpaPolicy;
pub use proposal::{Evaluation, MetricError, Proposal, Reported, propose};
pub use rate::{RecentChanges, limit_with_behavior, scale_down_limit, scale_up_limit};
pub use ratio::{UsageRatio, UtilizationRatio, usage_ratio, utilization_ratio};
pub use reason::{HpaReason, JudgedMetric, metric_text};
pub use reconcile::{Applied, ReconcileError, Reconciliation, Rescale, Scale, Seen, Selector, reconcile};
pub use requests::{RequestsError, pod_request_milli};
pub use samples::{ContainerUsage, PodIndex, PodUsage, PodValue, Sample, Samples};
pub use settings::{ControllerSettings, Release, ScaleToZero, Tolerances, UnknownRelease};
pub use spec::HpaSpec;
pub use stabilization::{Recommendation, stabilize_with_behavior, stabilize_without_behavior};
pub use state::HpaState;
