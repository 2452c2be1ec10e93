# Judges the observations of scripts/scenario.sh: each line says what was asked, what was found, and whether that is enough.
# Ends with 1 when anything is not. What was not seen is never enough.
#
#   awk -F '\t' -v name=spike -v length_seconds=120 -v expect=3 -v at_rest=1 -v back=yes -f scripts/scenario-verdict.awk FILE

$2 == "load" {
    rows++
    if ($3 != "-" && $3 > most) most = $3
    if (begun == "") begun = $1
    since = $1 - begun
    if ($5 == "-" || $6 == "-") unknown++
    if ($5 != "-" && $5 > 0.25) {
        if (returned) lost = 1
        outside = 1; returned = 0; run = 0
    }
    # Three in a row: one good second between bad ones is no return.
    if ($5 != "-" && $5 <= 0.25 && outside && ++run == 3) { returned = 1; back_at = since }
    late = since >= (name == "soak" ? 0 : 0.25) * length_seconds
    if (late && $5 != "-") { judged++; if ($5 <= 0.25) inside++ }
    if ($6 != "-") { errors += $6 }
    if ($8 != "-") { if (since < 0.2 * length_seconds) early = $8; else final = $8 }
}
function verdict(good, text) { printf "%-5s %s\n", good ? "ok" : "NOT", text; if (!good) bad = 1 }
function megabytes(bytes) { return bytes == "" ? "unknown" : sprintf("%.1f MB", bytes / 1e6) }
END {
    print ""
    verdict(rows > 0 && unknown <= 0.1 * rows, sprintf("observed: %d s, %d of them without a value", rows, unknown))
    verdict(most >= expect, sprintf("replicas: from %s to %d, expected at least %d", at_rest, most, expect))
    if (name == "spike" || name == "gradual-ramp") {
        found = !outside ? "always" : returned ? "again after " back_at " s of load" : \
            lost ? "again, but lost once more before the load ended" : "not again before the load ended"
        verdict(judged > 0 && (!outside || returned), "p95 within 250 ms: " (judged ? found : "unknown"))
    } else {
        share = judged ? inside / judged : 0
        verdict(share >= 0.8, sprintf("p95 within 250 ms: %.0f %% of the time judged, expected at least 80 %%", 100 * share))
    }
    verdict(errors < 1, sprintf("errors: %.0f", errors))
    if (name == "soak") {
        verdict(early != "" && final != "" && final <= 1.25 * early + 8e6, \
            "memory of the scaler: " megabytes(early) ", then " megabytes(final))
    }
    verdict(back == "yes", "replicas afterwards: " (back == "yes" ? "back to " at_rest : "not back to " at_rest " in time"))
    exit bad
}
