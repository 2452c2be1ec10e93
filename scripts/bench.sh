#!/usr/bin/env bash
# Measures what the lab costs, side by side with a peer in the same run, and prints ratios.
#
#   scripts/bench.sh            all of it (about ten minutes)
#   scripts/bench.sh webapp     one part: webapp, gateway, start, scaler, page, telemetry, arrivals or core
#   scripts/bench.sh simulator  simulated requests per second of one core, beside simpy and ciw (needs only taskset)
#   scripts/bench.sh core       picks and queue events per second of one core (needs only taskset)
#   scripts/bench.sh --peers    the open-model engine against other load generators (wants oha; see peers.sh)
#
# Needs Linux with two cores, and wrk and nginx (Debian: apt-get install wrk nginx-light).
# Absolute figures drift with the machine; only ratios of interleaved pairs mean anything.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

parts=("$@")
[ "${#parts[@]}" -gt 0 ] || parts=(webapp gateway start scaler page scrape telemetry scenario arrivals core)
programs=(taskset) needs_lab=
for part in "${parts[@]}"; do
    [ "$part" = core ] || [ "$part" = simulator ] || programs=(wrk nginx taskset curl) needs_lab=yes
    case "$part" in
        webapp) script=scripts/bench/webapp_vs_bare_axum.sh ;;
        gateway) script=scripts/bench/gateway_vs_nginx.sh ;;
        start) script=scripts/bench/replica_start.sh ;;
        scaler) script=scripts/bench/scaler_cost.sh ;;
        page) script=scripts/bench/page_cost.sh ;;
        scrape) script=scripts/bench/scrape_cost.sh ;;
        telemetry) script=scripts/bench/telemetry_cost.sh ;;
        scenario) script=scripts/bench/scenario_vs_rust.sh ;;
        arrivals) script=scripts/bench/arrival_accuracy.sh ;;
        core) script=scripts/bench/core.sh ;;
        simulator) script=scripts/bench/simulator.sh ;;
        peers | --peers) script=scripts/bench/peers.sh ;;
        *)
            echo "bench: there is no part \`$part\`, expected webapp, gateway, start, scaler, page, scrape, telemetry, scenario, arrivals, core, simulator or --peers" >&2
            exit 2
            ;;
    esac
    scripts+=("$script")
done

for program in "${programs[@]}"; do
    command -v "$program" >/dev/null || {
        echo "bench: $program is missing; hint: apt-get install wrk nginx-light util-linux curl" >&2
        exit 3
    }
done
[ -z "$needs_lab" ] || cargo build --profile dist --quiet
status=0
for script in "${scripts[@]}"; do
    printf '\n### %s\n' "$script"
    bash "$script" || status=1
done
exit "$status"
