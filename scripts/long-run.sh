#!/usr/bin/env bash
# What takes too long for every change: the image compiled inside Docker, both Composes, faults of a minute, scenarios,
# and what the baseline claims on a quiet machine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
    cat <<'TEXT'
Usage: scripts/long-run.sh [PART…]

  compile    the image compiled inside Docker, from the Dockerfile as it is     (10 to 30 minutes)
  compose1   the tests of the loop in containers with docker-compose 1.29       (6 minutes)
  faults     a minute without Prometheus, without the engine, and other faults (10 minutes)
  services   the service and its dependency, both scaled by one scaler          (3 minutes)
  swarm      the lab as a stack of a swarm, which is begun and left             (3 minutes)
  tools      the image with Ansible and Compose, scaling as the guide says      (5 minutes)
  scenarios  load test, ramp, spike, sustained load and soak, with verdicts     (40 minutes)
  speed      from a decision to a serving replica, median of ten, bounded       (5 minutes)
  baseline   the rate at the SLO against the formula, differences, replicas     (20 minutes)

Without a part: all of them. Needs Docker, root, Rust, curl. SOAK_SECONDS sets the length of the soak [default: 900],
LAB_STATIC_BINARY the static binary to pack, and to measure, instead of building one. The part `baseline` needs Rust alone, and a
machine that does nothing else.
Example:
  sudo -E scripts/long-run.sh faults
TEXT
}

parts=("$@")
[ "${#parts[@]}" -gt 0 ] || parts=(compile compose1 faults services swarm tools scenarios speed baseline)
for part in "${parts[@]}"; do
    case "$part" in
        compile | compose1 | faults | services | swarm | tools | scenarios | speed | baseline) ;;
        -h | --help) usage; exit 0 ;;
        *) printf 'long-run: there is no part `%s`\nhint: see --help\n' "$part" >&2; exit 2 ;;
    esac
done

export LAB_REQUIRE=docker
images=(compose/offline/build-images.sh)
if [ -n "${LAB_STATIC_BINARY:-}" ]; then images+=(--binary "$LAB_STATIC_BINARY"); fi
compose_tests() { cargo test --package lab --test compose --locked -- --nocapture --test-threads 1 "$@"; }

compile() {
    LAB_IMAGE=autoscale-lab/lab:compiled compose/offline/build-images.sh --compile
    docker run --rm --network none autoscale-lab/lab:compiled --version
}
compose1() { LAB_TEST_COMPOSE=docker-compose compose_tests; }
faults() { compose_tests --ignored faults::; }
services() { compose_tests --ignored several_services::; }
swarm() { compose_tests --ignored swarm::; }
tools() { compose_tests --ignored tools_image::; }
scenarios() {
    "${images[@]}"
    export COMPOSE_PROJECT_NAME=labcmp-long GATEWAY_PORT=27000 GATEWAY_ADMIN_PORT=27001 SCALER_PORT=27080 \
        PROMETHEUS_PORT=27090 ALERTMANAGER_PORT=27093
    trap 'scripts/stop.sh --volumes' EXIT
    scripts/start.sh --offline --no-build
    local status=0
    scripts/load-test.sh 60 20 --threshold p95=250ms,errors=0.1% || status=1
    scripts/test-autoscaling.sh || status=1
    scripts/scenario.sh soak --length "${SOAK_SECONDS:-900}" || status=1
    # The classic thresholds go to and fro at a load that stays; this one holds it. The scaler alone is made anew.
    SCALE_DOWN_THRESHOLD=0.065 scripts/start.sh --offline --no-build
    scripts/scenario.sh gradual-ramp || status=1
    scripts/scenario.sh sustained || status=1
    return "$status"
}
baseline() {
    LAB_TEST_BINARY=${LAB_STATIC_BINARY:+$(realpath "$LAB_STATIC_BINARY")}
    if [ -z "$LAB_TEST_BINARY" ]; then
        cargo build --profile dist --package lab --locked
        LAB_TEST_BINARY=$PWD/target/dist/lab
    fi
    export LAB_TEST_BINARY
    cargo test --package lab --test baseline --locked -- --ignored --nocapture --test-threads 1
}
speed() { "${images[@]}"; scripts/bench/compose_scale_up.sh; }

failed=
for part in "${parts[@]}"; do
    printf '\n=== %s (after %s s)\n' "$part" "$SECONDS"
    # In a shell of its own, so that one part's settings and failure are not the next one's. Not as a condition: there
    # `set -e` would not count.
    set +e
    (set -e; "$part")
    status=$?
    set -e
    [ "$status" -eq 0 ] || failed="$failed $part"
done
[ -z "$failed" ] || { printf '\nlong-run: did not hold:%s\n' "$failed" >&2; exit 1; }
printf '\n=== all held (after %s s)\n' "$SECONDS"
