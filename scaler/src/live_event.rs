//! Holds one event of the live stream and its text, which is written once however many follow.
//!
//! The stream of a viewer may take 5 KiB/s. So the status in it leaves out what never changes (`GET /api/status` has
//! it), is rounded, and carries the replicas as often as their number allows.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use axum::body::Bytes;
use scaler_engine::Signal;
use serde::Serialize;

use crate::rounding::rounded;
use crate::service_event::{EventText, RecordedEvent};
use crate::status::{DecisionStatus, EndpointStatus, ReadingState, ReplicaCounts, Status};

/// Replicas that a status carries each second; of more than these, all are told each second, third … time.
const ENDPOINTS_PER_SECOND: u64 = 12;

/// The same where each of them waits for a dependency, which is one more number.
const ENDPOINTS_PER_SECOND_WITH_DEPENDENCY: u64 = 11;

/// Problems told in full.
const PROBLEMS_TOLD: usize = 3;

/// What goes out to those who follow.
#[derive(Debug)]
pub(crate) struct LiveEvent {
    what: What,
    text: OnceLock<Bytes>,
}

#[derive(Debug)]
enum What {
    Status { status: Arc<Status>, tells_endpoints: bool },
    Decision(DecisionStatus),
    Event(EventText),
}

impl LiveEvent {
    /// The state at one look.
    pub(crate) fn status(status: Arc<Status>) -> Self {
        let has_dependency = status.endpoints.iter().any(|one| one.dependency_wait_seconds.is_some());
        let per_second =
            if has_dependency { ENDPOINTS_PER_SECOND_WITH_DEPENDENCY } else { ENDPOINTS_PER_SECOND };
        let every = (status.endpoints.len() as u64).div_ceil(per_second).max(1);
        let tells_endpoints = status.at.as_secs().is_multiple_of(every);
        Self { what: What::Status { status, tells_endpoints }, text: OnceLock::new() }
    }

    /// The same for somebody who has seen nothing yet.
    pub(crate) fn first_status(status: Arc<Status>) -> Self {
        Self { what: What::Status { status, tells_endpoints: true }, text: OnceLock::new() }
    }

    /// A decision.
    pub(crate) fn decision(decision: DecisionStatus) -> Self {
        Self { what: What::Decision(decision), text: OnceLock::new() }
    }

    /// Something that happened besides.
    pub(crate) fn event(event: RecordedEvent) -> Self {
        Self { what: What::Event(event.into()), text: OnceLock::new() }
    }

    /// The event as it stands in a stream of server-sent events.
    pub(crate) fn text(&self) -> Bytes {
        let write = || match &self.what {
            What::Status { status, tells_endpoints } => {
                to_text("status", &StatusText::new(status, *tells_endpoints))
            }
            What::Decision(decision) => to_text("decision", decision),
            What::Event(event) => to_text("event", event),
        };
        self.text.get_or_init(write).clone()
    }
}

fn to_text(name: &str, data: &impl Serialize) -> Bytes {
    let data = serde_json::to_string(data).expect("states, decisions and events are plain data");
    Bytes::from(format!("event: {name}\ndata: {data}\n\n"))
}

/// What of a status changes from second to second.
#[derive(Debug, Serialize)]
struct StatusText<'a> {
    at_epoch_seconds: f64,
    replicas: ReplicaCounts,
    signals: BTreeMap<Signal, Option<f64>>,
    /// Age of the oldest signal that replicas measure.
    signals_age_seconds: Option<f64>,
    reading: ReadingState,
    gateway_responding: bool,
    /// How long a reader may take this status for the present.
    fresh_for_seconds: f64,
    load_factor: Option<f64>,
    paused: bool,
    acting: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoints: Option<Vec<EndpointStatus>>,
    problems: Vec<&'a str>,
    /// Problems that are not in the list.
    problems_left_out: usize,
    uptime_seconds: f64,
}

impl<'a> StatusText<'a> {
    fn new(status: &'a Status, tells_endpoints: bool) -> Self {
        Self {
            at_epoch_seconds: status.at.as_secs_f64(),
            replicas: status.replicas,
            signals: status
                .signals
                .iter()
                .map(|(signal, reading)| (*signal, reading.value.map(rounded)))
                .collect(),
            signals_age_seconds: status
                .signals
                .iter()
                .filter(|(signal, _)| **signal != Signal::InFlight)
                .map(|(_, reading)| reading.age_seconds)
                .max_by(f64::total_cmp)
                .map(rounded),
            reading: status.reading,
            gateway_responding: status.gateway.responding,
            fresh_for_seconds: rounded(status.fresh_for().as_secs_f64()),
            load_factor: status.load_factor.map(rounded),
            paused: status.paused,
            acting: status.acting,
            endpoints: tells_endpoints.then(|| status.endpoints.iter().map(brief).collect()),
            problems: status.problems.iter().take(PROBLEMS_TOLD).map(String::as_str).collect(),
            problems_left_out: status.problems.len().saturating_sub(PROBLEMS_TOLD),
            uptime_seconds: status.uptime_seconds.floor(),
        }
    }
}

