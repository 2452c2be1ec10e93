#!/usr/bin/env bash
# Ends with 3, and says what to do, where containers of the lab's name were started from another folder: two labs of one
# name take each other's containers and volumes for their own. That none are there is fine. Its argument is who asks: `start`.
set -euo pipefail
asks=${1:?the name of the script that asks}
fail() { printf '%s: %s\nhint: %s\n' "$asks" "$1" "$2" >&2; exit 3; }

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../compose" && pwd)
project=$("$here/setting.sh" COMPOSE_PROJECT_NAME)
folders=$(docker ps -a --filter "label=com.docker.compose.project=$project" \
    --format '{{.Label "com.docker.compose.project.working_dir"}}' | sort -u) \
    || fail "the Docker engine does not list the containers of \`$project\`" "the lines above are Docker's"
while read -r folder; do
    # The same folder can be reached by two paths, and Compose can be called in the folder above it.
    [ -n "$folder" ] && [ "$folder" != "$here" ] && ! [ "$folder" -ef "$here" ] && ! [ "$folder" -ef "$here/.." ] || continue
    instead="give the lab of this folder a name of its own: COMPOSE_PROJECT_NAME=$project-2"
    if [ -d "$folder" ]; then
        fail "the project \`$project\` runs from $folder, not from here" "end it there, or $instead"
    fi
    fail "the project \`$project\` runs from $folder, which is not on this machine or gone" \
        "where it is gone: docker rm -f \$(docker ps -aq --filter label=com.docker.compose.project=$project); or $instead"
done <<<"$folders"
