#!/usr/bin/env bash
# Plays a classic load scenario against a running lab, in containers or not, watches it each second, and judges it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
    cat <<'TEXT'
Usage: scripts/scenario.sh NAME [--length SECONDS] [--factor N] [--expect N] [--patience SECONDS] [--service NAME]
                           [--out FILE]

  gradual-ramp  the load rises in a straight line to the factor, and stays there for as long   [300 s, factor 5]
  spike         the factor at once, then a quarter of the time back                            [110 s, factor 5]
  sustained     a high load that stays                                                         [600 s, factor 5]
  soak          what one replica can carry, for long: does anything leak or tire?              [1800 s, factor 1.5]

  --expect N    replicas that it must come to [default: as many as the load needs at 80 requests per second each]
  --patience S  how long the replicas may take to go back afterwards [default: 600]
  --service S   whose replicas and signals are watched, where one scaler has several services [default: webapp]
  --out FILE    the observations, one line a second, separated by tabs

The classic thresholds do not hold a load that stays, and a ramp stays at its top: three replicas are so fast that one
goes after a minute, two are too slow, and so on for as long as it lasts. A spike of more than 115 s meets that, too. A
lower SCALE_DOWN_THRESHOLD, such as 0.065, holds it.

The lab is asked at SCALER_PORT and GATEWAY_PORT. Ends with 0 when the verdict is good, 1 when it is not, 2 for what it
cannot read, 3 when no lab answers, or one that has the expected replicas before any load: it could show no scaling.
Example:
  scripts/scenario.sh soak --length 7200 --out soak.tsv
TEXT
}

fail() { printf 'scenario: %s\n' "$1" >&2; [ -z "${2:-}" ] || printf 'hint: %s\n' "$2" >&2; exit "${3:-3}"; }

name=${1:-}
case "$name" in
    gradual-ramp) length=300; factor=5 ;;
    spike) length=110; factor=5 ;;
    sustained) length=600; factor=5 ;;
    soak) length=1800; factor=1.5 ;;
    -h | --help) usage; exit 0 ;;
    *) fail "\`$name\` is no scenario, expected gradual-ramp, spike, sustained or soak" "see --help" 2 ;;
esac
shift
expect=
patience=600
service=webapp
out=
while [ $# -gt 0 ]; do
    [ "$1" != -h ] && [ "$1" != --help ] || { usage; exit 0; }
    [ $# -ge 2 ] || fail "\`$1\` is unknown or lacks its value" "see --help" 2
    case "$1" in
        --length | --patience | --expect)
            [[ "$2" =~ ^[1-9][0-9]*$ ]] || fail "$1 is \`$2\`, expected a whole number above 0" "see --help" 2 ;;&
        --length) length=$2 ;;
        --patience) patience=$2 ;;
        --expect) expect=$2 ;;
        --factor)
            [[ "$2" =~ ^[0-9]+(\.[0-9]+)?$ ]] || fail "--factor is \`$2\`, expected a number such as 5" "see --help" 2
            factor=$2 ;;
        --service) service=$2 ;;
        --out) out=$2 ;;
        *) fail "\`$1\` is unknown" "see --help" 2 ;;
    esac
    shift 2
done
# At factor 1 the service receives 40 requests per second, and a replica carries 80.
[ -n "$expect" ] || expect=$(awk -v f="$factor" 'BEGIN { n = f * 40 / 80; print (n == int(n)) ? n + 1 : int(n) + 1 }')

bind=$(compose/setting.sh BIND_ADDRESS)
gateway="http://$bind:$(compose/setting.sh GATEWAY_PORT)"
scaler="http://$bind:$(compose/setting.sh SCALER_PORT)"
ask() { curl -fsS --max-time 4 "$@"; }
metrics() { ask "$scaler/metrics" 2>/dev/null || true; }
[ -n "$(metrics)" ] || fail "no scaler answers at $scaler" "scripts/start.sh starts the lab; SCALER_PORT names another port"

observations=${out:-$(mktemp)}
finish() {
    ask "$gateway/load/reset" >/dev/null 2>&1 || true
    [ -n "$out" ] || rm -f "$observations"
}
trap finish EXIT
trap 'exit 130' INT TERM

