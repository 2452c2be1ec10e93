#!/usr/bin/env bash
# Ends with 3, and says what to do, where this user cannot reach the Docker engine. Its argument is who asks: `start`.
set -euo pipefail
asks=${1:?the name of the script that asks}
fail() { printf '%s: %s\nhint: %s\n' "$asks" "$1" "$2" >&2; exit 3; }

command -v docker >/dev/null || fail "the program docker is missing" "https://docs.docker.com/engine/install, or on Debian apt-get install docker.io"
says=$(docker version --format '{{.Server.Version}}' 2>&1) || case "$says" in
    *"permission denied"*) fail "this user may not use Docker's socket" "sudo usermod -aG docker \"\$USER\", then log in again; or run this with sudo" ;;
    *) fail "the Docker engine does not answer" "start it: sudo systemctl start docker" ;;
esac
