//! The user of the API: reads the dashboard, and now and then creates an event.

use std::time::Duration;

use rand::RngExt;
use serde_json::{Value, json};
use workload::Stream;

use super::{Action, UserType};

/// Reads three times as often as it writes.
pub(super) fn api_user() -> UserType {
    UserType {
        name: "ApiUser",
        pause_min: Duration::from_secs(1),
        pause_max: Duration::from_secs(3),
        actions: vec![Action::get(3, "/api/dashboard"), Action::post(1, "/api/events", event)],
    }
}

fn event(stream: &mut Stream, user_number: u64) -> Value {
    const KINDS: [&str; 4] = ["view", "click", "search", "share"];
    let kind = KINDS[stream.random_range(0..KINDS.len())];
    json!({"type": kind, "user": format!("user-{user_number}"), "value": stream.random_range(1..=100)})
}
