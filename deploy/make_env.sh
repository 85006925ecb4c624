#!/bin/sh
# Write .env from .env.example with random secrets where it leaves a value empty. Never touches an existing .env.
set -eu
cd "$(dirname "$0")/.."
[ ! -e .env ] || { echo ".env exists; it is left as it is" >&2; exit 1; }

random() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

umask 077
while IFS= read -r line; do
    case "$line" in
        AIRFLOW_FERNET_KEY=) line="$line$(head -c 32 /dev/urandom | base64 | tr '+/' '-_')" ;;
        [A-Z]*=) line="$line$(random 32)" ;;
    esac
    printf '%s\n' "$line"
done < .env.example > .env.new
mv .env.new .env
echo "wrote .env; the Airflow and Grafana passwords of user admin stand in it"
