//! The two pages that users read: the root and the dashboard. Both are work and go through the queue.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::{Value, json};

use crate::exposed::Exposed;
use crate::replica::JobError;

/// The answer of `/`.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    service: &'static str,
    replica: String,
    waited_ms: f64,
    response_time_ms: f64,
}

/// One unit of work.
pub(super) async fn root(State(Exposed { app, .. }): State<Exposed>) -> Result<Json<Answer>, JobError> {
    let served = app.replica.serve().await?;
    Ok(Json(Answer {
        service: app.role.name(),
        replica: app.id.clone(),
        waited_ms: milliseconds(served.waited),
        response_time_ms: milliseconds(served.response_time),
    }))
}

/// One unit of work, and what the replica looks like.
pub(super) async fn dashboard(State(Exposed { app, .. }): State<Exposed>) -> Result<Json<Value>, JobError> {
    let served = app.replica.serve().await?;
    let now = app.clock.now();
    let (recent, occupancy) = (app.jobs.recent(now), app.replica.occupancy());
    Ok(Json(json!({
        "replica": app.id,
        "uptime_seconds": now.as_secs(),
        "response_time_ms": milliseconds(served.response_time),
        "last_5_seconds": {
            "completed": recent.count,
            "response_time_mean_ms": recent.mean_seconds * 1000.0,
        },
        "since_start": {
            "arrived": app.jobs.arrivals(),
            "refused": app.jobs.refusals(),
            "failed": app.jobs.errors(),
            "orders": app.shop.orders(),
            "events": app.events.load(std::sync::atomic::Ordering::Relaxed),
        },
        "queue": {"depth": occupancy.queue_depth, "capacity": occupancy.queue_capacity},
        "workers": {"busy": occupancy.workers_busy, "all": occupancy.workers},
        "load_factor": app.load.factor_at(now),
        "ready_replicas": app.ready_replicas(),
    })))
}

fn milliseconds(duration: std::time::Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}
