#!/usr/bin/env bash
# Starts the lab in containers, waits until all of them are healthy, and prints the addresses.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../compose/classic-variables.sh"
read_classic_files start
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
    cat <<'TEXT'
Usage: scripts/start.sh [--offline] [--hardened] [--no-build] [--timeout SECONDS]

  --offline          make the images from what this machine has, and leave out Grafana and Jaeger
  --hardened         no Docker socket in the scaler, secrets as files, passwords everywhere
  --no-build         take the image of the lab as it is
  --timeout SECONDS  longest wait for health [default: 180]

Ports, images and the policy are set in compose/.env or by variables of the same names; so are MAX_REPLICAS and the other
classic variables, each also as MAX_REPLICAS_FILE, a file that holds the value. Ends with 0 when all is well, 2 for what
it cannot read, a setting that a container refuses included, 3 for what it cannot start; then it shows what the containers
in question said last, and nothing is left half-started.
Example:
  MAX_REPLICAS=10 scripts/start.sh && curl http://localhost:8000/load/spike
TEXT
}

fail() { printf 'start: %s\n' "$1" >&2; [ -z "${2:-}" ] || printf 'hint: %s\n' "$2" >&2; exit "${3:-3}"; }

offline=no
hardened=no
build=yes
timeout=180
while [ $# -gt 0 ]; do
    case "$1" in
        --offline) offline=yes; shift ;;
        --hardened) hardened=yes; shift ;;
        --no-build) build=no; shift ;;
        --timeout)
            [[ "${2:-}" =~ ^[0-9]+$ ]] || fail "--timeout needs a whole number of seconds, not \`${2:-}\`" "see --help" 2
            timeout=$2; shift 2 ;;
        -h | --help) usage; exit 0 ;;
        *) fail "\`$1\` is unknown" "see --help" 2 ;;
    esac
done

setting() { compose/setting.sh "$1"; }
project=$(setting COMPOSE_PROJECT_NAME)
bind=$(setting BIND_ADDRESS)
ports="GATEWAY_PORT GATEWAY_ADMIN_PORT SCALER_PORT PROMETHEUS_PORT ALERTMANAGER_PORT"
[ "$offline" = yes ] || ports="$ports GRAFANA_PORT JAEGER_PORT"
for name in $ports; do
    port=$(setting "$name")
    [[ "$port" =~ ^[0-9]{1,5}$ ]] && [ "$port" -le 65535 ] || fail "$name is \`$port\`, expected a port number" "see compose/.env" 2
done

if [ "$offline" = yes ] && [ -n "${GF_SECURITY_ADMIN_PASSWORD:-}" ]; then
    printf 'start: GF_SECURITY_ADMIN_PASSWORD has no effect: --offline leaves Grafana out\n' >&2
fi

scripts/require-engine.sh start

overlays=${LAB_OVERLAYS-}
[ "$offline" = no ] || overlays="$overlays offline"
[ "$hardened" = no ] || overlays="$overlays hardened"
export LAB_OVERLAYS=$overlays
if ! problem=$(scripts/compose.sh config --quiet 2>&1); then
    printf '%s\n' "$problem" >&2
    fail "Compose cannot read its files" "the lines above are Compose's; the files are compose/compose*.yaml and compose/.env" 2
fi

scripts/require-own-folder.sh start

ours="label=com.docker.compose.project=$project"
before=$(docker ps -aq --filter "$ours" | wc -l)
if [ "$before" -eq 0 ]; then
    for name in $ports; do
        port=$(setting "$name")
        if (exec 3<>"/dev/tcp/$bind/$port") 2>/dev/null; then
            fail "port $port on $bind is taken" "end what listens there, or choose another: $name=$((port + 10000)) scripts/start.sh"
        fi
    done
fi

options=(--no-build)
if [ "$build" = yes ]; then
    if [ "$offline" = yes ]; then compose/offline/build-images.sh; else options=(--build); fi
fi

if [ "$build" = no ]; then
    image=$(compose/setting.sh LAB_IMAGE)
    docker image inspect "$image" >/dev/null 2>&1 \
        || fail "the image $image is missing" "make it: docker compose -f compose/compose.yaml build, or offline: compose/offline/build-images.sh"
fi

# The secrets' script runs a program of the base image, which an offline build may have made only now.
if [ "$hardened" = yes ]; then
    compose/hardened/make-secrets.sh || fail "the secrets could not be made" \
        "the lines above say why; where $(setting TOOLS_IMAGE) cannot be pulled, compose/offline/build-images.sh makes it"
