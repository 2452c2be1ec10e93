#!/usr/bin/env bash
# How long from the decision for one more replica until it is in the gateway's rotation, in containers: median of 10.
#
# Claim: at most 1.0 s with the actuator `compose`; above it this ends with 1. `compose-cli` and `ansible` are reported
# beside it. Starts a lab of its own, from images that are there (compose/offline/build-images.sh makes them), and ends it.
#
# Environment: BOUND, the claim in seconds (default 1.0); ROUNDS (default 10); ACTUATORS (default: compose compose-cli ansible).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

bound=${BOUND:-1.0}
[[ "$bound" =~ ^[0-9]+(\.[0-9]+)?$ ]] || { printf 'compose_scale_up: BOUND is `%s`, expected seconds such as 1.0\n' "$bound" >&2; exit 2; }
rounds=${ROUNDS:-10}
actuators=${ACTUATORS:-compose compose-cli ansible}
export COMPOSE_PROJECT_NAME=labcmp-bench GATEWAY_PORT=28000 GATEWAY_ADMIN_PORT=28001 SCALER_PORT=28080 \
    PROMETHEUS_PORT=29090 ALERTMANAGER_PORT=29093 LAB_SOURCE=scrape
scratch=$(mktemp -d)
host_scaler=
clean_up() {
    [ -z "$host_scaler" ] || kill "$host_scaler" 2>/dev/null || true
    scripts/stop.sh --volumes >/dev/null 2>&1 || true
    rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

scripts/start.sh --offline --no-build >"$scratch/start.log" 2>&1 || { cat "$scratch/start.log" >&2; exit 3; }
curl -fsS -X POST http://127.0.0.1:28080/api/pause >/dev/null

in_rotation() { curl -fsS http://127.0.0.1:28001/endpoints | grep -o '"state":"ready"' | wc -l; }
# Seconds from asking for this many replicas until the gateway has them.
scale() {
    local page=$1 asked=$2 began
    began=$(date +%s%N)
    curl -fsS -X PUT "$page/api/replicas" -H 'Content-Type: application/json' -d "{\"desired\": $asked}" >/dev/null
    until [ "$(in_rotation)" -eq "$asked" ]; do
        [ $(($(date +%s%N) - began)) -lt 120000000000 ] || { printf 'not %s replicas within 120 s\n' "$asked" >&2; exit 1; }
    done
    awk -v ns=$(($(date +%s%N) - began)) 'BEGIN { printf "%.3f\n", ns / 1e9 }'
}
is_idle() { curl -fsS "$1/api/status" | grep -q '"acting":false'; }

status=0
for actuator in $actuators; do
    page=http://127.0.0.1:28080
    if [ "$actuator" != compose ]; then
        if [ "$actuator" = ansible ] && ! command -v ansible-playbook >/dev/null; then
            printf '%-12s not measured: ansible-playbook is not installed\n' "$actuator"; continue
        fi
        # These call programs of this machine, so their scaler runs here, with the binary of the image.
        if [ ! -e "$scratch/lab" ]; then
            container=$(docker create "$(compose/setting.sh LAB_IMAGE)")
            docker cp "$container:/lab" "$scratch/lab" >/dev/null
            docker rm "$container" >/dev/null
        fi
        "$scratch/lab" scaler --listen 127.0.0.1:28090 --actuator "$actuator" \
            --gateway http://127.0.0.1:28000 --gateway-admin http://127.0.0.1:28001 \
            --compose-project "$COMPOSE_PROJECT_NAME" --compose-service webapp \
            --compose-file compose/compose.yaml,compose/compose.offline.yaml >"$scratch/$actuator.log" 2>&1 &
        host_scaler=$!
        page=http://127.0.0.1:28090
        for _ in $(seq 100); do curl -fsS "$page/health" >/dev/null 2>&1 && break; sleep 0.1; done
        curl -fsS -X POST "$page/api/pause" >/dev/null || { tail "$scratch/$actuator.log" >&2; exit 3; }
    fi
    : >"$scratch/seconds"
    for _ in $(seq "$rounds"); do
        scale "$page" 2 >>"$scratch/seconds"
        until is_idle "$page"; do sleep 0.1; done
        scale "$page" 1 >/dev/null
        until is_idle "$page"; do sleep 0.1; done
    done
    limit=
    if [ "$actuator" = compose ]; then limit=$bound; fi
    sort -n "$scratch/seconds" | awk -v name="$actuator" -v limit="$limit" '
        { values[NR] = $1 }
        END {
            median = (values[int((NR + 1) / 2)] + values[int(NR / 2) + 1]) / 2
            broken = limit != "" && median > limit + 0
            judged = limit == "" ? "" : sprintf(" (at most %s s%s)", limit, broken ? ": NOT held" : "")
            printf "%-12s median %.2f s%s, fastest %.2f s, slowest %.2f s, of %d\n", name, median, judged, values[1], values[NR], NR
            exit broken
        }' || status=1
    [ -z "$host_scaler" ] || { kill "$host_scaler"; wait "$host_scaler" 2>/dev/null || true; host_scaler=; }
done
exit "$status"
