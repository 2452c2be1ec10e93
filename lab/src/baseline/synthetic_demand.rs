//! Asks a service whether it makes demand of its own: every replica of the lab tells at `GET /load`.

use http_client::HttpClient;
use serde::Deserialize;

use super::TIMEOUT;

/// What a lab says about its own demand.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct OwnDemand {
    /// Requests per second of the whole service.
    pub(crate) demand_rps: f64,
    /// Replicas that share it.
    pub(crate) ready_replicas: u32,
}

/// What the service says; none where it is no lab.
pub(crate) async fn look(host: &str) -> Option<OwnDemand> {
    let reply = HttpClient::new().get(&format!("{host}/load"), TIMEOUT).await.ok()?.ok().ok()?;
    reply.json().ok()
}