fi

# Volumes that were there before hold data of an earlier run, and stay.
volumes_before=$(docker volume ls -q --filter "$ours")
roll_back() {
    [ "$before" -eq 0 ] || return 0
    local with_volumes=()
    [ -n "$volumes_before" ] || with_volumes=(--volumes)
    scripts/compose.sh down --timeout 5 ${with_volumes[@]+"${with_volumes[@]}"} >/dev/null 2>&1 \
        || printf 'start: what was started could not be ended; scripts/stop.sh ends it once the engine answers\n' >&2
}
# The containers of the lab, each as `name: state`.
states() { docker ps -a --filter "$ours" --format '{{.Names}}: {{.Status}}'; }
# Of such lines those that are not yet well.
unwell() { sed '/(healthy)/d'; }
# Of such lines those of containers that refuse their settings: 2 is the lab's exit status for bad input, and stays the
# same however often the engine starts the container again.
refusing() { sed -nE '/: (Restarting|Exited) \(2\)/p'; }
# Each of such lines with the last that its container said. Only before the roll back is there a container to ask.
last_words() {
    local line
    while read -r line; do
        printf '%s\n' "$line"
        docker logs --tail 5 "${line%%:*}" 2>&1 | sed 's/^/    /' || printf '    (its log cannot be read)\n'
    done >&2
}
# Compose starts a service once those that it depends on are healthy, so a container can fail while Compose still waits.
starting=
stop_starting() {
    [ -n "$starting" ] || return 0
    kill "$starting" 2>/dev/null || true
    wait "$starting" 2>/dev/null || true
    starting=
}
# What refused its settings the last time is made anew, or it would be taken for an answer to the settings of now.
if [ "$before" -gt 0 ]; then
    while read -r line; do docker rm -f "${line%%:*}" >/dev/null; done < <(states | refusing)
fi
trap 'stop_starting; roll_back; exit 130' INT TERM
scripts/compose.sh up -d "${options[@]}" &
starting=$!

waited=$SECONDS
while true; do
    if [ -n "$starting" ] && ! kill -0 "$starting" 2>/dev/null; then
        status=0
        wait "$starting" || status=$?
        starting=
        if [ "$status" -ne 0 ]; then
            states | unwell | last_words || printf 'start: the containers could not be asked what is wrong\n' >&2
            roll_back
            fail "the containers could not be started" "the lines above are the engine's and the containers' own"
        fi
        waited=$SECONDS
    fi
    listed=$(states) || {
        stop_starting
        roll_back
        fail "the Docker engine stopped answering while the containers started" "the lines above are Docker's; start again"
    }
    refused=$(refusing <<<"$listed")
    if [ -n "$refused" ]; then
        stop_starting
        last_words <<<"$refused"
        roll_back
        fail "a container refuses its settings" "the lines above say which; settings are variables and compose/.env" 2
    fi
    if [ -z "$starting" ]; then
        [ -n "$listed" ] || fail "the containers are gone: somebody ended them while they started" "start again"
        not_yet=$(unwell <<<"$listed")
        [ -n "$not_yet" ] || break
        if [ $((SECONDS - waited)) -ge "$timeout" ]; then
            last_words <<<"$not_yet"
            roll_back
            fail "not all containers were healthy after $timeout s" "wait longer with --timeout"
        fi
    fi
    sleep 0.5
done
trap - INT TERM

shown=$bind
case "$bind" in 127.0.0.1 | 0.0.0.0) shown=localhost ;; esac
cat <<TEXT
All containers are healthy after $SECONDS s.

service       http://$shown:$(setting GATEWAY_PORT)          curl http://$shown:$(setting GATEWAY_PORT)/load/spike
endpoints     http://$shown:$(setting GATEWAY_ADMIN_PORT)/endpoints
live page     http://$shown:$(setting SCALER_PORT)
Prometheus    http://$shown:$(setting PROMETHEUS_PORT)
Alertmanager  http://$shown:$(setting ALERTMANAGER_PORT)
TEXT
if [ "$offline" = no ]; then
    cat <<TEXT
Grafana       http://$shown:$(setting GRAFANA_PORT)
Jaeger        http://$shown:$(setting JAEGER_PORT)
TEXT
fi
printf '\nscripts/stop.sh ends it; scripts/test-autoscaling.sh tries it.\n'
