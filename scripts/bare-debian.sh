#!/usr/bin/env bash
# Runs the README's two commands on Debian's smallest system: a C compiler, certificates, this machine's Rust, and no more.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
    cat <<'TEXT'
Usage: scripts/bare-debian.sh [--only up|test] [--packages NAME,…] [--root FOLDER]

  --only STEP       up: `cargo run --release -- up`, asked over the loopback and ended by a signal
                    test: `cargo test --workspace`                                 [default: both]
  --packages NAME   only the integration tests of these packages: lab,gateway    [default: all tests]
  --root FOLDER     where the system is; made at the first run                    [default: target/bare-debian]

The system is Debian bookworm's minbase with gcc, libc6-dev and ca-certificates, made by debootstrap. It has no `kill`,
`ps`, `curl` and Python, and no /etc/hosts, so that not even the name `localhost` is known. This checkout and Rust
(CARGO_HOME, RUSTUP_HOME) are seen there under the paths that they have here, so nothing is compiled twice. RUSTFLAGS and
CARGO_BUILD_TARGET hold for the step `up` alone: a release build that was made with them is used again.
Needs root and debootstrap. DEBIAN_MIRROR names another mirror. All mounts end with the script.
Ends with 0 when both held, 1 when one did not, 2 for what it cannot read, 3 for what is missing.
Example:
  sudo -E scripts/bare-debian.sh --packages lab,gateway
TEXT
}

fail() { printf 'bare-debian: %s\n' "$1" >&2; [ -z "${2:-}" ] || printf 'hint: %s\n' "$2" >&2; exit "${3:-3}"; }
say() { printf '%4ss  %s\n' "$SECONDS" "$*"; }

arguments=("$@")
steps="up test"
packages=
root=$PWD/target/bare-debian
while [ $# -gt 0 ]; do
    case "$1" in
        --only)
            case "${2:-}" in up | test) steps=$2 ;; *) fail "--only needs up or test, not \`${2:-}\`" "see --help" 2 ;; esac
            shift 2 ;;
        --packages)
            packages=${2:-}
            for package in ${packages//,/ }; do
                [ -d "$package/tests" ] || fail "\`$package\` is not a package with a folder of tests" "see --help" 2
            done
            [ -n "$packages" ] || fail "--packages needs names such as lab,gateway" "see --help" 2
            shift 2 ;;
        --root)
            [ -n "${2:-}" ] || fail "--root needs a folder" "see --help" 2
            root=$(realpath -m -- "$2")
            shift 2 ;;
        -h | --help) usage; exit 0 ;;
        *) fail "\`$1\` is unknown" "see --help" 2 ;;
    esac
done
[ "$root" != / ] || fail "--root is /, the system that runs" "give it a folder of its own" 2

[ "$(id -u)" = 0 ] || fail "this needs root, for debootstrap and chroot" "run it with sudo -E"
cargo_home=${CARGO_HOME:-$HOME/.cargo}
rustup_home=${RUSTUP_HOME:-$HOME/.rustup}
for folder in "$cargo_home" "$rustup_home"; do
    [ -d "$folder" ] || fail "there is no folder $folder" "Rust is expected as rustup installs it; CARGO_HOME and RUSTUP_HOME name other folders"
done

# In mounts of its own, which end with the last process in it: nothing is ever left mounted.
if [ "${LAB_BARE_DEBIAN_MOUNTS:-}" != own ]; then
    command -v unshare >/dev/null || fail "unshare is missing" "apt-get install util-linux"
    LAB_BARE_DEBIAN_MOUNTS=own exec unshare --mount --propagation private -- "${BASH_SOURCE[0]}" ${arguments[@]+"${arguments[@]}"}
fi

