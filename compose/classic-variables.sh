# Sourced by the scripts: the classic variables of this lab, and what stands for them in files.
# shellcheck shell=bash

classic_variables=(
    SCALE_UP_THRESHOLD SCALE_DOWN_THRESHOLD MIN_REPLICAS MAX_REPLICAS CHECK_INTERVAL SCALE_UP_COOLDOWN
    SCALE_DOWN_COOLDOWN PROMETHEUS_URL SERVICE_NAME GF_SECURITY_ADMIN_PASSWORD
)

# Sets each variable NAME to the content of the file that NAME_FILE names, in the shell or else in .env. The file is this
# machine's; a relative path starts where the user stands, or in .env at its folder, so call this before `cd`. A file
# inside a container, such as a secret, is named in an overlay instead. Its argument is the script that asks.
read_classic_files() {
    local name variable file value folder
    folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
    for name in "${classic_variables[@]}"; do
        variable=${name}_FILE
        file=${!variable:-}
        if [ -z "${!variable+set}" ]; then
            file=$(sed -n "s/^$variable=//p" "$folder/.env")
            case "$file" in "" | /*) ;; *) file=$folder/$file ;; esac
            # The shell's own value beats the file that .env names.
            if [ -n "$file" ] && [ -n "${!name:-}" ]; then export "$variable="; continue; fi
        fi
        [ -n "$file" ] || continue
        [ -z "${!name:-}" ] || refuse_classic "$1" "$name and $variable are both set" "unset $name or $variable"
        [ ! -d "$file" ] && [ -r "$file" ] || refuse_classic "$1" "$variable is \`$file\`, which is not a file that this user can read" \
            "correct $variable; for a file inside the container, set $variable in an overlay (LAB_OVERLAYS)"
        value=$(cat -- "$file")
        [ -n "$value" ] || refuse_classic "$1" "$variable is \`$file\`, and the file is empty" "put the value of $name into it"
        # Empty, not unset: .env would come through.
        export "$name=$value" "$variable="
    done
}

refuse_classic() {
    printf '%s: %s\nhint: %s\n' "$1" "$2" "$3" >&2
    exit 2
}
