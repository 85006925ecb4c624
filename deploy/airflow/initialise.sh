#!/usr/bin/env bash
# Bring Airflow's database to this release's form. First of all, that the executor has what it needs: with
# CeleryExecutor and without Redis every task would wait in vain, and nothing would say why.
set -euo pipefail
if [ "${AIRFLOW__CORE__EXECUTOR}" = CeleryExecutor ] \
    && ! python -c 'import socket; socket.create_connection(("redis", 6379), timeout=10)' 2>/dev/null; then
    echo "error: AIRFLOW_EXECUTOR=CeleryExecutor needs Redis and workers: add celery to COMPOSE_PROFILES in .env" >&2
    exit 1
fi
exec airflow db migrate