printf 'seconds\tphase\tready\tdesired\tp95_seconds\terrors_per_second\trefused_per_second\tscaler_bytes\n' >"$observations"
began=$SECONDS
shown=
# One observation. What is not known is `-`.
observe() {
    metrics | awk -v seconds=$((SECONDS - began)) -v phase="$1" -v service="$service" -v OFS='\t' '
        # Series say whose they are where one scaler has several services, and only there.
        function ours() { return !/[{,]service="/ || index($0, "service=\"" service "\"") }
        /^scaler_ready_replicas[ {]/ && ours() { ready = $2 }
        /^scaler_desired_replicas[ {]/ && ours() { desired = $2 }
        /^scaler_signal_value.*"response_time_p95_seconds"/ && ours() { p95 = $2 }
        /^scaler_signal_value.*"errors_per_second"/ && ours() { errors = $2 }
        /^scaler_signal_value.*"refused_per_second"/ && ours() { refused = $2 }
        /^process_resident_memory_bytes / { bytes = $2 }
        function known(value) { return value == "" || value == "NaN" ? "-" : value }
        END { print seconds, phase, known(ready), known(desired), known(p95), known(errors), known(refused), known(bytes) }
    ' >>"$observations"
    local line
    line=$(tail -n 1 "$observations" | awk -F '\t' '{ print $3 " ready, " $4 " wanted" }')
    if [ "$line" != "$shown" ]; then printf '%5ds  %-6s %s\n' $((SECONDS - began)) "$1" "$line"; shown=$line; fi
}
# Observes each second for a while, or until a command succeeds.
observe_for() {
    local phase=$1 until=$((SECONDS + $2))
    while [ "$SECONDS" -lt "$until" ]; do
        observe "$phase"
        if [ $# -gt 2 ] && "${@:3}"; then return 0; fi
        sleep 1
    done
    [ $# -le 2 ]
}
last() { tail -n 1 "$observations" | cut -f "$1"; }

no_load() { fail "the load could not be set at $gateway" "curl -i $gateway/load"; }
put_load() { ask -X PUT "$gateway/load" -H 'Content-Type: application/json' -d "$1" >/dev/null || no_load; }
printf '%s: factor %s for %s s, %s replicas expected\n' "$name" "$factor" "$length" "$expect"
ask "$gateway/load/reset" >/dev/null || fail "the service does not answer at $gateway" "scripts/start.sh starts the lab"
observe_for rest 10
at_rest=$(last 3)
[ "$at_rest" != - ] || fail "the scaler at $scaler says nothing of the service \`$service\`" "--service names another; see $scaler/api/services"
# What is asked for already counts as there: else a lab that is still scaling from what was before would pass.
most_at_rest=$(last 3,4 | tr '\t' '\n' | sort -rn | head -n 1)
if [ "$name" != soak ] && [ "$most_at_rest" -ge "$expect" ]; then
    fail "$most_at_rest replicas are there before any load, and $expect are expected under it" \
        "wait until the lab is at rest, or ask for more: --factor, --expect"
fi

case "$name" in
    gradual-ramp)
        put_load "{\"shape\": {\"kind\": \"ramp\", \"from\": 1, \"to\": $factor, \"over_seconds\": $((length / 2))}}"
        observe_for load "$length" ;;
    spike)
        ask "$gateway/load/spike?factor=$factor&hold=${length}s&ramp=$((length / 4))s" >/dev/null || no_load
        observe_for load "$length" ;;
    *)
        put_load "{\"factor\": $factor}"
        observe_for load "$length" ;;
esac
case "$name" in spike) ;; *) ask "$gateway/load/reset" >/dev/null || no_load ;; esac
is_back() { [ "$(last 3)" = "$at_rest" ] && [ "$(last 4)" = "$at_rest" ]; }
back=yes
observe_for after "$patience" is_back || back=no

awk -F '\t' -v name="$name" -v length_seconds="$length" -v expect="$expect" -v at_rest="$at_rest" -v back="$back" \
    -f scripts/scenario-verdict.awk "$observations"
