#!/usr/bin/env bash
# Start the API server. Each user of the simple auth manager gets the password from AIRFLOW_<NAME>_PASSWORD; a name
# without one would be given a random one, written into the log. The manager locks and may rewrite its file, so a
# read-only secret mount would not do.
set -euo pipefail
umask 077
python - <<'PYTHON'
import json, os
users = [user.split(":")[0] for user in os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"].split(",")]
with open(os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"], "w") as passwords:
    json.dump({user: os.environ[f"AIRFLOW_{user.upper()}_PASSWORD"] for user in users}, passwords)
PYTHON
for variable in "${!AIRFLOW_@}"; do
    case "$variable" in
        AIRFLOW__*) ;;
        AIRFLOW_*_PASSWORD) unset "$variable" ;;
    esac
done
# Behind TLS the proxy's headers say so, and the session's cookie is marked secure.
exec airflow api-server --proxy-headers
