#!/usr/bin/env bash
# Throughput of `/` with zero service time against the same handler on bare axum: interleaved rounds, the server pinned
# to one core and wrk to the other, ratio of medians. Must be at least 0.80.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
rounds=${ROUNDS:-7} seconds=${SECONDS_PER_ROUND:-4}

cargo build --profile dist --quiet --example bare -p webapp
server=
stop() { [ -z "$server" ] || { kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || :; server=; }; }
trap stop EXIT

# Starts "$@" pinned to core 0, waits until port $port answers, prints wrk's requests per second.
measure() {
    taskset -c 0 "$@" >/dev/null 2>&1 &
    server=$!
    for _ in $(seq 100); do
        curl -fsS -o /dev/null "http://127.0.0.1:$port/" 2>/dev/null && break
        read -rt 0.05 <> <(:) || :
    done
    taskset -c 1 wrk -t 1 -c 32 -d 1s "http://127.0.0.1:$port/" >/dev/null
    taskset -c 1 wrk -t 1 -c 32 -d "${seconds}s" "http://127.0.0.1:$port/" | awk '/Requests\/sec/ {print $2}'
    stop
}

median() { sort -g | awk '{v[NR]=$1} END {print (NR % 2) ? v[(NR+1)/2] : (v[NR/2]+v[NR/2+1])/2}'; }

port=8190 bare=() ours=()
for round in $(seq "$rounds"); do
    bare+=("$(measure target/dist/examples/bare "127.0.0.1:$port")")
    ours+=("$(measure target/dist/lab webapp --listen "127.0.0.1:$port" --service-time 0s --base-rps 0 --log-level warn)")
    printf 'round %s: bare axum %s/s, replica %s/s\n' "$round" "${bare[-1]}" "${ours[-1]}"
done
b=$(printf '%s\n' "${bare[@]}" | median) o=$(printf '%s\n' "${ours[@]}" | median)
awk -v b="$b" -v o="$o" 'BEGIN {
    printf "median: bare axum %.0f/s, replica %.0f/s, ratio %.3f (must be at least 0.80)\n", b, o, o / b
    exit !(o / b >= 0.80)
}'
