#!/usr/bin/env bash
# CPU time and memory of a scaler that looks at 50 replicas each second: at most 2 % of a core and 20 MiB.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
cargo run --profile dist --quiet -p scaler --example scaler_cost
