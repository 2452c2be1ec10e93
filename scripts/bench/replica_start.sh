#!/usr/bin/env bash
# Time from asking for a replica until it is in the gateway's rotation (at most 120 ms, median of 20), and the memory of
# replicas and scaler (at most 15 and 20 MiB) in a running `lab up`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
rounds=${ROUNDS:-20}
gateway=127.0.0.1:8290 admin=127.0.0.1:8291 page=127.0.0.1:8292

target/dist/lab up --gateway $gateway --admin $admin --page $page --check-interval 1h >/dev/null 2>&1 &
lab=$!
trap 'kill $lab 2>/dev/null; wait $lab 2>/dev/null || :' EXIT
until curl -fsS -o /dev/null "http://$page/ready" 2>/dev/null; do kill -0 "$lab"; done

ready() { curl -fsS "http://$admin/endpoints" | grep -o '"state":"ready"' | wc -l; }
milliseconds() { echo $(($(date +%s%N) / 1000000)); }
scale() { curl -fsS -o /dev/null -X PUT "http://$page/api/replicas" -H 'content-type: application/json' -d "{\"desired\": $1}"; }

until [ "$(ready)" -eq 1 ]; do :; done
for _ in $(seq "$rounds"); do
    before=$(milliseconds)
    scale 2 &
    asked=$!
    until [ "$(ready)" -eq 2 ]; do :; done
    echo $(($(milliseconds) - before))
    wait "$asked"
    scale 1
    until [ "$(ready)" -eq 1 ]; do :; done
done | sort -n | awk '{v[NR]=$1} END {
    printf "in rotation after: median %d ms, slowest %d ms of %d (must be at most 120, with up to 15 of curl)\n", v[int((NR+1)/2)], v[NR], NR
    exit !(v[int((NR+1)/2)] <= 120)
}'

memory_mib() { awk '/^VmRSS/ {printf "%.1f", $2 / 1024}' "/proc/$1/status"; }
status=0
for pid in $(pgrep -P "$lab"); do
    name=$(tr '\0' ' ' <"/proc/$pid/cmdline" | awk '{print $2}')
    case "$name" in webapp) most=15 ;; scaler) most=20 ;; *) continue ;; esac
    rss=$(memory_mib "$pid")
    printf '%s: %s MiB (must be at most %s)\n' "$name" "$rss" "$most"
    awk -v r="$rss" -v m="$most" 'BEGIN {exit !(r <= m)}' || status=1
done
exit $status
