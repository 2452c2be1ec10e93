//! Names the measured values that a policy may act on, with the unit of each.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// What [`Signal::CpuCores`] was called before.
const CPU_CORES_BEFORE: &str = "cpu_utilization";

/// A measured value of the service; every source delivers the same ones under the same names.
///
/// A fresh reading of a service without requests is data: response times and rates are then 0. A service that has
/// requests and completes none has no response time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// Mean response time of completed jobs, users' and synthetic ones, in seconds.
    ResponseTimeMeanSeconds,
    /// Median response time of completed jobs, in seconds.
    ResponseTimeP50Seconds,
    /// 95th percentile of the response time of completed jobs, in seconds.
    ResponseTimeP95Seconds,
    /// 99th percentile of the response time of completed jobs, in seconds.
    ResponseTimeP99Seconds,
    /// Offered load, completed and refused jobs together, in requests per second.
    RequestsPerSecond,
    /// Jobs refused because the queue was full, per second.
    RefusedPerSecond,
    /// Jobs that failed, per second.
    ErrorsPerSecond,
    /// Completed jobs, failed ones included, per second.
    CompletedPerSecond,
    /// Failed jobs ÷ completed jobs, 0 to 1; refused jobs are not among them.
    ErrorRatio,
    /// Jobs by which the queues of all replicas together grow per second; negative while they shrink.
    BacklogGrowthPerSecond,
    /// Requests being answered at this moment, over all replicas.
    InFlight,
    /// Jobs waiting in a replica's queue, mean per replica over the window.
    QueueDepth,
    /// Busy workers ÷ workers, 0 to 1.
    Utilization,
    /// CPU cores in use, mean per replica: CPU time per second of time. Its name was `cpu_utilization`, which is still read.
    #[serde(alias = "cpu_utilization")]
    CpuCores,
    /// Resident memory, mean per replica, in bytes.
    MemoryBytes,
    /// Mean time that jobs waited for a connection to the dependency, in seconds.
    DependencyWaitSeconds,
}

/// What a signal's number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Events per second.
    PerSecond,
    /// A number of things.
    Count,
    /// A share from 0 to 1.
    Ratio,
    /// CPU cores.
    Cores,
    /// Bytes.
    Bytes,
}

impl Signal {
    /// Every signal, in the order of the documentation.
    pub const ALL: [Self; 16] = [
        Self::ResponseTimeMeanSeconds,
        Self::ResponseTimeP50Seconds,
        Self::ResponseTimeP95Seconds,
        Self::ResponseTimeP99Seconds,
        Self::RequestsPerSecond,
        Self::RefusedPerSecond,
        Self::ErrorsPerSecond,
        Self::CompletedPerSecond,
        Self::ErrorRatio,
        Self::BacklogGrowthPerSecond,
        Self::InFlight,
        Self::QueueDepth,
        Self::Utilization,
        Self::CpuCores,
        Self::MemoryBytes,
        Self::DependencyWaitSeconds,
    ];

