#!/usr/bin/env bash
# Start the API server with the administrator's password from AIRFLOW_ADMIN_PASSWORD. The simple auth manager locks and
# may rewrite its file, so a read-only secret mount would not do.
set -euo pipefail
umask 077
python - <<'PYTHON'
import json, os
with open(os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"], "w") as passwords:
    json.dump({"admin": os.environ["AIRFLOW_ADMIN_PASSWORD"]}, passwords)
PYTHON
unset AIRFLOW_ADMIN_PASSWORD
exec airflow api-server
