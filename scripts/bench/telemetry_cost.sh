#!/usr/bin/env bash
# What telemetry costs a replica on `/` with zero service time: one without any, one as shipped without an endpoint for
# its traces, and one that exports them to a collector (default sampling). Interleaved rounds, the server pinned to one
# core, wrk and collector to the other; ratios of medians. As shipped with a collector it must keep 0.90 of the
# throughput and lose at most 0.1 ms of p99.
#
# Throughput is what a second of CPU time serves at saturation, which other work on the machine hardly touches; the
# requests per second are printed beside it. p99 is measured at about 7,000 requests per second: at saturation it would
# only say how long the queue of wrk's own connections is.
#
# The replica without telemetry is built from a copy of the sources whose measuring functions return at once.
#
#   scripts/bench/telemetry_cost.sh                 builds both binaries and measures them
#   scripts/bench/telemetry_cost.sh --build FOLDER  only builds them, as FOLDER/lab-without and FOLDER/lab
#   scripts/bench/telemetry_cost.sh --run FOLDER    only measures what was built there
set -euo pipefail
case "${1:-}" in
    '') [ $# -eq 0 ] ;;
    --build | --run) [ $# -eq 2 ] && mkdir -p "$2" && binaries=$(cd "$2" && pwd) ;;
    *) false ;;
esac || { sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//' >&2; exit 2; }
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
rounds=${ROUNDS:-7} seconds=${SECONDS_PER_ROUND:-4} connections=${CONNECTIONS:-32}
target=${CARGO_TARGET_DIR:-$PWD/target}

folder=$(mktemp -d)
server='' collector=''
stop() { [ -z "$1" ] || { kill "$1" 2>/dev/null; wait "$1" 2>/dev/null || :; }; }
trap 'stop "$server"; stop "$collector"; rm -rf "$folder"' EXIT

# Puts the line $3 into the file $1 before the one line that holds $2.
insert_before() {
    [ "$(grep -cF -- "$2" "$1")" = 1 ] || { echo "telemetry_cost: \`$2\` is not once in $1" >&2; exit 3; }
    awk -v anchor="$2" -v line="$3" 'index($0, anchor) {print line} {print}' "$1" >"$1.new"
    mv "$1.new" "$1"
}

: "${binaries:=$folder}"
if [ "${1:-}" != --run ]; then
    # Both builds share the compiled dependencies; the second one replaces the first one's binary.
    mkdir "$folder/sources"
    tar c --exclude=./target --exclude=./.git . | tar x -C "$folder/sources"
    (
        cd "$folder/sources"
        insert_before observability/src/http/server.rs 'let MeasuredRoutes { routes, unmeasured' 'return None;'
        insert_before webapp/src/metrics.rs 'self.arrived.fetch_add(' 'return;'
        insert_before webapp/src/metrics.rs 'self.response_times.of(origin).observe(' 'return;'
        insert_before webapp/src/replica/job_trace.rs 'let job = match origin {' 'return None;'
        # It warns of code that is not reached, which is what was wanted.
        CARGO_TARGET_DIR=$target cargo build --profile dist --quiet 2>"$folder/build.log" || { cat "$folder/build.log" >&2; exit 3; }
    )
    cp "$target/dist/lab" "$binaries/lab-without"
    # Cargo goes by times, and the copies that were compiled are as old as the originals.
    cargo clean --quiet --profile dist --package observability --package webapp
    cargo build --profile dist --quiet
    cp "$target/dist/lab" "$binaries/lab"
fi
cmp -s "$binaries/lab" "$binaries/lab-without" && { echo "telemetry_cost: both binaries are the same" >&2; exit 3; }
[ "${1:-}" != --build ] || exit 0

# Takes whatever is posted, and says yes.
taskset -c 1 python3 -c '
import http.server
class Yes(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", 8198), Yes).serve_forever()' &
collector=$!

# CPU time of the server so far, all its threads: the scheduler's own account, because ticks are sampled.
cpu_nanoseconds() { cat "/proc/$server/task/"*/schedstat | awk '{sum += $1} END {printf "%.0f", sum}'; }

load() { taskset -c 1 wrk -t 1 -c "$connections" "$@" http://127.0.0.1:8197/; }

# Starts the binary $1 with further flags and prints requests per CPU second, requests per second, and the p99 of a
# paced load in milliseconds.
measure() {
    taskset -c 0 "$1" webapp --listen 127.0.0.1:8197 --service-time 0s --base-rps 0 --drain-wait 0s --log-level error \
        "${@:2}" >/dev/null 2>&1 &
    server=$!
    for _ in $(seq 100); do
        curl -fsS -o /dev/null http://127.0.0.1:8197/ 2>/dev/null && break
        read -rt 0.05 <> <(:) || :
    done
    load -d 1s >/dev/null
    local before after saturated p99
    before=$(cpu_nanoseconds)
    saturated=$(load -d "${seconds}s")
    after=$(cpu_nanoseconds)
    p99=$(load -d "${seconds}s" --latency -s scripts/bench/gateway_vs_nginx/paced.lua | awk '
        $1 == "99%" {print $2 ~ /us$/ ? $2 / 1000 : $2 ~ /ms$/ ? $2 + 0 : $2 * 1000}')
    awk -v cpu="$((after - before))" -v p99="$p99" '
        / requests in / {requests = $1}
        /Requests\/sec/ {rate = $2}
        END {print requests * 1e9 / cpu, rate, p99}' <<<"$saturated"
    stop "$server"
    server=''
}

median() { sort -g | awk '{v[NR]=$1} END {print (NR % 2) ? v[(NR+1)/2] : (v[NR/2]+v[NR/2+1])/2}'; }

variants=(without shipped exporting everything)
: >"$folder/results"
for round in $(seq "$rounds"); do
    for variant in "${variants[@]}"; do
        case "$variant" in
            without) figures=$(measure "$binaries/lab-without") ;;
            shipped) figures=$(measure "$binaries/lab") ;;
            exporting) figures=$(measure "$binaries/lab" --otlp-endpoint http://127.0.0.1:8198) ;;
            # For information: no sampling at all.
            everything)
                figures=$(OTEL_TRACES_SAMPLER=always_on measure "$binaries/lab" --otlp-endpoint http://127.0.0.1:8198)
                ;;
        esac
        echo "$variant $figures" | tee -a "$folder/results" | sed "s/^/round $round: /"
    done
done

of() { awk -v variant="$1" -v column="$2" '$1 == variant {print $column}' "$folder/results" | median; }
base=$(of without 2) base_p99=$(of without 4)
held=0
for variant in "${variants[@]}"; do
    awk -v variant="$variant" -v served="$(of "$variant" 2)" -v rate="$(of "$variant" 3)" -v p99="$(of "$variant" 4)" \
        -v base="$base" -v base_p99="$base_p99" 'BEGIN {
            printf "median: %-10s %6.0f per CPU second (%.3f), %6.0f/s, p99 %.3f ms (%+.3f)\n", variant, served,
                served / base, rate, p99, p99 - base_p99
            exit variant == "exporting" && !(served / base >= 0.90 && p99 - base_p99 <= 0.1)
        }' || held=1
done
exit "$held"
