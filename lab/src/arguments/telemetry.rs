//! `--otlp-endpoint` and `--trace-rate`, for every command whose processes have spans.

use clap::Args;
use observability::traces::{DEFAULT_TRACES_PER_SECOND, TraceSettings};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// Where spans go, and how many.
#[derive(Clone, Debug, Args, Serialize, Deserialize)]
#[command(next_help_heading = "Traces")]
pub(crate) struct TelemetryArguments {
    /// Base URL of a collector that takes OTLP over HTTP, such as `http://127.0.0.1:4318`; also
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`, as other OTEL_… variables are taken [default: no traces]
    #[arg(long, value_name = "URL")]
    otlp_endpoint: Option<String>,
    /// Most traces per second that begin here for users; `OTEL_TRACES_SAMPLER` takes its place
    #[arg(long, value_name = "RATE", default_value_t = DEFAULT_TRACES_PER_SECOND)]
    trace_rate: f64,
}

impl TelemetryArguments {
    /// What a process of this service says about its traces.
    pub(crate) fn settings(&self, service: &str, instance: String) -> TraceSettings {
        TraceSettings {
            service: service.to_owned(),
            instance,
            endpoint: self.otlp_endpoint.clone(),
            traces_per_second: self.trace_rate,
        }
    }

    /// Finds a mistake before anything starts.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        self.settings("", String::new()).check().map_err(Failure::bad_input)
    }
}

/// A name for a process that nobody named. Containers have equal process ids, processes equal host names; together
/// they differ.
pub(crate) fn unique_id(service: &str) -> String {
    let system = rustix::system::uname();
    let host = system.nodename().to_string_lossy();
    format!("{service}-{host}-{}", std::process::id())
}