if [ ! -e "$root/.made" ]; then
    command -v debootstrap >/dev/null || fail "debootstrap is missing" "apt-get install debootstrap"
    say "installing Debian's smallest system in $root, a minute or two"
    rm -rf --one-file-system "$root"
    mkdir -p "$root"
    log=$(mktemp)
    debootstrap --variant=minbase --include=gcc,libc6-dev,ca-certificates bookworm "$root" \
        ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >"$log" 2>&1 || { tail -n 20 "$log" >&2; fail "debootstrap failed" \
        "the lines above are its own; is Debian's mirror reachable? DEBIAN_MIRROR names another"; }
    rm -rf "$log" "$root"/var/cache/apt/archives/*.deb "$root/etc/hosts"
    touch "$root/.made"
fi
for program in kill ps curl python3; do
    [ ! -e "$root/usr/bin/$program" ] && [ ! -e "$root/bin/$program" ] || fail "$root has a program $program, so it is not bare" "remove it: rm -rf $root"
done
[ ! -e "$root/etc/hosts" ] || fail "$root has a file /etc/hosts, so it is not bare" "remove it: rm $root/etc/hosts"

mount_at() { mkdir -p "$root$1"; shift; mount "$@"; }
mountpoint -q "$root/proc" || mount_at /proc -t proc proc "$root/proc"
mount_at /dev -t tmpfs tmpfs "$root/dev"
for device in null zero full random urandom; do
    : >"$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s /proc/self/fd "$root/dev/fd"
for number in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${number%:*}" "$root/dev/${number#*:}"; done
mount_at /dev/shm -t tmpfs tmpfs "$root/dev/shm"
mount_at /tmp -t tmpfs tmpfs "$root/tmp"
for folder in "$PWD" "$cargo_home" "$rustup_home"; do mount_at "$folder" --bind "$folder" "$root$folder"; done

# What runs a command there, with an environment that is as bare: what is set here would hide what is missing there. Each
# program gives its place to the next, so that a signal to the first process reaches the command.
inside=(chroot "$root" /usr/bin/env -i HOME="$HOME" CARGO_HOME="$cargo_home" RUSTUP_HOME="$rustup_home"
    PATH="$cargo_home/bin:/usr/sbin:/usr/bin:/sbin:/bin" CARGO_TERM_COLOR=never)
# shellcheck disable=SC2016
in_checkout=(/bin/sh -c 'cd "$0" && exec "$@"' "$PWD")

# The status code of a GET, asked by the shell itself, from outside.
status_of() {
    local address=${1#http://} path=$2 answer=
    {
        exec 3<>"/dev/tcp/${address%:*}/${address#*:}" || return 0
        printf 'GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$path" "$address" >&3
        IFS= read -r -t 10 -u 3 answer || true
        exec 3>&-
    } 2>/dev/null
    printf '%s' "$answer" | cut -d ' ' -f 2
}

up() {
    local output settings service admin page pid line asked_since ended left
    output=$(mktemp)
    # Ports that are free, by the variables of the flags: the command itself is the README's.
    settings=(LAB_UP_GATEWAY=127.0.0.1:0 LAB_UP_ADMIN=127.0.0.1:0 LAB_UP_PAGE=127.0.0.1:0
        ${RUSTFLAGS:+RUSTFLAGS="$RUSTFLAGS"} ${CARGO_BUILD_TARGET:+CARGO_BUILD_TARGET="$CARGO_BUILD_TARGET"})
    say "cargo run --release -- up"
    "${inside[@]}" "${settings[@]}" "${in_checkout[@]}" cargo run --release --locked -- up >"$output" 2>&1 &
    pid=$!
    while ! grep -q 'Ctrl-C ends everything' "$output"; do
        if ! kill -0 "$pid" 2>/dev/null; then cat "$output" >&2; fail "it ended before it greeted" "the lines above are its own" 1; fi
        if [ "$SECONDS" -gt 2400 ]; then kill "$pid"; cat "$output" >&2; fail "it did not greet within 40 minutes" "" 1; fi
        sleep 0.5
    done
    address() { sed -n "s#^  *$1  *\(http://[0-9.:]*\).*#\1#p" "$output" | head -n 1; }
    service=$(address service) admin=$(address endpoints) page=$(address scaler)
    say "it runs: service $service, admin $admin, page $page"
    for line in "$service /" "$service /load/spike" "$admin /endpoints" "$admin /metrics" "$page /" "$page /api/status"; do
        # A replica may need a moment until it is in rotation.
        asked_since=$SECONDS
        # shellcheck disable=SC2086
        until [ "$(status_of $line)" = 200 ]; do
            if [ $((SECONDS - asked_since)) -gt 20 ]; then
                cat "$output" >&2; kill "$pid"; wait "$pid" || true
                fail "$line was not answered with 200" "the lines above are the lab's" 1
            fi
            sleep 0.2
        done
    done
    # It must last, not only begin.
    sleep 5
    kill -0 "$pid" 2>/dev/null || { cat "$output" >&2; fail "it ended by itself" "the lines above are its own" 1; }
    kill -TERM "$pid"
    ended=0
    wait "$pid" || ended=$?
    [ "$ended" -eq 0 ] || { cat "$output" >&2; fail "it ended with status $ended after a signal, expected 0" "the lines above are its own" 1; }
    left=$(for folder in /proc/[0-9]*; do
        if [ "$(readlink "$folder/root" 2>/dev/null)" = "$root" ]; then tr '\0' ' ' <"$folder/cmdline"; fi
    done)
    [ -z "$left" ] || fail "processes are left: $left" "" 1
    rm -f "$output"
    say "it was asked, ended by a signal, and left no process"
}

run_tests() {
    local selection=() package file
    for package in ${packages//,/ }; do
        # Targets, not packages: Cargo would build all of them anew with the features that fewer packages ask for.
        for file in "$package"/tests/*/main.rs; do [ ! -e "$file" ] || selection+=(--test "$(basename "$(dirname "$file")")"); done
        for file in "$package"/tests/*.rs; do [ ! -e "$file" ] || selection+=(--test "$(basename "$file" .rs)"); done
    done
    say "cargo test --workspace --locked ${selection[*]-}"
    "${inside[@]}" "${in_checkout[@]}" cargo test --workspace --locked ${selection[@]+"${selection[@]}"} || fail "tests failed" "the lines above are theirs" 1
    say "the tests passed"
}

for step in $steps; do
    case "$step" in up) up ;; test) run_tests ;; esac
done
