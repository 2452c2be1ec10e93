#!/usr/bin/env bash
# Ends the lab that scripts/start.sh started.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case "${1:-}" in
    "") options=() ;;
    --volumes) options=(--volumes) ;;
    -h | --help)
        cat <<'TEXT'
Usage: scripts/stop.sh [--volumes]

  --volumes  also forget what Prometheus, Grafana and the scaler remember

Ends with 3 where the containers of this name were started from another folder: that is another lab.
Example:
  scripts/stop.sh --volumes
TEXT
        exit 0 ;;
    *) printf 'stop: `%s` is unknown\nhint: see --help\n' "$1" >&2; exit 2 ;;
esac
scripts/require-engine.sh stop
scripts/require-own-folder.sh stop

# Its files name all networks that there can be, so nothing of a hardened lab is left either.
export LAB_OVERLAYS="${LAB_OVERLAYS-} hardened"

# The scaler goes first: it would put back the replicas that it sees disappear.
scripts/compose.sh stop scaler >/dev/null 2>&1 || true
# The replicas that the scaler made carry the project's labels, so Compose ends them, too.
exec scripts/compose.sh down --remove-orphans ${options[@]+"${options[@]}"}
