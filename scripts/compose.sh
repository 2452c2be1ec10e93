#!/usr/bin/env bash
# Runs Compose, version 2 or 1.29, on the lab's files: scripts/compose.sh ps, scripts/compose.sh logs -f scaler, …
#
# LAB_COMPOSE names the command where the choice is not right ("docker-compose"), LAB_OVERLAYS what is laid over
# compose.yaml ("offline hardened").
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../compose/classic-variables.sh"
read_classic_files compose
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

if [ -n "${LAB_COMPOSE:-}" ]; then
    read -r -a compose <<<"$LAB_COMPOSE"
elif docker compose version >/dev/null 2>&1; then
    compose=(docker compose)
elif command -v docker-compose >/dev/null; then
    compose=(docker-compose)
else
    printf 'compose: neither `docker compose` nor docker-compose is installed\n' >&2
    printf 'hint: https://docs.docker.com/compose/install, or on Debian apt-get install docker-compose\n' >&2
    exit 3
fi

files=(-f "$root/compose/compose.yaml")
for overlay in ${LAB_OVERLAYS-}; do
    files+=(-f "$(case "$overlay" in /*) printf '%s' "$overlay" ;; *) printf '%s/compose/compose.%s.yaml' "$root" "$overlay" ;; esac)")
done
exec "${compose[@]}" "${files[@]}" "$@"
