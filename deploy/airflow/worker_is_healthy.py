"""Container health check: exit status 0 where this container's Celery worker answers through the broker.

It loads Celery only; `airflow celery inspect` would load all of Airflow every time.
"""

import os
import socket
import sys

from celery import Celery

name = f"celery@{socket.gethostname()}"
with Celery(broker=os.environ["AIRFLOW__CELERY__BROKER_URL"], set_as_current=False) as app:
    answers = app.control.ping(destination=[name], timeout=10)
sys.exit(0 if answers else f"{name} does not answer")
