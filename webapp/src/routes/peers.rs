//! `/peers`: how replicas greet each other and pass the load factor on. The gateway never forwards these routes.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use observability::http::error::ErrorReply;
use serde::Deserialize;
use serde_json::{Value, json};

use super::input::{Body, Params};
use crate::app::App;
use crate::config::is_base_url;
use crate::exposed::Exposed;
use crate::load::{LoadMessage, Version};
use crate::peers::{PeerGreeting, PeerStatus};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LeaveParams {
    url: String,
}

/// What this replica knows.
pub(super) async fn show(State(Exposed { app, .. }): State<Exposed>) -> Json<PeerStatus> {
    Json(status(&app, None))
}

/// Learns who asks; answers with the load state where the asker's is another.
pub(super) async fn greet(
    State(Exposed { app, .. }): State<Exposed>,
    Body(greeting): Body<PeerGreeting>,
) -> Result<Json<PeerStatus>, ErrorReply> {
    if greeting.id != app.id {
        if !is_base_url(&greeting.url) {
            return Err(ErrorReply::bad_request(
                format!("`url` is `{}`, expected the base URL of a replica", greeting.url),
                "such as http://127.0.0.1:8000",
            ));
        }
        app.peers.heard_from(&greeting.url, app.clock.now());
    }
    Ok(Json(status(&app, Some(&greeting.version))))
}

/// Takes a change that a peer pushes.
pub(super) async fn load(
    State(Exposed { app, .. }): State<Exposed>,
    Body(message): Body<LoadMessage>,
) -> Json<Value> {
    let taken = app.load.merge(app.clock.now(), message);
    Json(json!({"taken": taken, "version": app.load.version()}))
}

/// Forgets a replica that stops.
pub(super) async fn leave(
    State(Exposed { app, .. }): State<Exposed>,
    Params(params): Params<LeaveParams>,
) -> StatusCode {
    app.peers.forget(&params.url);
    StatusCode::NO_CONTENT
}

fn status(app: &App, known: Option<&Version>) -> PeerStatus {
    let message = app.load.message(app.clock.now());
    PeerStatus {
        id: app.id.clone(),
        url: app.peers.own_url().to_owned(),
        ready: app.is_ready(),
        peers: app.peers.living_urls(),
        load: (known != Some(&message.version)).then_some(message),
    }
}