    /// The name used in policy files, the API and metric labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ResponseTimeMeanSeconds => "response_time_mean_seconds",
            Self::ResponseTimeP50Seconds => "response_time_p50_seconds",
            Self::ResponseTimeP95Seconds => "response_time_p95_seconds",
            Self::ResponseTimeP99Seconds => "response_time_p99_seconds",
            Self::RequestsPerSecond => "requests_per_second",
            Self::RefusedPerSecond => "refused_per_second",
            Self::ErrorsPerSecond => "errors_per_second",
            Self::CompletedPerSecond => "completed_per_second",
            Self::ErrorRatio => "error_ratio",
            Self::BacklogGrowthPerSecond => "backlog_growth_per_second",
            Self::InFlight => "in_flight",
            Self::QueueDepth => "queue_depth",
            Self::Utilization => "utilization",
            Self::CpuCores => "cpu_cores",
            Self::MemoryBytes => "memory_bytes",
            Self::DependencyWaitSeconds => "dependency_wait_seconds",
        }
    }

    /// What the number counts.
    pub const fn unit(self) -> Unit {
        match self {
            Self::ResponseTimeMeanSeconds
            | Self::ResponseTimeP50Seconds
            | Self::ResponseTimeP95Seconds
            | Self::ResponseTimeP99Seconds
            | Self::DependencyWaitSeconds => Unit::Seconds,
            Self::RequestsPerSecond
            | Self::RefusedPerSecond
            | Self::ErrorsPerSecond
            | Self::CompletedPerSecond
            | Self::BacklogGrowthPerSecond => Unit::PerSecond,
            Self::InFlight | Self::QueueDepth => Unit::Count,
            Self::Utilization | Self::ErrorRatio => Unit::Ratio,
            Self::CpuCores => Unit::Cores,
            Self::MemoryBytes => Unit::Bytes,
        }
    }

    /// Whether only jobs that end tell of it, so that where none ends, nothing is known of it.
    pub const fn needs_completions(self) -> bool {
        match self {
            Self::ResponseTimeMeanSeconds
            | Self::ResponseTimeP50Seconds
            | Self::ResponseTimeP95Seconds
            | Self::ResponseTimeP99Seconds
            | Self::ErrorsPerSecond
            | Self::ErrorRatio
            | Self::DependencyWaitSeconds => true,
            Self::RequestsPerSecond
            | Self::RefusedPerSecond
            | Self::CompletedPerSecond
            | Self::BacklogGrowthPerSecond
            | Self::InFlight
            | Self::QueueDepth
            | Self::Utilization
            | Self::CpuCores
            | Self::MemoryBytes => false,
        }
    }

    /// A value of this signal as people write it, with its unit: `910 ms`, `1.25 s`, `42.0/s`, `0.85`.
    pub const fn amount(self, value: f64) -> Amount {
        Amount { value, unit: Some(self.unit()) }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no signal; the message lists those that are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no signal; known signals are {}", known_names())]
pub struct UnknownSignal {
    /// What was written.
    pub name: String,
}

fn known_names() -> String {
    Signal::ALL.map(Signal::name).join(", ")
}

impl FromStr for Signal {
    type Err = UnknownSignal;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = if text == CPU_CORES_BEFORE { Self::CpuCores.name() } else { text };
        Self::ALL
            .into_iter()
            .find(|signal| signal.name() == name)
            .ok_or_else(|| UnknownSignal { name: String::from(text) })
    }
}

/// A number together with its unit, for sentences.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Amount {
    value: f64,
    /// None where it is not known.
    unit: Option<Unit>,
}

impl Amount {
    /// A number whose unit is not known.
    pub(crate) const fn without_unit(value: f64) -> Self {
        Self { value, unit: None }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value;
        let Some(unit) = self.unit else { return write!(f, "{value}") };
        match unit {
            Unit::Seconds if value == 0.0 => f.write_str("0 ms"),
            Unit::Seconds if value.abs() < 0.001 => write!(f, "{:.2} ms", value * 1e3),
            Unit::Seconds if value.abs() < 1.0 => write!(f, "{:.0} ms", value * 1e3),
            Unit::Seconds => write!(f, "{value:.2} s"),
            Unit::PerSecond => write!(f, "{value:.1}/s"),
            Unit::Count => write!(f, "{value:.1}"),
            Unit::Ratio => write!(f, "{value:.2}"),
            Unit::Cores => write!(f, "{value:.3} cores"),
            Unit::Bytes => write!(f, "{:.1} MiB", value / (1024.0 * 1024.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn every_name_reads_back() {
        for signal in Signal::ALL {
            assert_eq!(signal.name().parse(), Ok(signal));
            let quoted = serde_json::to_string(&signal).expect("a signal is a plain string");
            assert_eq!(quoted.trim_matches('"'), signal.name(), "serde and Display must agree");
        }
    }

    #[test]
    fn the_old_name_of_cpu_cores_is_read_and_not_listed() {
        assert_eq!("cpu_utilization".parse(), Ok(Signal::CpuCores));
        assert_eq!(serde_json::from_str::<Signal>(r#""cpu_utilization""#).unwrap(), Signal::CpuCores);
        let error = "cpu".parse::<Signal>().unwrap_err().to_string();
        assert!(error.contains("cpu_cores") && !error.contains("cpu_utilization"), "{error}");
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = "latency".parse::<Signal>().unwrap_err().to_string();
        assert!(error.contains("`latency`") && error.contains("response_time_p95_seconds"), "{error}");
    }

    #[test]
    fn amounts_carry_their_unit() {
        assert_eq!(Signal::ResponseTimeMeanSeconds.amount(0.6).to_string(), "600 ms");
        assert_eq!(Signal::ResponseTimeMeanSeconds.amount(1.254).to_string(), "1.25 s");
        assert_eq!(Signal::ResponseTimeMeanSeconds.amount(0.0).to_string(), "0 ms");
        assert_eq!(Signal::RequestsPerSecond.amount(41.96).to_string(), "42.0/s");
        assert_eq!(Signal::MemoryBytes.amount(3.0 * 1024.0 * 1024.0).to_string(), "3.0 MiB");
    }
}
