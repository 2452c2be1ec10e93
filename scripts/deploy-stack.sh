#!/usr/bin/env bash
# Deploys the loop as a stack of this engine's swarm, with the settings of compose/.env and the shell's own before them.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../compose/classic-variables.sh"
read_classic_files deploy-stack
from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
    cat <<'TEXT'
Usage: scripts/deploy-stack.sh [--offline] [--no-build] [FILE…]

  --offline   make the images from what this machine has
  --no-build  take the image of the lab as it is
  FILE        laid over compose/compose.swarm.yaml, one after the other

The stack is called as COMPOSE_PROJECT_NAME says. Does not wait until it is healthy: `docker stack services NAME` shows it.
Ends with 0 when the stack is deployed, 2 for what it cannot read, 3 for what is missing.
Example:
  docker swarm init --advertise-addr 127.0.0.1
  scripts/deploy-stack.sh && curl http://localhost:8000/load/spike
  docker stack rm autoscale-lab && docker swarm leave --force
TEXT
}

fail() { printf 'deploy-stack: %s\n' "$1" >&2; [ -z "${2:-}" ] || printf 'hint: %s\n' "$2" >&2; exit "${3:-3}"; }

offline=no
build=yes
files=(-c compose/compose.swarm.yaml)
while [ $# -gt 0 ]; do
    case "$1" in
        --offline) offline=yes ;;
        --no-build) build=no ;;
        -h | --help) usage; exit 0 ;;
        -*) fail "\`$1\` is unknown" "see --help" 2 ;;
        *)
            case "$1" in /*) file=$1 ;; *) file=$from/$1 ;; esac
            [ -f "$file" ] || fail "there is no file $file" "see --help" 2
            files+=(-c "$file") ;;
    esac
    shift
done

scripts/require-engine.sh deploy-stack
[ "$(docker info --format '{{.Swarm.ControlAvailable}}')" = true ] \
    || fail "this engine is no manager of a swarm" "begin one: docker swarm init --advertise-addr 127.0.0.1; docker swarm leave --force ends it"

# Docker reads no .env for a stack.
while IFS='=' read -r name _; do
    case "$name" in [A-Z]*) export "$name=$(compose/setting.sh "$name")" ;; esac
done <compose/.env

if [ "$build" = no ]; then
    docker image inspect "$LAB_IMAGE" >/dev/null 2>&1 || fail "the image $LAB_IMAGE is missing" "leave --no-build out"
elif [ "$offline" = yes ]; then
    compose/offline/build-images.sh
else
    LAB_OVERLAYS='' scripts/compose.sh build webapp
fi
exec docker stack deploy "${files[@]}" "$COMPOSE_PROJECT_NAME"
