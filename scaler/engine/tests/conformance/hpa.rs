//! Vectors of the `HorizontalPodAutoscaler`.

mod changes;
mod input;
mod metrics;
mod reconcile;

use serde_json::Value;

use crate::vector::Vector;

/// Plays a vector of this family.
pub(crate) fn play(vector: &Vector) -> Result<Value, String> {
    match vector.kind.as_str() {
        "replica_count" => metrics::replica_count(&vector.input()?),
        "group_pods" => metrics::group_pods(&vector.input()?),
        "pod_requests" => metrics::pod_requests(&vector.input()?),
        "ratio" => metrics::ratio(&vector.input()?),
        "limits" => Ok(changes::limits(&vector.input()?)),
        "stabilization_no_behavior" => Ok(changes::stabilization_without_behavior(&vector.input()?)),
        "stabilization" => Ok(changes::stabilization(&vector.input()?)),
        "behavior" => Ok(changes::behavior(&vector.input()?)),
        "rate_limit" => Ok(changes::rate_limit(&vector.input()?)),
        "scale_events" => Ok(changes::scale_events(&vector.input()?)),
        "behavior_defaults" => changes::behavior_defaults(&vector.input()?),
        "reconcile" => reconcile::reconcile(&vector.input()?, &vector.tags),
        _ => Err(vector.unknown_kind()),
    }
}
