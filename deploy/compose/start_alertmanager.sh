#!/bin/sh
# Start Alertmanager with the addresses to notify as files: its configuration takes them from nowhere else, and in the
# environment of the running program they have no business. One that is not set makes only its own notifications fail.
set -eu
umask 077
folder=${SECRETS_FOLDER:-/run/secrets}
for name in PAGE TICKET DEAD_MANS_SWITCH; do
    eval "url=\${ALERT_${name}_URL:-}"
    unset "ALERT_${name}_URL"
    file="$folder/$(echo "$name" | tr '[:upper:]' '[:lower:]')_url"
    rm -f "$file"
    [ -z "$url" ] || printf '%s' "$url" > "$file"
done
unset url
exec alertmanager "$@"
