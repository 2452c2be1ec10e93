#!/usr/bin/env bash
# Measures how many requests a second the simulator plays on one core, beside simpy and ciw with the same model in the same
# run: one replica of four workers at utilisation 0.8 (M/M/4). Then many replicas behind the full balancer, with and without
# a policy that is fed by scrapes.
#
# simpy and ciw come from the package index into a folder of their own; without Python or the index they are left out.
# Figures are the best of three rounds: another process on the machine only ever makes a round slower.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

requests=${REQUESTS:-10000000}
cargo build --profile dist --quiet --locked --package simulator --example requests
program=target/dist/examples/requests
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

core=()
command -v taskset >/dev/null && core=(taskset -c 1)

# Millions of requests per second: rate REQUESTS COMMAND…
rate() {
    local count=$1 best=0 began ended speed
    shift
    for _ in 1 2 3; do
        began=$(date +%s%N)
        "${core[@]}" "$@" >/dev/null
        ended=$(date +%s%N)
        speed=$(awk -v n="$count" -v ns="$((ended - began))" 'BEGIN { printf "%.3f", n * 1000 / ns }')
        best=$(awk -v a="$best" -v b="$speed" 'BEGIN { print (a > b) ? a : b }')
    done
    echo "$best"
}

ours=$(rate "$requests" "$program" 1 "$requests")
printf '%-52s %9s million requests/s\n' 'one replica, M/M/4 at 0.8' "$ours"
for replicas in 4 100 10000; do
    speed=$(rate "$requests" "$program" "$replicas" "$requests")
    printf '%-52s %9s million requests/s\n' "$replicas replicas behind the balancer" "$speed"
done
for replicas in 4 100; do
    speed=$(rate "$requests" "$program" "$replicas" "$requests" 5)
    printf '%-52s %9s million requests/s\n' "$replicas replicas, scraped each 5 s, with a policy" "$speed"
done

if ! { python3 -m venv "$work/python" && "$work/python/bin/pip" install --quiet simpy ciw; } >/dev/null 2>&1; then
    echo 'simpy and ciw: left out, Python or the package index is missing'
    exit 0
fi
cat >"$work/with_simpy.py" <<'PYTHON'
import random
import sys

import simpy

count = int(sys.argv[1])
random.seed(1)
env = simpy.Environment()
workers = simpy.Resource(env, capacity=4)


def serve():
    with workers.request() as turn:
        yield turn
        yield env.timeout(random.expovariate(20.0))


def arrive():
    for _ in range(count):
        yield env.timeout(random.expovariate(64.0))
        env.process(serve())


env.process(arrive())
env.run()
PYTHON
cat >"$work/with_ciw.py" <<'PYTHON'
import sys

import ciw

count = int(sys.argv[1])
network = ciw.create_network(
    arrival_distributions=[ciw.dists.Exponential(rate=64.0)],
    service_distributions=[ciw.dists.Exponential(rate=20.0)],
    number_of_servers=[4],
)
ciw.seed(1)
ciw.Simulation(network).simulate_until_max_customers(count)
PYTHON
peer_requests=200000
for peer in simpy ciw; do
    speed=$(rate "$peer_requests" "$work/python/bin/python" "$work/with_$peer.py" "$peer_requests")
    ratio=$(awk -v a="$ours" -v b="$speed" 'BEGIN { printf "%.0f", a / b }')
    printf '%-52s %9s million requests/s, ours is %s times as fast\n' "$peer, M/M/4 at 0.8" "$speed" "$ratio"
done
