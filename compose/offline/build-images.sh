#!/usr/bin/env bash
# Makes the images that compose.yaml names, where none can be pulled: from Debian's packages and this machine's Rust.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

usage() {
    cat <<'TEXT'
Usage: compose/offline/build-images.sh [--binary FILE | --compile] [--tools]

  --binary FILE  pack this static binary [default: one built here with Cargo]
  --compile      compile inside the image, as `docker compose build` does: the Dockerfile's whole way
  --tools        also the image with Ansible and Compose

Needs Docker, debootstrap and root; makes what is missing and leaves what was pulled. Grafana and Jaeger cannot be made:
compose.offline.yaml leaves them out. Debian's Prometheus and Alertmanager get the names of the official images; their
versions differ. DEBIAN_MIRROR names another mirror. LAB_PROFILE=release compiles the lab in a third of the time, and
makes the binary slower, than the default `dist`.
Example:
  sudo compose/offline/build-images.sh && scripts/start.sh --offline
TEXT
}

fail() { printf 'build-images: %s\n' "$1" >&2; [ -z "${2:-}" ] || printf 'hint: %s\n' "$2" >&2; exit "${3:-3}"; }
say() { printf '%4ss  %s\n' "$SECONDS" "$*"; }

binary=
compile=no
tools=no
while [ $# -gt 0 ]; do
    case "$1" in
        --binary) [ $# -ge 2 ] || fail "--binary needs a file" "see --help" 2; binary=$2; shift 2 ;;
        --compile) compile=yes; shift ;;
        --tools) tools=yes; shift ;;
        -h | --help) usage; exit 0 ;;
        *) fail "\`$1\` is unknown" "see --help" 2 ;;
    esac
done
profile=${LAB_PROFILE:-dist}
case "$profile" in
    dist | release) ;;
    *) fail "LAB_PROFILE is \`$profile\`, expected dist or release" "see --help" 2 ;;
esac
[ -z "${LAB_LTO:-}" ] || fail "LAB_LTO is not a setting of the images any more" "set LAB_PROFILE=release instead of LAB_LTO=off" 2
[ -z "$binary" ] || [ "$compile" = no ] || fail "--binary and --compile exclude each other" "" 2
[ -z "$binary" ] || [ -f "$binary" ] || fail "there is no file $binary" "name the static binary of the lab" 2
[ -z "$binary" ] || ! ldd "$binary" 2>/dev/null | grep -q '=>' \
    || fail "$binary is not static, and the image has no libraries" "build it with RUSTFLAGS=-Ctarget-feature=+crt-static and --target" 2

named() { compose/setting.sh "$1"; }
lab_image=$(named LAB_IMAGE)
tools_image=$(named LAB_TOOLS_IMAGE)
prometheus_image=$(named PROMETHEUS_IMAGE)
alertmanager_image=$(named ALERTMANAGER_IMAGE)
build_image=$(named BUILD_IMAGE)
debian_image=$(named TOOLS_IMAGE)
mirror=${DEBIAN_MIRROR:-}
# Marks what was made here, so that nothing that was pulled is ever replaced.
mark=autoscale-lab.offline

# Debian's smallest system has none, and the lab in its image wants some, even to send traces without TLS.
certificates=/etc/ssl/certs/ca-certificates.crt
[ -e "$certificates" ] || fail "there is no file $certificates" "apt-get install ca-certificates"

docker version >/dev/null 2>&1 || fail "the Docker engine does not answer" "start it, or run this as a user who may use its socket"

scratch=$(mktemp -d)
clean_up() {
    local status=$?
    # debootstrap may leave /proc mounted there when it is interrupted.
    if [ -d "$scratch/root/proc" ] && mountpoint -q "$scratch/root/proc"; then umount "$scratch/root/proc" || true; fi
    rm -rf --one-file-system "$scratch"
    [ "$status" -eq 0 ] || printf 'build-images: stopped, nothing half-made is left\n' >&2
}
trap clean_up EXIT

