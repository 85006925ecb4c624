"""A real scheduler, DAG processor and triggerer beside the stage, with a metadata database and a DAG of their own."""

from __future__ import annotations

import secrets
import sys
import time
import urllib.request
from pathlib import Path

import psycopg

from benchmarks.prove_alerts.databases import Databases
from benchmarks.prove_alerts.programs import Program, ProofError, free_ports

PARTS = {"scheduler": ("--skip-serve-logs",), "dag-processor": (), "triggerer": ("--skip-serve-logs",)}
START_SECONDS = 180
DATABASE = "airflow_at_work"
SOUND = """from airflow.sdk import DAG

dag = DAG(dag_id="sound", schedule=None)
"""
BROKEN = SOUND + "from airflow.sdk import Nothing\n"
# As often as the stage's windows want it; otherwise every five seconds, and every half minute for the files.
OFTEN = {
    "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
    "AIRFLOW__SCHEDULER__JOB_HEARTBEAT_SEC": "1",
    "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "1",
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "1",
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "1",
    "AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "1",
}


class RealAirflow:
    """Its processes by part, and the folder it reads DAGs from."""

    def __init__(self, folder: Path, metadata_url: str, statsd_port: int, metrics_url: str) -> None:
        self.dags = folder / "dags"
        self.dags.mkdir()
        (self.dags / "sound.py").write_text(SOUND)
        self._metrics_url = metrics_url
        secret = secrets.token_urlsafe(48)
        environ = {
            **OFTEN,
            "AIRFLOW_HOME": str(folder / "airflow"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PARALLELISM": "1",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{free_ports(1)[0]}/execution/",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata_url,
            "AIRFLOW__API_AUTH__JWT_SECRET": secret,
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(folder / "airflow-logs"),
            "AIRFLOW__METRICS__STATSD_ON": "True",
            "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
            "AIRFLOW__METRICS__STATSD_PORT": str(statsd_port),
            "AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED": "True",
            "AIRFLOW__METRICS__LEGACY_NAMES_ON": "False",
        }
        self.parts = {
            part: Program(f"airflow-{part}", [sys.executable, "-m", "airflow", part, *more], folder, None, environ)
            for part, more in PARTS.items()
        }

    def start(self) -> None:
        """Until each part has given a heartbeat and the files have been read. Raises ProofError where one does not."""
        for part in self.parts.values():
            part.start()
        wanted = [f"airflow_{part.replace('-', '_')}_heartbeat " for part in PARTS] + [
            "airflow_dag_processing_import_errors "
        ]
        deadline = time.monotonic() + START_SECONDS
        while True:
            with urllib.request.urlopen(self._metrics_url, timeout=5) as response:  # noqa: S310 - loopback
                page = response.read().decode()
            missing = [name for name in wanted if f"\n{name}" not in page]
            if not missing:
                return
            if time.monotonic() > deadline:
                raise ProofError(f"Airflow does not report {', '.join(missing)}; its logs are beside the others")
            time.sleep(1)

    def stop(self) -> None:
        for part in self.parts.values():
            part.stop()

    def break_a_file(self) -> None:
        (self.dags / "broken.py").write_text(BROKEN)

    def mend_the_file(self) -> None:
        (self.dags / "broken.py").unlink()


def copy_metadata(databases: Databases) -> str:
    """A migrated metadata database for them alone, while nobody is connected to the other; its URL."""
    with psycopg.connect(databases.cluster.dsn(), autocommit=True) as connection:
        connection.execute(f"create database {DATABASE} template airflow owner airflow")
    return f"postgresql+psycopg2://{databases.airflow_login}@127.0.0.1:{databases.cluster.port}/{DATABASE}"
