#!/usr/bin/env bash
# What the live page costs: the stream of a viewer (at most 5 KiB/s) and the scaler's CPU time with 50 viewers (at most
# 5 % of a core), of a running `lab up` with 6 replicas.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
viewers=${VIEWERS:-50} seconds=${SECONDS_MEASURED:-30} lab=${LAB:-target/dist/lab}
gateway=127.0.0.1:8293 admin=127.0.0.1:8294 page=127.0.0.1:8295
folder=$(mktemp -d)

"$lab" up --gateway $gateway --admin $admin --page $page --min-replicas 6 --max-replicas 6 >/dev/null 2>&1 &
up=$!
followers=()
finish() {
    [ "${#followers[@]}" -eq 0 ] || kill "${followers[@]}" 2>/dev/null || :
    kill $up 2>/dev/null || :
    wait 2>/dev/null || :
    rm -r "$folder"
}
trap finish EXIT
until [ "$(curl -fsS "http://$admin/endpoints" 2>/dev/null | grep -o '"state":"ready"' | wc -l)" -eq 6 ]; do kill -0 $up; done
curl -fsS -o /dev/null "http://$gateway/load/spike?factor=5&hold=10m"

cpu_seconds() { curl -fsS "http://$page/metrics" | awk '$1 == "process_cpu_seconds_total" {print $2}'; }
# Share of a core over the time measured, in per cent.
cpu_share() {
    local before after
    before=$(cpu_seconds)
    sleep "$seconds"
    after=$(cpu_seconds)
    awk -v a="$after" -v b="$before" -v s="$seconds" 'BEGIN {printf "%.2f", (a - b) / s * 100}'
}

sleep 5
alone=$(cpu_share)
for number in $(seq "$viewers"); do
    curl -fsSN "http://$page/api/events" >"$folder/$number" &
    followers+=($!)
    curl -fsS -o /dev/null "http://$page/api/history?form=columns"
done
sleep 3
bytes() { cat "$folder"/* | wc -c; }
before=$(bytes)
watched=$(cpu_share)
after=$(bytes)
per_viewer=$(awk -v a="$after" -v b="$before" -v s="$seconds" -v v="$viewers" 'BEGIN {printf "%.0f", (a - b) / s / v}')
history=$(curl -fsS "http://$page/api/history?form=columns" | wc -c)

printf 'stream of a viewer: %d bytes/s (at most 5120); the history so far: %d bytes\n' "$per_viewer" "$history"
printf 'scaler: %s %% of a core without viewers, %s %% with %d (at most 5)\n' "$alone" "$watched" "$viewers"
awk -v p="$per_viewer" -v w="$watched" 'BEGIN {exit !(p > 0 && p <= 5120 && w <= 5)}'