fn brief(endpoint: &EndpointStatus) -> EndpointStatus {
    EndpointStatus {
        ewma_ms: endpoint.ewma_ms.map(rounded),
        response_time_p95_seconds: endpoint.response_time_p95_seconds.map(rounded),
        queue_depth: endpoint.queue_depth.map(rounded),
        dependency_wait_seconds: endpoint.dependency_wait_seconds.map(rounded),
        utilization: endpoint.utilization.map(rounded),
        cpu_cores: endpoint.cpu_cores.map(rounded),
        memory_bytes: endpoint.memory_bytes.map(rounded),
        age_seconds: endpoint.age_seconds.map(f64::floor),
        ..endpoint.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::status::{ReplicaState, SignalStatus};

    /// A state in which every number has all its digits.
    fn full_status(replicas: u32, second: u64, dependency_wait_seconds: Option<f64>) -> Arc<Status> {
        let endpoint = |index: u32| EndpointStatus {
            id: format!("webapp-{index}"),
            url: Some(format!("http://127.0.0.1:{}", 40_000 + index)),
            state: ReplicaState::NotResponding,
            in_flight: 104,
            ewma_ms: Some(1_234.567_890_123),
            pid: Some(4_000_000 + index),
            response_time_p95_seconds: Some(1.234_567_890_123),
            queue_depth: Some(99.123_456_789),
            dependency_wait_seconds,
            utilization: Some(0.987_654_321),
            cpu_cores: Some(0.012_345_678_9),
            memory_bytes: Some(12_345_678.9),
            age_seconds: Some(12_345.678_9),
        };
        let reading = SignalStatus { value: Some(0.123_456_789_012), age_seconds: 0.123_456_789 };
        Arc::new(Status {
            at: Duration::from_millis(1_795_365_298_123 / 1000 * 1000 + second * 1000),
            signals: Signal::ALL.into_iter().map(|signal| (signal, reading)).collect(),
            load_factor: Some(4.987_654_321),
            endpoints: (0..replicas).map(endpoint).collect(),
            problems: vec![
                "webapp-5 (127.0.0.1:33655) did not answer its metrics request within 800 ms"
                    .to_owned();
                60
            ],
            uptime_seconds: 12_345.678_9,
            ..Status::default()
        })
    }

    #[test]
    fn a_second_of_the_stream_stays_below_5_kib_whatever_the_number_of_replicas() {
        let counts = [1, 6, 10, 11, 12, 13, 50, 200];
        for (replicas, wait) in
            counts.into_iter().flat_map(|count| [(count, None), (count, Some(0.012_345_678))])
        {
            let seconds = 120;
            let bytes: usize =
                (0..seconds).map(|at| LiveEvent::status(full_status(replicas, at, wait)).text().len()).sum();
            let per_second = bytes as f64 / seconds as f64;
            // A decision in each second, with the space that its sentence and chunked encoding take.
            assert!(per_second + 800.0 < 5.0 * 1024.0, "{per_second} bytes/s with {replicas} replicas");
        }
    }

    #[test]
    fn all_replicas_are_told_from_time_to_time_and_at_first() {
        let told = |replicas: u32| {
            let tells = |at: &u64| {
                let text = LiveEvent::status(full_status(replicas, *at, None)).text();
                String::from_utf8_lossy(&text).matches("\"id\"").count() == replicas as usize
            };
            (0..60).filter(tells).count()
        };
        assert_eq!([told(12), told(13), told(60)], [60, 30, 12]);
        let first = LiveEvent::first_status(full_status(60, 1, None)).text();
        assert_eq!(String::from_utf8_lossy(&first).matches("\"id\"").count(), 60);
    }

    #[test]
    fn all_who_follow_share_one_text() {
        let event = LiveEvent::status(full_status(3, 0, None));
        assert_eq!(event.text().as_ptr(), event.text().as_ptr(), "the text was written again");
        let text = String::from_utf8(event.text().to_vec()).unwrap();
        assert!(text.starts_with("event: status\ndata: {\"at_epoch_seconds\":1795365298.0,"), "{text}");
        assert!(text.ends_with("}\n\n") && text.contains("\"problems_left_out\":57"), "{text}");
        assert!(text.contains("\"response_time_p95_seconds\":0.1235"), "not rounded: {text}");
    }
}
