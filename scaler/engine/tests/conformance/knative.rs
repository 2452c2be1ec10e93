//! Vectors of Knative's pod autoscaler.

mod sequence;
mod windows;
mod zero;

use serde_json::Value;

use crate::vector::Vector;

/// Plays a vector of this family.
pub(crate) fn play(vector: &Vector) -> Result<Value, String> {
    match vector.kind.as_str() {
        "kpa_sequence" => sequence::sequence(&vector.input()?),
        "kpa_start" => sequence::start(&vector.input()?),
        "kpa_target" => Ok(windows::target(&vector.input()?)),
        "kpa_panic_window" => Ok(windows::panic_window_length(&vector.input()?)),
        "kpa_window_average" => windows::window_average(&vector.input()?),
        "kpa_sliding_max" => Ok(windows::sliding_max(&vector.input()?)),
        "kpa_scale_to_zero" => Ok(zero::scale_to_zero(&vector.input()?)),
        "kpa_active_condition" => Ok(zero::condition(&vector.input()?)),
        "kpa_activators" => Ok(zero::activators(&vector.input()?)),
        _ => Err(vector.unknown_kind()),
    }
}
