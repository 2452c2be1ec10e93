#!/usr/bin/env bash
# Tries the running lab: are there more replicas under load, and are they gone afterwards? Takes some minutes.
set -euo pipefail
case "${1:-}" in
    -h | --help)
        cat <<'TEXT'
Usage: scripts/test-autoscaling.sh [SECONDS]

Five times the load for this long [default: 110], as scripts/scenario.sh spike. Ends as that does: with 1 when the
verdict is not good, with 3 when no lab answers, or one that is not at rest.
Example:
  scripts/start.sh && scripts/test-autoscaling.sh
TEXT
        exit 0 ;;
esac
exec "$(dirname "${BASH_SOURCE[0]}")/scenario.sh" spike --length "${1:-110}"
