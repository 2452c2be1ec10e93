#!/usr/bin/env bash
# Plays a classic load scenario against a running lab, in containers or not, watches it each second, and judges it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
    cat <<'TEXT'
Usage: scripts/scenario.sh NAME [--length SECONDS] [--factor N] [--expect N] [--patience SECONDS] [--out FILE]

  gradual-ramp  the load rises in a straight line to the factor, and stays there for as long   [300 s, factor 5]
  spike         the factor at once, then a quarter of the time back                            [120 s, factor 5]
  sustained     a high load that stays                                                         [600 s, factor 5]
  soak          what one replica can carry, for long: does anything leak or tire?              [1800 s, factor 1.5]

  --expect N    replicas that it must come to [default: as many as the load needs at 80 requests per second each]
  --patience S  how long the replicas may take to go back afterwards [default: 600]
  --out FILE    the observations, one line a second, separated by tabs

The classic thresholds do not hold a sustained load: three replicas are so fast that one goes, two are too slow, and so
on for as long as it lasts. A lower SCALE_DOWN_THRESHOLD, such as 0.065, holds it.

The lab is asked at SCALER_PORT and GATEWAY_PORT. Ends with 0 when the verdict is good, 1 when it is not, 2 for what it
cannot read, 3 when no lab answers.
Example:
  scripts/scenario.sh soak --length 7200 --out soak.tsv
TEXT
}

fail() { printf 'scenario: %s\n' "$1" >&2; [ -z "${2:-}" ] || printf 'hint: %s\n' "$2" >&2; exit "${3:-3}"; }

name=${1:-}
case "$name" in
    gradual-ramp) length=300; factor=5 ;;
    spike) length=120; factor=5 ;;
    sustained) length=600; factor=5 ;;
    soak) length=1800; factor=1.5 ;;
    -h | --help) usage; exit 0 ;;
    *) fail "\`$name\` is no scenario, expected gradual-ramp, spike, sustained or soak" "see --help" 2 ;;
esac
shift
expect=
patience=600
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
    metrics | awk -v seconds=$((SECONDS - began)) -v phase="$1" -v OFS='\t' '
        /^scaler_ready_replicas / { ready = $2 }
        /^scaler_desired_replicas / { desired = $2 }
        /^scaler_signal_value.*"response_time_p95_seconds"/ { p95 = $2 }
        /^scaler_signal_value.*"errors_per_second"/ { errors = $2 }
        /^scaler_signal_value.*"refused_per_second"/ { refused = $2 }
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

put_load() { ask -X PUT "$gateway/load" -H 'Content-Type: application/json' -d "$1" >/dev/null || fail "the load could not be set at $gateway" "curl -i $gateway/load"; }
printf '%s: factor %s for %s s, %s replicas expected\n' "$name" "$factor" "$length" "$expect"
ask "$gateway/load/reset" >/dev/null || fail "the service does not answer at $gateway" "scripts/start.sh starts the lab"
observe_for rest 10
at_rest=$(last 3)

case "$name" in
    gradual-ramp)
        put_load "{\"shape\": {\"kind\": \"ramp\", \"from\": 1, \"to\": $factor, \"over_seconds\": $((length / 2))}}"
        observe_for load "$length" ;;
    spike)
        ask "$gateway/load/spike?factor=$factor&hold=${length}s&ramp=$((length / 4))s" >/dev/null
        observe_for load "$length" ;;
    *)
        put_load "{\"factor\": $factor}"
        observe_for load "$length" ;;
esac
case "$name" in spike) ;; *) ask "$gateway/load/reset" >/dev/null ;; esac
is_back() { [ "$(last 3)" = "$at_rest" ] && [ "$(last 4)" = "$at_rest" ]; }
back=yes
observe_for after "$patience" is_back || back=no

# The verdict: each line says what was asked, what was found, and whether that is enough.
awk -F '\t' -v name="$name" -v length_seconds="$length" -v expect="$expect" -v at_rest="$at_rest" -v back="$back" '
    $2 == "load" {
        rows++
        if ($3 != "-" && $3 > most) most = $3
        if (begun == "") begun = $1
        if ($5 == "-") unknown++
        if ($5 != "-" && $5 > 0.25) { outside = 1; run = 0 }
        if ($5 != "-" && $5 <= 0.25 && outside && ++run == 3) { returned = 1; if (back_at == "") back_at = $1 - begun }
        late = $1 - begun >= (name == "soak" ? 0 : 0.25) * length_seconds
        if (late && $5 != "-") { judged++; if ($5 <= 0.25) inside++ }
        if ($6 != "-") { errors += $6 }
        if ($8 != "-") { if ($1 - begun < 0.2 * length_seconds) early = $8; else final = $8 }
    }
    function verdict(good, text) { printf "%-5s %s\n", good ? "ok" : "NOT", text; if (!good) bad = 1 }
    END {
        print ""
        verdict(rows > 0 && unknown <= 0.1 * rows, sprintf("observed: %d s, %d of them without a value", rows, unknown))
        verdict(most >= expect, sprintf("replicas: from %s to %d, expected at least %d", at_rest, most, expect))
        share = judged ? inside / judged : 0
        if (name == "spike" || name == "gradual-ramp") {
            verdict(!outside || returned, "p95 within 250 ms: " (!outside ? "always" : returned ? "again after " back_at " s of load" : "not again before the load ended"))
        } else {
            verdict(share >= 0.8, sprintf("p95 within 250 ms: %.0f %% of the time judged, expected at least 80 %%", 100 * share))
        }
        verdict(errors < 1, sprintf("errors: %.0f", errors))
        if (name == "soak") {
            verdict(final <= 1.25 * early + 8e6, sprintf("memory of the scaler: %.1f MB, then %.1f MB", early / 1e6, final / 1e6))
        }
        verdict(back == "yes", "replicas afterwards: " (back == "yes" ? "back to " at_rest : "not back to " at_rest " in time"))
        exit bad
    }
' "$observations"
