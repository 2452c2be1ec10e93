#!/usr/bin/env bash
# Prints a setting of compose/.env as Compose reads it, the environment before the file: compose/setting.sh SCALER_PORT
set -euo pipefail
name=${1:?a setting such as SCALER_PORT}
from_file=$(sed -n "s/^$name=//p" "$(dirname "${BASH_SOURCE[0]}")/.env")
printf '%s\n' "${!name:-$from_file}"
