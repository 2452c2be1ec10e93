//! The customer of the shop: visits it, orders, and buys.

use std::time::Duration;

use rand::RngExt;
use serde_json::{Value, json};
use workload::Stream;

use super::{Action, UserType};

/// Each of the three as often as the others.
pub(super) fn buyer() -> UserType {
    UserType {
        name: "Buyer",
        pause_min: Duration::from_secs(1),
        pause_max: Duration::from_secs(3),
        actions: vec![
            Action::get(1, "/"),
            Action::post(1, "/order", order),
            Action::post(1, "/buy", purchase),
        ],
    }
}

fn order(stream: &mut Stream, _user_number: u64) -> Value {
    const ITEMS: [&str; 5] = ["book", "lamp", "chair", "kettle", "umbrella"];
    let item = ITEMS[stream.random_range(0..ITEMS.len())];
    json!({"item": item, "quantity": stream.random_range(1..=5), "price": price_dollars(stream)})
}

fn purchase(stream: &mut Stream, user_number: u64) -> Value {
    json!({"username": format!("user-{user_number}"), "userid": user_number, "price": price_dollars(stream)})
}

/// A price of 1 to 100 dollars, in whole cents.
fn price_dollars(stream: &mut Stream) -> f64 {
    f64::from(stream.random_range(100..=10_000)) / 100.0
}
