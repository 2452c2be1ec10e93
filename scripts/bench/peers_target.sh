# Read by the scripts that measure the open-model engine: builds what they need, starts the target on one core, and
# leaves $engine, $url, $load_core, $target_pid, $work and $ticks_per_second.

fail() {
    echo "$(basename "$0" .sh): $*" >&2
    exit 3
}
for tool in taskset python3; do
    command -v "$tool" >/dev/null || fail "$tool is missing; hint: apt-get install util-linux python3"
done
mapfile -t cores < <(taskset -cp $$ | sed 's/.*: //' | tr ',' '\n' | awk -F- '{ for (i = $1; i <= ($2 == "" ? $1 : $2); i++) print i }')
[ "${#cores[@]}" -ge 2 ] || fail "two cores are needed, one for the generators and one for the target"
# shellcheck disable=SC2034 # used by who reads this
load_core=${cores[0]} target_core=${cores[1]}
[ -n "${ENGINE:-}" ] && [ -n "${TARGET:-}" ] ||
    cargo build --profile dist --quiet -p loadgen --example open_model --example constant_target
examples=${CARGO_TARGET_DIR:-target}/dist/examples
engine=${ENGINE:-$examples/open_model} target=${TARGET:-$examples/constant_target}
for program in "$engine" "$target"; do
    [ -x "$program" ] || fail "$program is missing; hint: cargo build --profile dist -p loadgen --examples"
done

work=$(mktemp -d)
# It ends when its standard input does: with this script, whatever becomes of it.
mkfifo "$work/input" "$work/output"
taskset -c "$target_core" "$target" <"$work/input" >"$work/output" &
target_pid=$!
exec {keeps_target}>"$work/input"
trap 'kill "$target_pid" 2>/dev/null || :; rm -rf "$work"' EXIT
read -r url <"$work/output"

# shellcheck disable=SC2034 # used by who reads this
ticks_per_second=$(getconf CLK_TCK)
# CPU time of the target so far, in ticks.
target_ticks() { sed 's/.*) //' "/proc/$target_pid/stat" | awk '{print $12 + $13}'; }
