#!/bin/sh
# Backs all databases up once a day at BACKUP_AT (UTC, default 03:40), each restored into a scratch database and compared.
# A backup that fails is tried again at the next BACKUP_AT; until then the alert on the age of backups is what tells.
set -eu
at="${BACKUP_AT:-03:40}"
case "$at" in
    [01][0-9]:[0-5][0-9] | 2[0-3]:[0-5][0-9]) ;;
    *) echo "error: BACKUP_AT=$at is no time of the day (HH:MM, UTC)" >&2; exit 1 ;;
esac
trap 'exit 0' TERM INT

# Seconds from $1 (seconds since 1970) to the next $at; never 0.
wait_seconds() {
    hours="${at%:*}"; minutes="${at#*:}"
    due=$(( (${hours#0} * 60 + ${minutes#0}) * 60 ))
    left=$(( due - $1 % 86400 ))
    [ "$left" -gt 0 ] || left=$(( left + 86400 ))
    echo "$left"
}

while :; do
    sleep "$(wait_seconds "$(date +%s)")" &
    wait $!
    python -m include.cli backup --verify || echo "error: no backup was made today" >&2
done
