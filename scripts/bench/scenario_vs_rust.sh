#!/usr/bin/env bash
# Compares the requests per second of users from a YAML scenario with the same users written in Rust on Goose, and exits
# with 1 below the bound.
#
# Both sides are one program (loadgen/examples/scenario_vs_rust.rs), pinned to one core; the target, an nginx that answers
# a constant, runs on another. Each round measures both, one after the other, in changing order; what counts is the
# median over the rounds of the ratio within a round. The target's CPU share is printed, to show that it is not the limit.
#
# Usage: scripts/bench/scenario_vs_rust.sh [--rounds 7] [--seconds 5] [--users 32] [--bound 0.9]
# Environment: PROGRAM (default: target/dist/examples/scenario_vs_rust, which is built); PORT (default 19090).
set -euo pipefail

rounds=7 seconds=5 users=32 bound=0.9
while [ $# -gt 0 ]; do
    case $1 in
        --rounds) rounds=$2 ;;
        --seconds) seconds=$2 ;;
        --users) users=$2 ;;
        --bound) bound=$2 ;;
        *) sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//' >&2; exit 2 ;;
    esac
    shift 2
done

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
port=${PORT:-19090}

fail() { echo "scenario_vs_rust: $*" >&2; exit 3; }
for tool in nginx taskset; do
    command -v "$tool" > /dev/null || fail "$tool is missing; on Debian: apt-get install nginx-light util-linux"
done
if [ -z "${PROGRAM:-}" ]; then
    (cd "$root" && cargo build --profile dist --quiet -p loadgen --example scenario_vs_rust)
    PROGRAM=$root/target/dist/examples/scenario_vs_rust
fi
mapfile -t cores < <(taskset -cp $$ | sed 's/.*: //' | tr ',' '\n' | awk -F- '{ for (i = $1; i <= ($2 == "" ? $1 : $2); i++) print i }')
[ "${#cores[@]}" -ge 2 ] || fail "two cores are needed, one for the users and one for the target"
target_core=${cores[0]} users_core=${cores[1]}

work=$(mktemp -d)
sed "s/@backend1@/$port/g; s/@backend2@/$((port + 1))/g" "$here/gateway_vs_nginx/backend.conf" > "$work/nginx.conf"
taskset -c "$target_core" nginx -p "$work" -c nginx.conf -e stderr &
nginx=$!
finish() {
    kill "$nginx" 2> /dev/null || true
    wait 2> /dev/null || true
    rm -rf "$work"
}
trap finish EXIT
for _ in $(seq 200); do
    if (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; then break; fi
    sleep 0.05
done
worker=$(pgrep -P "$nginx") || fail "nginx does not run"
ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$worker/stat"; }

# side NAME: requests per second.
side() { taskset -c "$users_core" "$PROGRAM" "$1" "http://127.0.0.1:$port" "$users" "$seconds" | tail -n 1; }

before=$(ticks) begun=$(date +%s%N)
for round in $(seq "$rounds"); do
    if [ $((round % 2)) -eq 1 ]; then
        yaml=$(side yaml) rust=$(side rust)
    else
        rust=$(side rust) yaml=$(side yaml)
    fi
    echo "$yaml $rust" >> "$work/figures"
    echo "round $round of $rounds: yaml $yaml/s, rust $rust/s" >&2
done
busy=$(awk -v t=$(($(ticks) - before)) -v hz="$(getconf CLK_TCK)" -v ns=$(($(date +%s%N) - begun)) 'BEGIN { printf "%.0f", t / hz / ns * 1e11 }')

median() { awk "{ print $1 }" "$work/figures" | sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
ratio=$(median '$1 / $2')
printf 'requests per second on one core, %s users: yaml %.0f, rust on goose %.0f, ratio %.3f (at least %s); the target used %s %% of its core\n' \
    "$users" "$(median '$1')" "$(median '$2')" "$ratio" "$bound" "$busy"
awk -v ratio="$ratio" -v bound="$bound" 'BEGIN { exit (ratio < bound) }' || { echo "below the bound: $ratio"; exit 1; }
