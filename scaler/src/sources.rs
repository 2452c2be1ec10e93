//! Says what a source of signals delivers, whatever it asks.

mod answers;
pub mod exposition;
mod problem;
mod prometheus;
mod queries;
mod replica_table;
mod rotation;
mod scrape;

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::BoxFuture;
use scaler_engine::{Answer, Reading, ReplicaObservation, Signal, Standstill};
use serde::{Deserialize, Serialize};

pub use crate::clock::Clock;
pub use problem::ReplicaProblem;
pub use prometheus::{PrometheusSettings, PrometheusSource, PrometheusUrlError};
pub use scaler_signals::Wanted;
pub use scrape::{ScrapeSettings, ScrapeSource};

/// Measures a service.
pub trait Source: std::fmt::Debug + Send {
    /// Looks once; called each second. It never fails as a whole: what could not be learned is absent, and
    /// [`Sample::problems`] says why.
    fn sample(&mut self) -> BoxFuture<'_, Sample>;

    /// Measures this from the next look on.
    fn set_wanted(&mut self, wanted: Wanted);
}

/// What one look brought.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// The span that means, rates and quantiles cover.
    pub window: Duration,
    /// Service-wide signals.
    pub service: BTreeMap<Signal, Reading>,
    /// The replicas that the gateway knows, with their own signals; their id is their URL.
    pub replicas: Vec<ReplicaObservation>,
    /// Answers to what is wanted besides, in the order in which it is wanted; replicas by their URL.
    pub further: Vec<Answer>,
    /// The gateway's list, in its order; the last one that came.
    pub endpoints: Vec<Endpoint>,
    /// How long the gateway has given no list; none while the list above is of this look or the one before.
    pub rotation_unknown_for: Option<Duration>,
    /// Replicas in rotation that have work and complete none of it; none if there is no such replica.
    pub standstill: Option<Standstill>,
    /// The service's load factor, as its replicas report it.
    pub load_factor: Option<f64>,
    /// What was asked to learn this, and how it went.
    pub scrapes: ScrapeCount,
    /// What went wrong, one sentence each; empty if all went well.
    pub problems: Vec<String>,
    /// The replicas that were asked for their metrics and gave none.
    pub silent: Vec<ReplicaProblem>,
    /// The faults that are switched on, of each replica whose metrics tell, by its URL; empty where none is.
    pub faults: BTreeMap<String, Vec<String>>,
    /// Age of the gateway's list; none before the first one came.
    pub list_age: Option<Duration>,
    /// Time between two measurements of a replica: so old may a reading be without anything being wrong.
    pub spacing: Duration,
}

/// How many requests one look took, and how long: one to each replica, or the queries to Prometheus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScrapeCount {
    /// Requests that were answered.
    pub ok: u32,
    /// Requests that were not, or not in time, or with nonsense.
    pub failed: u32,
    /// From the first request to the last answer.
    pub took: Duration,
}

/// A replica as the gateway lists it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its address.
    pub url: String,
    /// Its state.
    pub state: EndpointState,
    /// Requests it is answering.
    #[serde(default)]
    pub in_flight: u32,
    /// Peak EWMA of its latency; milliseconds.
    #[serde(default)]
    pub ewma_ms: Option<f64>,
    /// Its process, where it is one.
    #[serde(default)]
    pub pid: Option<u32>,
}

/// Whether an endpoint is in the gateway's rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndpointState {
    /// Known, but not yet found ready.
    Starting,
    /// In rotation.
    Ready,
    /// Being taken out: it finishes what it has.
    Draining,
    /// Out of rotation for its failures.
    Ejected,
    /// A state that this version does not know; not in rotation.
    #[serde(other)]
    Unknown,
}
