//! What one level of open-model load brought: the facts that an engine hands to whoever judges them.
//!
//! Every engine fills in the same record, in virtual time too, so a search, a fit or a comparison need not know who
//! sent the requests.

pub mod error_sum;
pub mod failure_kind;
pub mod latency;
pub mod outcome;
pub mod plan;
pub mod progress;
pub mod rate;
pub mod request_error;
pub mod shortage;
pub mod tally;

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use failure_kind::FailureKind;
use rate::per_second;
use request_error::RequestError;

/// Significant decimal digits that every histogram keeps.
pub const SIGNIFICANT_DIGITS: u8 = 3;

/// One level: a rate that was offered for a time, without its warm-up.
#[derive(Clone, Debug)]
pub struct Measurement {
    /// Requests per second that were asked for.
    pub offered_rps: f64,
    /// How long was measured.
    pub measured: Duration,
    /// Requests whose intended start lies in the measured time; `sent + unsent`.
    pub scheduled: u64,
    /// Of these, sent.
    pub sent: u64,
    /// Of these, never sent, because no connection came free in time, or the generator did not come to it.
    pub unsent: u64,
    /// Of the unsent, those that waited at least half of their time though a connection was free.
    pub unsent_by_generator: u64,
    /// Requests that ended within the measured time with a success.
    pub succeeded: u64,
    /// Requests that ended within the measured time with 503 and `Retry-After`.
    pub refused: u64,
    /// Requests that ended within the measured time with a failure, by kind.
    pub failures: BTreeMap<FailureKind, u64>,
    /// Requests whose intended start lies in the measured time and that ended after it, or were given up then.
    pub ended_late: u64,
    /// Of these, those that did not succeed: failed, refused, or unanswered until the level was given up.
    pub late_errors: u64,
    /// Which request had which error, how often; all [`Measurement::errors`]. A request is told by its place among the
    /// target's requests, from 0; none for what was due and had not become a request of users yet. Empty where the
    /// errors of a level are not known by request.
    pub errors_by_request: BTreeMap<(Option<usize>, RequestError), u64>,
    /// Requests that were sent a second time because a reused connection was closed before the first byte of an answer.
    pub repeated: u64,
    /// Microseconds from the intended start to the last byte of the answer. A slot that was not sent is in it with the
    /// time it waited, so a service that freezes cannot hide it (no coordinated omission). Refusals are not in it.
    pub from_intended_micros: Histogram<u64>,
    /// Microseconds from the actual send to the last byte of the answer; of requests that were answered and not refused.
    pub from_sent_micros: Histogram<u64>,
    /// Microseconds from the intended start to the actual send.
    pub send_lateness_micros: Histogram<u64>,
    /// The part of it during which a connection was free, which the generator and not the service is to blame for.
    pub generator_lateness_micros: Histogram<u64>,
    /// Requests in flight, averaged over the measured time.
    pub mean_in_flight: f64,
    /// Of these, those that were refused in the end.
    pub mean_refused_in_flight: f64,
    /// The measured time in equal parts, first to last, for judging whether the level was steady.
    pub parts: Vec<MeasurementPart>,
    /// CPU time of the generator's process over the measured time, in cores; none where it is not known.
    pub generator_cpu_cores: Option<f64>,
}

/// A part of the measured time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeasurementPart {
    /// Requests that ended with an answer that is no refusal.
    pub answered: u64,
    /// Their mean time from the intended start, in microseconds; 0 without any.
    pub mean_from_intended_micros: f64,
}

impl Measurement {
    /// Requests per second that were served with a success.
    pub fn throughput_rps(&self) -> f64 {
        per_second(self.succeeded, self.measured)
    }

    /// Requests per second that were really sent.
    pub fn sent_rps(&self) -> f64 {
        per_second(self.sent, self.measured)
    }

    /// Requests that failed, were refused, were never sent, or ended late without a success.
    pub fn errors(&self) -> u64 {
        self.failed() + self.refused + self.unsent + self.late_errors
    }

    /// Requests that succeeded, in the measured time or late.
    pub fn successes(&self) -> u64 {
        self.succeeded + self.ended_late.saturating_sub(self.late_errors)
    }

    /// The share of errors, from 0 to 1; 1 where nothing ended.
    pub fn error_share(&self) -> f64 {
        let (errors, successes) = (self.errors(), self.successes());
        let all = errors + successes;
        if all == 0 { 1.0 } else { errors as f64 / all as f64 }
    }

    /// Failures of every kind.
    pub fn failed(&self) -> u64 {
        self.failures.values().sum()
    }
}
