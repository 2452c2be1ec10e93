//! Sends the probes of `/ready` when the balancer says they are due.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use gateway_balancer::{EndpointId, ProbeAnswer};
use http::{Request, header};
use tokio::time::timeout;

use crate::fleet::Fleet;
use crate::proxy::request_body::RequestBody;
use crate::upstream::{Connection, Upstream};

/// What is read of a probe's answer before its connection is given up.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// How often idle connections are looked through.
const SWEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Probes for as long as it is polled.
pub(crate) async fn run(fleet: Arc<Fleet>, probe_timeout: Duration) {
    let mut sweep = tokio::time::interval(SWEEP_INTERVAL);
    loop {
        while let Some((id, upstream)) = fleet.begin_probe() {
            tokio::spawn(probe(Arc::clone(&fleet), id, upstream, probe_timeout));
        }
        let next_probe = async {
            match fleet.until_next_probe() {
                Some(wait) => tokio::time::sleep(wait).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = next_probe => {}
            () = fleet.probes_changed() => {}
            _ = sweep.tick() => fleet.sweep_connections(),
        }
    }
}

async fn probe(fleet: Arc<Fleet>, id: EndpointId, upstream: Arc<Upstream>, probe_timeout: Duration) {
    let asking = ask(&upstream);
    let answer = timeout(probe_timeout, asking).await.ok().flatten();
    fleet.record_probe(id, answer.unwrap_or(ProbeAnswer::NotReady));
}

/// Asks once; nothing is no answer.
async fn ask(upstream: &Upstream) -> Option<ProbeAnswer> {
    // A connection of the pool, so that the first request of a new endpoint finds one open.
    let mut connection = match upstream.check_out() {
        Some(connection) => connection,
        None => upstream.connect().await.ok()?,
    };
    let (head, ()) = Request::get("/ready")
        .header(header::USER_AGENT, concat!("autoscale-lab-gateway/", env!("CARGO_PKG_VERSION")))
        .body(())
        .expect("a probe is a valid request")
        .into_parts();
    let response = connection.send(&head, &mut RequestBody::empty(), &upstream.host).await.ok()?;
    let has_retry_after = response.headers().contains_key(header::RETRY_AFTER);
    let answer = ProbeAnswer::of_answer(response.status().as_u16(), has_retry_after);
    if discard(&mut connection).await {
        upstream.check_in(connection);
    }
    Some(answer)
}

/// Reads an answer's body to its end, and returns whether that came before it grew too long.
async fn discard(connection: &mut Connection) -> bool {
    let mut left_bytes = BODY_BYTES_MAX;
    while let Some(data) = poll_fn(|context| connection.poll_body(context)).await {
        let Ok(data) = data else { return false };
        let Some(left) = left_bytes.checked_sub(data.len()) else { return false };
        left_bytes = left;
    }
    true
}
