#!/usr/bin/env bash
# What one core carries of the code that live runs and simulations share: picks per second (a pick, a stay, a record and a
# release each) with 100 and 10,000 endpoints, and queue events per second. Goal: 6 million picks/s with 100 endpoints, 4
# million with 10,000. There is no peer to compare with: take a quiet machine, and two figures of one machine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
core=${CORE:-1}
for crate_and_example in gateway-balancer:picks_per_second webapp-queue:events_per_second; do
    crate=${crate_and_example%:*} example=${crate_and_example#*:}
    cargo build --profile dist --quiet -p "$crate" --example "$example"
    taskset -c "$core" "target/dist/examples/$example"
done