exists() { docker image inspect "$1" >/dev/null 2>&1; }
# Whether the image is there and was not made here.
was_pulled() { exists "$1" && [ "$(docker image inspect -f "{{index .Config.Labels \"$mark\"}}" "$1" 2>/dev/null)" != yes ]; }

# Builds from standard input's or a folder's context; says what the engine said only when that failed.
build() {
    local name=$1
    shift
    # BuildKit would look for the base images, which only this engine has, in a registry.
    if ! DOCKER_BUILDKIT=0 docker build --force-rm --label "$mark=yes" --tag "$name" "$@" >"$scratch/log" 2>&1; then
        tail -n 40 "$scratch/log" >&2
        fail "$name could not be built" "the lines above are the engine's"
    fi
}

debian() {
    if exists "$debian_image"; then say "$debian_image is there"; return; fi
    command -v debootstrap >/dev/null || fail "debootstrap is missing" "apt-get install debootstrap"
    [ "$(id -u)" = 0 ] || fail "debootstrap needs root" "run this with sudo"
    say "$debian_image: installing Debian's smallest system, half a minute"
    debootstrap --variant=minbase bookworm "$scratch/root" ${mirror:+"$mirror"} >"$scratch/log" 2>&1 \
        || { tail -n 20 "$scratch/log" >&2; fail "debootstrap failed" "is Debian's mirror reachable? DEBIAN_MIRROR names another"; }
    rm -rf "$scratch/root/var/cache/apt/archives" "$scratch/root/var/lib/apt/lists"/*
    mkdir -p "$scratch/root/var/cache/apt/archives/partial"
    printf 'Acquire::Languages "none";\n' >"$scratch/root/etc/apt/apt.conf.d/docker-no-languages"
    tar -C "$scratch/root" -c . | docker import --change "LABEL $mark=yes" --change 'CMD ["bash"]' - "$debian_image" >/dev/null
    rm -rf --one-file-system "$scratch/root"
    say "$debian_image is made"
}

# A program of Debian under the name, and with the paths and the user, of the official image.
packaged() {
    local name=$1 dockerfile=$2
    if was_pulled "$name"; then say "$name is there, pulled"; return; fi
    build "$name" --build-arg "TOOLS_IMAGE=$debian_image" -f "compose/offline/$dockerfile" compose/offline
    say "$name is made: $(docker run --rm --network none --entrypoint "$3" "$name" --version 2>&1 | head -n 1)"
}

rust() {
    if exists "$build_image"; then say "$build_image is there"; return; fi
    local sysroot
    sysroot=$(rustc --print sysroot)
    say "$build_image: packing this machine's $(rustc --version)"
    mkdir -p "$scratch/rust/etc"
    cp compose/offline/rust.Dockerfile "$scratch/rust/Dockerfile"
    # A site behind a proxy has certificates of its own; without them Cargo cannot reach its registry.
    cp "$certificates" "$scratch/rust/etc/"
    mkdir "$scratch/rust/toolchain"
    tar -C "$sysroot" -c --exclude='lib/rustlib/src' --exclude='rust-gdb*' --exclude='*clippy*' bin lib \
        | tar -C "$scratch/rust/toolchain" -x
    build "$build_image" --build-arg "TOOLS_IMAGE=$debian_image" "$scratch/rust"
    rm -rf "$scratch/rust"
    say "$build_image is made"
}

host_binary() {
    local target
    target="$(uname -m)-unknown-linux-gnu"
    command -v cargo >/dev/null || fail "Cargo is missing, and no --binary was given" "install Rust, or name a static binary"
    say "building the static binary with Cargo; minutes the first time" >&2
    RUSTFLAGS="-C target-feature=+crt-static" cargo build --quiet --profile "$profile" --locked --package lab --target "$target" \
        || fail "Cargo could not build the binary" "the lines above are the compiler's"
    printf 'target/%s/%s/lab' "$target" "$profile"
}

lab() {
    local arguments context
    if [ "$compile" = yes ]; then
        rust
        say "$lab_image: compiling inside the image; many minutes the first time"
        arguments=(--build-arg "BUILD_IMAGE=$build_image" --build-arg "TOOLS_IMAGE=$debian_image" --build-arg "LAB_PROFILE=$profile")
        context=.
    else
        [ -n "$binary" ] || binary=$(host_binary)
        context="$scratch/context"
        mkdir "$context"
        cp "$binary" "$context/lab"
        cp "$certificates" "$context/ca-certificates.crt"
        if command -v strip >/dev/null; then strip "$context/lab"; fi
        arguments=(--build-arg "BUILD_IMAGE=$debian_image" --build-arg "TOOLS_IMAGE=$debian_image" --build-arg LAB_BINARY=lab)
    fi
    build "$lab_image" "${arguments[@]}" --target lab -f compose/Dockerfile "$context"
    say "$lab_image is made: $(docker image inspect -f '{{.Size}}' "$lab_image" | awk '{printf "%.1f MB", $1 / 1e6}')"
    if [ "$tools" = yes ]; then
        build "$tools_image" "${arguments[@]}" --target lab-tools -f compose/Dockerfile "$context"
        say "$tools_image is made"
    fi
}

debian
packaged "$prometheus_image" prometheus.Dockerfile prometheus
packaged "$alertmanager_image" alertmanager.Dockerfile alertmanager
lab
say "done"
