"""The client of Airflow's API where Airflow is away for a moment, or for good."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from urllib3.util import Retry

from include.stack import airflow_api
from include.stack.airflow_api import AirflowApi
from include.stack.layout import StackError
from tests.conftest import free_port


class Airflow(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self._answer(201, b'{"access_token": "t"}')

    def do_GET(self) -> None:
        self._answer(200, b'{"dags": [{"dag_id": "one"}], "total_entries": 1}')

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def test_a_server_that_is_started_again_is_waited_for() -> None:
    port = free_port()

    def serve_later() -> None:
        time.sleep(1.5)
        server = HTTPServer(("127.0.0.1", port), Airflow)
        with server:
            for _ in range(2):
                server.handle_request()

    thread = threading.Thread(target=serve_later, daemon=True)
    thread.start()
    assert AirflowApi(f"http://127.0.0.1:{port}", "admin", "p").dags().keys() == {"one"}
    thread.join()


def test_a_server_that_stays_away_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(airflow_api, "PATIENCE", Retry(total=1, backoff_factor=0))
    port = free_port()
    with pytest.raises(StackError, match=rf"Airflow at http://127.0.0.1:{port} does not answer"):
        AirflowApi(f"http://127.0.0.1:{port}", "admin", "p")
