#!/bin/sh
# Write .env from .env.example with random secrets where it leaves a value empty. An existing .env is never touched;
# with --add, what it lacks is appended, and nothing in it changes.
set -eu
cd "$(dirname "$0")/.."

random() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

filled_in() {
    while IFS= read -r line; do
        case "$line" in
            AIRFLOW_FERNET_KEY=) line="$line$(head -c 32 /dev/urandom | base64 | tr '+/' '-_')" ;;
            [A-Z]*=) line="$line$(random 32)" ;;
        esac
        printf '%s\n' "$line"
    done < .env.example
}

umask 077
trap 'rm -f .env.new' EXIT
if [ "${1:-}" = --add ]; then
    [ -e .env ] || { echo "error: there is no .env to add to: run it without --add" >&2; exit 1; }
    cat .env > .env.new
    [ -z "$(tail -c 1 .env)" ] || echo >> .env.new
    filled_in | while IFS= read -r line; do
        name=${line%%=*}
        case "$name" in
            [A-Z]*) grep -q "^$name=" .env || { printf '%s\n' "$line" >> .env.new; echo "added $name"; } ;;
        esac
    done
    mv .env.new .env
else
    [ ! -e .env ] || { echo "error: .env exists and is left as it is; --add appends what it lacks" >&2; exit 1; }
    filled_in > .env.new
    mv .env.new .env
    echo "wrote .env; the passwords of Airflow's and Grafana's users stand in it"
fi
