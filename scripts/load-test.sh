#!/usr/bin/env bash
# Sends requests at a steady rate to the lab that scripts/start.sh started, from a container beside it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
    cat <<'TEXT'
Usage: scripts/load-test.sh [SECONDS] [REQUESTS PER SECOND] [FLAGS OF lab load…]

60 seconds at 50 requests per second, unless said otherwise. The rate is kept however slow the answers are: a service
that falls behind is not spared. Ends with 1 when a --threshold does not hold.
Example:
  scripts/load-test.sh 120 100 --threshold p95=250ms
TEXT
}

fail() { printf 'load-test: %s\n' "$1" >&2; [ -z "${2:-}" ] || printf 'hint: %s\n' "$2" >&2; exit "${3:-3}"; }

case "${1:-}" in -h | --help) usage; exit 0 ;; esac
seconds=${1:-60}
rate=${2:-50}
shift $(($# < 2 ? $# : 2))
[[ "$seconds" =~ ^[1-9][0-9]*$ ]] || fail "\`$seconds\` is no number of seconds, expected a whole number such as 60" "see --help" 2
[[ "$rate" =~ ^[0-9]+(\.[0-9]+)?$ ]] || fail "\`$rate\` is no rate, expected requests per second such as 50" "see --help" 2

scripts/require-engine.sh load-test
setting() { compose/setting.sh "$1"; }
network="$(setting COMPOSE_PROJECT_NAME)_edge"
docker network inspect "$network" >/dev/null 2>&1 || fail "the lab does not run: there is no network $network" "scripts/start.sh starts it"
exec docker run --rm --init --network "$network" --read-only --cap-drop ALL --security-opt no-new-privileges \
    "$(setting LAB_IMAGE)" load --host http://gateway:8000 --rate "$rate" --run-time "${seconds}s" "$@"
