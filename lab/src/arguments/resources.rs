//! What replicas use of CPU and memory and ask for, for `lab scaler`, `lab up` and `lab demo`.

use clap::Args;
use scaler::ReplicaResources;
use scaler_engine::keda::parse_quantity;
use serde::{Deserialize, Serialize};

/// Resources of a replica, for policies that compare usage with requests.
#[derive(Clone, Copy, Debug, Args, Serialize, Deserialize)]
pub(crate) struct ResourceArguments {
    /// CPU cores that each busy worker of a replica counts as; 0 takes what its process really uses
    #[arg(long, value_name = "CORES", default_value = "0.25", value_parser = cores)]
    cpu_per_worker: f64,
    /// CPU cores that a replica asks for where its platform does not say: `1`, `500m`
    #[arg(long, value_name = "CORES", default_value = "1", value_parser = cores_asked_for)]
    cpu_request: f64,
    /// Memory that a replica asks for where its platform does not say: `64Mi`, `0.5Gi`
    #[arg(long, value_name = "BYTES", default_value = "64Mi", value_parser = bytes_asked_for)]
    memory_request: f64,
}

impl ResourceArguments {
    pub(crate) fn resources(&self) -> ReplicaResources {
        ReplicaResources {
            cpu_cores_per_worker: self.cpu_per_worker,
            cpu_request_cores: self.cpu_request,
            memory_request_bytes: self.memory_request,
        }
    }

    /// The same as flags of `lab scaler`.
    pub(crate) fn flags(&self) -> Vec<String> {
        vec![
            format!("--cpu-per-worker={}", self.cpu_per_worker),
            format!("--cpu-request={}", self.cpu_request),
            format!("--memory-request={}", self.memory_request),
        ]
    }
}

fn cores(text: &str) -> Result<f64, String> {
    quantity(text, 0.0, 1e6, "cores of at least 0, such as 0.25, 500m or 0")
}

fn cores_asked_for(text: &str) -> Result<f64, String> {
    quantity(text, 0.001, 1e6, "cores of at least 1m, such as 0.5, 500m or 1")
}

fn bytes_asked_for(text: &str) -> Result<f64, String> {
    quantity(text, 1024.0, 1e18, "bytes of at least 1Ki, such as 64Mi or 67108864")
}

fn quantity(text: &str, least: f64, most: f64, expected: &str) -> Result<f64, String> {
    let read = parse_quantity(text).ok().filter(|value| (least..=most).contains(value));
    read.ok_or_else(|| format!("expected {expected}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_as_kubernetes_writes_them_or_refused_with_an_example() {
        assert_eq!((cores("0"), cores("250m"), cores_asked_for("1.5")), (Ok(0.0), Ok(0.25), Ok(1.5)));
        assert_eq!(
            (bytes_asked_for("64Mi"), bytes_asked_for("67108864")),
            (Ok(67_108_864.0), Ok(67_108_864.0))
        );
        for refused in [
            cores("-1"),
            cores("NaN"),
            cores("1e30"),
            cores(""),
            cores_asked_for("0"),
            bytes_asked_for("64"),
            bytes_asked_for("64 MB"),
        ] {
            assert!(refused.clone().unwrap_err().contains("such as"), "{refused:?}");
        }
    }
}
