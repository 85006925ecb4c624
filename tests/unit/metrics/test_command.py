"""The receiver as a program: sockets, pages, signals, clear refusals."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@contextmanager
def receiver(
    *options: str, environment: dict[str, str] | None = None
) -> Iterator[tuple[subprocess.Popen[str], int, int]]:
    command = [sys.executable, "-m", "include.cli", "statsd-receiver", "--statsd-port=0", "--http-port=0", *options]
    process = subprocess.Popen(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, env=os.environ | (environment or {})
    )
    try:
        assert process.stdout
        found = re.search(r"udp [\d.]+:(\d+) -> http://[\d.]+:(\d+)/", process.stdout.readline())
        assert found
        yield process, int(found[1]), int(found[2])
    finally:
        process.kill()
        process.wait()


def get(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
        return response.read().decode()


def test_from_packet_to_page_and_a_quiet_end() -> None:
    with receiver() as (process, statsd, http):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"airflow.ti.start,dag_id=d:1|c\nairflow.ti.start,dag_id=d:1|c\n", ("127.0.0.1", statsd))
        deadline = time.monotonic() + 5
        while 'airflow_task_start_total{dag_id="d"} 2\n' not in get(http, "/metrics"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert get(http, "/health") == "ok\n"
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(http, "/")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


@pytest.mark.parametrize("option", ["--statsd-port", "--http-port"])
def test_a_taken_port_is_said_in_one_line(option: str) -> None:
    kind = socket.SOCK_DGRAM if option == "--statsd-port" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        port = taken.getsockname()[1]
        ports = {"--statsd-port": 0, "--http-port": 0, option: port}
        command = [sys.executable, "-m", "include.cli", "statsd-receiver", *(f"{k}={v}" for k, v in ports.items())]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 1
    assert "in use" in done.stderr
    assert str(port) in done.stderr
    assert "Traceback" not in done.stderr


def test_counters_are_there_before_anything_happens_and_a_database_that_is_not_is_told() -> None:
    nowhere = {"FACTS_WAREHOUSE_DSN": "host=127.0.0.1 port=1 user=monitor password=hidden"}
    with receiver(environment=nowhere) as (_, _, http):
        page = get(http, "/metrics")
    assert 'crypto_ingest_rows_total{dataset="candle",result="quarantined"} 0\n' in page
    assert page.count("\ncrypto_venue_requests_total{") > 50
    assert "\nstatsd_exporter_udp_packets_total 1\n" in page  # its own
    assert 'crypto_facts_up{database="warehouse"} 0\n' in page
    assert 'database="airflow"' not in page


def test_a_dsn_that_is_none_is_named_and_not_shown() -> None:
    command = [sys.executable, "-m", "include.cli", "statsd-receiver", "--statsd-port=0", "--http-port=0"]
    environment = os.environ | {"FACTS_AIRFLOW_DSN": "host=here hidden-password"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60, env=environment)
    assert done.returncode == 1
    assert "FACTS_AIRFLOW_DSN" in done.stderr
    assert "hidden" not in done.stderr + done.stdout


def test_a_bad_mapping_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "mapping.yml").write_text("mappings: []")
    command = [sys.executable, "-m", "include.cli", "statsd-receiver", f"--mapping={tmp_path / 'mapping.yml'}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 1
    assert "observer_type" in done.stderr
    assert "Traceback" not in done.stderr
