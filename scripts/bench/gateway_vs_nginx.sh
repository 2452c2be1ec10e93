#!/usr/bin/env bash
# Compares the CPU time that the gateway and nginx take for one proxied request, and exits with 1 above the bound.
#
# Both proxies run pinned to one core; the load (wrk) and the backend (another nginx that answers a constant) run on
# the other. Each round measures all proxies one after the other, saturated and at a fixed rate, so that a drift of the
# machine meets all of them; what counts is the median over the rounds of the ratio within a round. CPU time is the
# scheduler's own account of each thread (/proc/PID/task/*/schedstat, nanoseconds): utime and stime are sampled at the
# timer's tick, which at a third of a core is several per cent of chance.
#
# The fixed rate: wrk has none, so 32 connections each pause 1 to 7 ms between two requests (paced.lua), which makes
# about 7,000 requests per second as long as the proxy keeps up, the same for all.
#
# "nginx" proxies and nothing else; "nginx, same job" also picks by `random two least_conn` and sets the headers that
# the gateway sets. The bound is on the first.
#
# Usage: scripts/bench/gateway_vs_nginx.sh [--rounds 7] [--seconds 5] [--bound 1.15]
# Environment: GATEWAY, the command that starts a gateway (default: target/dist/lab gateway); PORT, the first of
# seven ports on loopback (default 19080).
set -euo pipefail

rounds=7 seconds=5 bound=1.15
while [ $# -gt 0 ]; do
    case $1 in
        --rounds) rounds=$2 ;;
        --seconds) seconds=$2 ;;
        --bound) bound=$2 ;;
        *) sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//' >&2; exit 2 ;;
    esac
    shift 2
done

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
read -ra gateway <<< "${GATEWAY:-$root/target/dist/lab gateway}"
port=${PORT:-19080}

fail() { echo "gateway_vs_nginx: $*" >&2; exit 3; }
for tool in nginx wrk taskset; do
    command -v "$tool" > /dev/null || fail "$tool is missing; on Debian: apt-get install nginx wrk util-linux"
done
[ -x "${gateway[0]}" ] || fail "${gateway[0]} is missing; build it with: cargo build --profile dist"
mapfile -t cores < <(taskset -cp $$ | sed 's/.*: //' | tr ',' '\n' | awk -F- '{ for (i = $1; i <= ($2 == "" ? $1 : $2); i++) print i }')
[ "${#cores[@]}" -ge 2 ] || fail "two cores are needed, one for the proxies and one for the load"
load_core=${cores[0]} proxy_core=${cores[1]}

work=$(mktemp -d)
started=()
finish() {
    for pid in "${started[@]}"; do kill "$pid" 2> /dev/null || true; done
    wait 2> /dev/null || true
    rm -rf "$work"
}
trap finish EXIT

# start_nginx NAME CORE FILE PORT: fills in the ports, starts it, and leaves its worker's id in $worker.
start_nginx() {
    mkdir "$work/$1"
    sed "s/@listen@/$4/g; s/@backend1@/$((port + 1))/g; s/@backend2@/$((port + 2))/g" "$here/gateway_vs_nginx/$3" > "$work/$1/nginx.conf"
    taskset -c "$2" nginx -p "$work/$1" -c nginx.conf -e stderr &
    local master=$!
    started+=("$master")
    until_answers "$4" "$1"
    worker=$(pgrep -P "$master")
}

until_answers() {
    for _ in $(seq 200); do
        if (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null; then return; fi
        sleep 0.05
    done
    fail "$2 does not answer on port $1"
}

start_nginx backend "$load_core" backend.conf $((port + 1))
start_nginx nginx "$proxy_core" proxy.conf $((port + 3)); pid_nginx=$worker
start_nginx same_job "$proxy_core" proxy_same_job.conf $((port + 4)); pid_same_job=$worker
taskset -c "$proxy_core" "${gateway[@]}" --listen "127.0.0.1:$((port + 5))" --admin "127.0.0.1:$((port + 6))" \
    --endpoints "http://127.0.0.1:$((port + 1)),http://127.0.0.1:$((port + 2))" > "$work/gateway.log" 2>&1 &
pid_gateway=$!
started+=("$pid_gateway")
until_answers $((port + 5)) gateway

cpu_nanoseconds() { cat "/proc/$1/task/"*/schedstat | awk '{ sum += $1 } END { printf "%.0f", sum }'; }

# measure PID PORT WRK-ARGUMENTS…: prints CPU microseconds per request, and requests per second.
measure() {
    local pid=$1 to=$2 before after
    shift 2
    before=$(cpu_nanoseconds "$pid")
    taskset -c "$load_core" wrk -t1 -d"${seconds}s" "$@" "http://127.0.0.1:$to/" > "$work/wrk"
    after=$(cpu_nanoseconds "$pid")
    if grep -qE 'Non-2xx|Socket errors' "$work/wrk"; then cat "$work/wrk" >&2; fail "requests failed"; fi
    awk -v cpu=$((after - before)) -v seconds="$seconds" \
        '/requests in/ { printf "%.3f %.0f\n", cpu / 1e3 / $1, $1 / seconds }' "$work/wrk"
}

saturated=(-c16)
paced=(-c32 -s "$here/gateway_vs_nginx/paced.lua")
for pair in "$pid_nginx $((port + 3))" "$pid_same_job $((port + 4))" "$pid_gateway $((port + 5))"; do
    # shellcheck disable=SC2086 # two words: the process and its port
    seconds=1 measure $pair "${saturated[@]}" > /dev/null
done

for round in $(seq "$rounds"); do
    for load in saturated paced; do
        declare -n arguments=$load
        nginx=$(measure "$pid_nginx" $((port + 3)) "${arguments[@]}")
        gateway_figures=$(measure "$pid_gateway" $((port + 5)) "${arguments[@]}")
        same_job=$(measure "$pid_same_job" $((port + 4)) "${arguments[@]}")
        echo "$load $nginx $gateway_figures $same_job" >> "$work/figures"
        echo "round $round of $rounds, $load: CPU µs and requests/s: nginx $nginx, gateway $gateway_figures, nginx same job $same_job" >&2
    done
done

# median LOAD EXPRESSION, an awk expression over: $2 $3 nginx, $4 $5 gateway, $6 $7 same job (µs, requests/s).
median() {
    awk -v load="$1" "\$1 == load { print $2 }" "$work/figures" | sort -g |
        awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

worst=0
printf '%-10s %12s %12s %12s %12s %10s %10s\n' load requests/s 'nginx µs' 'same job µs' 'gateway µs' '÷ nginx' '÷ same job'
for load in saturated paced; do
    ratio=$(median $load '$4 / $2')
    printf '%-10s %12.0f %11.2f %12.2f %11.2f %10.3f %10.3f\n' $load "$(median $load '$5')" "$(median $load '$2')" \
        "$(median $load '$6')" "$(median $load '$4')" "$ratio" "$(median $load '$4 / $6')"
    worst=$(awk -v a="$worst" -v b="$ratio" 'BEGIN { print (a > b ? a : b) }')
done
echo "bound $bound on the gateway's CPU time per request ÷ nginx's, medians of $rounds rounds of $seconds s"
awk -v worst="$worst" -v bound="$bound" 'BEGIN { exit (worst > bound) }' || { echo "above the bound: $worst"; exit 1; }
