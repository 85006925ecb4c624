"""The few calls of Airflow's REST API that the launcher and the demo need."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from include.stack.layout import StackError
from include.stack.settings_file import AirflowSettings

# An api-server or database that died is started again within seconds: what failed is asked again for about a minute;
# what may have reached it only where asking twice is harmless.
PATIENCE = Retry(total=7, backoff_factor=0.5, status_forcelist=(500, 502, 503, 504), raise_on_status=False)


class AirflowApi:
    """Airflow's public API (v2) as one user. Raises StackError with Airflow's own words for a refusal."""

    def __init__(self, base_url: str, user: str, password: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._login = {"username": user, "password": password}
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=PATIENCE))
        self._session.headers["Authorization"] = f"Bearer {self._token()}"

    def _token(self) -> str:
        answer = self._request("POST", f"{self.base_url}/auth/token", json=self._login)
        if answer.status_code != 201:
            raise StackError(
                f"Airflow at {self.base_url} refused the login ({answer.status_code}): {answer.text[:300]}"
            )
        return str(answer.json()["access_token"])

    def call(self, method: str, path: str, accept: tuple[int, ...] = (), **arguments: Any) -> requests.Response:
        """One request under /api/v2; other statuses than 2xx and `accept` are errors."""
        url = f"{self.base_url}/api/v2/{path}"
        answer = self._request(method, url, **arguments)
        if answer.status_code == 401:  # tokens live a day, a demo may live longer
            self._session.headers["Authorization"] = f"Bearer {self._token()}"
            answer = self._request(method, url, **arguments)
        if not answer.ok and answer.status_code not in accept:
            raise StackError(f"Airflow answered {answer.status_code} to {method} {path}: {answer.text[:500]}")
        return answer

    def _request(self, method: str, url: str, **arguments: Any) -> requests.Response:
        try:
            return self._session.request(method, url, timeout=60, **arguments)
        except requests.RequestException as error:
            raise StackError(f"Airflow at {self.base_url} does not answer: {error}") from error

    def pages(self, path: str, key: str, **params: Any) -> Iterator[dict[str, Any]]:
        """Every entry of a paged list."""
        offset = 0
        while True:
            page = self.call("GET", path, params={**params, "limit": 100, "offset": offset}).json()
            yield from page[key]
            offset += len(page[key])
            if not page[key] or offset >= page["total_entries"]:
                return

    def dags(self) -> dict[str, dict[str, Any]]:
        return {d["dag_id"]: d for d in self.pages("dags", "dags", exclude_stale=True)}

    def import_errors(self) -> list[dict[str, Any]]:
        return list(self.pages("importErrors", "import_errors"))

    def set_paused(self, dag_id: str, paused: bool) -> None:
        self.call("PATCH", f"dags/{dag_id}", json={"is_paused": paused})

    def runs(self, dag_id: str, **params: Any) -> list[dict[str, Any]]:
        return list(self.pages(f"dags/{dag_id}/dagRuns", "dag_runs", **params))

    def trigger(self, dag_id: str, conf: dict[str, Any] | None = None, note: str | None = None) -> str:
        """Start a run now; its id."""
        body = {"logical_date": None, "conf": conf or {}, "note": note}
        return str(self.call("POST", f"dags/{dag_id}/dagRuns", json=body).json()["dag_run_id"])

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.call("GET", f"dags/{dag_id}/dagRuns/{run_id}").json()
        return answer

    def failed_tasks(self, dag_id: str, run_id: str) -> list[str]:
        tasks = self.pages(f"dags/{dag_id}/dagRuns/{run_id}/taskInstances", "task_instances")
        return [t["task_id"] for t in tasks if t["state"] in ("failed", "upstream_failed")]

    def unfinished_runs(self) -> int:
        """How many runs of all DAGs are queued or running."""
        answer = self.call("GET", "dags/~/dagRuns", params={"state": ["queued", "running"], "limit": 1}).json()
        return int(answer["total_entries"])

    def backfills(self, dag_id: str) -> list[dict[str, Any]]:
        return list(self.pages("backfills", "backfills", dag_id=dag_id))

    def create_backfill(self, dag_id: str, start: datetime, end: datetime, max_active_runs: int) -> None:
        """Runs for the intervals that begin from `start` to `end` (UTC); those that succeeded are left as they are."""
        wish = {"dag_id": dag_id, "from_date": start.isoformat(), "to_date": end.isoformat()}
        self.call(
            "POST", "backfills", json={**wish, "reprocess_behavior": "failed", "max_active_runs": max_active_runs}
        )

    def load_settings(self, settings: AirflowSettings, keep_existing: bool = False) -> None:
        """Make connections, pools and variables what the settings file says; or only those that are not there yet."""
        for name, (slots, description) in settings.pools.items():
            pool = {"slots": slots, "description": description, "include_deferred": False}
            self._put("pools", name, {"name": name, **pool}, {"pool": name, **pool}, keep_existing)
        for key, value in settings.variables.items():
            variable = {"key": key, "value": value}
            self._put("variables", key, variable, variable, keep_existing)
        for conn_id, fields in settings.connections.items():
            extra = fields.get("extra")
            connection = {**fields, "connection_id": conn_id, "extra": None if extra is None else _json(extra)}
            self._put("connections", conn_id, connection, connection, keep_existing)

    def _put(self, kind: str, name: str, made: dict[str, Any], changed: dict[str, Any], keep_existing: bool) -> None:
        is_there = self.call("POST", kind, accept=(409,), json=made).status_code == 409
        if is_there and not keep_existing:
            self.call("PATCH", f"{kind}/{name}", json=changed)


def _json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
