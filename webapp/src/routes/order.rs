//! `POST /order` and `POST /buy`: what the shop's users do. Both are work and go through the queue.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use observability::http::error::ErrorReply;
use serde::Deserialize;
use serde_json::json;

use super::input::Body;
use crate::exposed::Exposed;

/// Most pieces in one order.
const MAX_QUANTITY: u32 = 1000;

/// Highest price of one piece; dollars.
const MAX_PRICE_DOLLARS: f64 = 1_000_000.0;

/// Longest text in a field; bytes.
const MAX_TEXT_BYTES: usize = 200;

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Order {
    item: String,
    quantity: u32,
    price: f64,
}

impl Default for Order {
    fn default() -> Self {
        Self { item: "book".to_owned(), quantity: 1, price: 9.99 }
    }
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Purchase {
    username: String,
    userid: UserId,
    price: f64,
}

/// People send numbers and texts.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "`userid` is neither a whole number nor a text")]
enum UserId {
    Number(u64),
    Text(String),
}

impl Default for Purchase {
    fn default() -> Self {
        Self { username: "guest".to_owned(), userid: UserId::Number(1), price: 9.99 }
    }
}

/// `{"item", "quantity", "price"}`; the price is that of one piece.
pub(super) async fn order(
    State(exposed): State<Exposed>,
    Body(order): Body<Order>,
) -> Result<Response, ErrorReply> {
    check_text("item", &order.item)?;
    check_price(order.price)?;
    if order.quantity == 0 || order.quantity > MAX_QUANTITY {
        return Err(ErrorReply::bad_request(
            format!("`quantity` is {}, expected 1 to {MAX_QUANTITY}", order.quantity),
            "leave it away for one piece",
        ));
    }
    let value = order.price * f64::from(order.quantity);
    Ok(place(&exposed, value, json!({"item": order.item, "quantity": order.quantity})).await)
}

/// `{"username", "userid", "price"}`.
pub(super) async fn buy(
    State(exposed): State<Exposed>,
    Body(purchase): Body<Purchase>,
) -> Result<Response, ErrorReply> {
    check_text("username", &purchase.username)?;
    check_price(purchase.price)?;
    let userid = match purchase.userid {
        UserId::Number(number) => json!(number),
        UserId::Text(text) => {
            check_text("userid", &text)?;
            json!(text)
        }
    };
    Ok(place(&exposed, purchase.price, json!({"username": purchase.username, "userid": userid})).await)
}

async fn place(Exposed { app, .. }: &Exposed, value_dollars: f64, what: serde_json::Value) -> Response {
    if let Err(error) = app.replica.serve().await {
        return error.into_response();
    }
    app.shop.ordered(value_dollars);
    let reply = json!({"status": "accepted", "total": value_dollars, "order": what, "replica": app.id});
    (StatusCode::CREATED, Json(reply)).into_response()
}

fn check_text(field: &str, text: &str) -> Result<(), ErrorReply> {
    if text.is_empty() || text.len() > MAX_TEXT_BYTES {
        return Err(ErrorReply::bad_request(
            format!("`{field}` has {} bytes, expected 1 to {MAX_TEXT_BYTES}", text.len()),
            "leave the field away for its default",
        ));
    }
    Ok(())
}

fn check_price(price: f64) -> Result<(), ErrorReply> {
    if !(0.0..=MAX_PRICE_DOLLARS).contains(&price) {
        return Err(ErrorReply::bad_request(
            format!("`price` is {price}, expected 0 to {MAX_PRICE_DOLLARS} dollars"),
            "leave it away for 9.99",
        ));
    }
    Ok(())
}
