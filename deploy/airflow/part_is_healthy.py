"""Container health check: exit status 0 where Airflow's health page calls the named part healthy.

    python part_is_healthy.py scheduler http://airflow-api-server:8080

`airflow jobs check` would say the same for three seconds of processor time each time.
"""

import json
import sys
import urllib.request

part, address = sys.argv[1:]
with urllib.request.urlopen(f"{address}/api/v2/monitor/health", timeout=5) as response:  # noqa: S310 - our own address
    status = json.load(response)[part]["status"]
sys.exit(0 if status == "healthy" else f"{part} is {status}")
