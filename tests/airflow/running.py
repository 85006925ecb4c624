"""A whole stack, started and used as a user would."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from psycopg.conninfo import make_conninfo

from include.stack.airflow_api import AirflowApi
from include.stack.credentials import load_or_create
from include.stack.environment import STACK_VARIABLE, WAREHOUSE_DATABASE, child_environment, stack_environment
from include.stack.layout import Layout, Ports
from include.warehouse.connection import Connection, connect
from tests.conftest import free_port

ROOT = Path(__file__).parents[2]
DEMO_SECONDS = 1100
STAYS_UP = "the stack stays up"


def free_ports() -> dict[str, str]:
    """Variables naming a free port for every service."""
    ports: dict[str, int] = {}
    for name in Ports.__slots__:
        kind = socket.SOCK_DGRAM if name == "statsd" else socket.SOCK_STREAM
        while (port := free_port(kind)) in ports.values():
            pass
        ports[Ports.variable(name)] = port
    return {variable: str(port) for variable, port in ports.items()}


@dataclass
class RunningStack:
    """A stack that was started as a user would, and how to reach it."""

    environ: dict[str, str]
    world: str
    log: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def layout(self) -> Layout:
        return Layout.from_environment(self.world, self.environ)

    @property
    def ports(self) -> Ports:
        return Ports.from_environment(self.environ)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "include.cli", "stack", *arguments]

    def start_demo(self) -> None:
        """`make demo`, until it says that the stack stays up. Fails with the end of its output."""
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(self.command("demo"), env=self.environ, cwd=ROOT, stdout=out, stderr=out)
        deadline = time.monotonic() + DEMO_SECONDS
        already = self.log.read_text().count(STAYS_UP)
        while self.log.read_text().count(STAYS_UP) == already:
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                pytest.fail(f"the demo did not get through:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.5)

    def stop(self) -> int:
        """Ctrl-C; the exit status."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(120)

    def run(self, *arguments: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """Another command of ours beside it."""
        return subprocess.run(
            self.command(*arguments), env=self.environ, cwd=ROOT, capture_output=True, text=True, timeout=seconds
        )

    def airflow(self, *arguments: str, database: str = "airflow") -> subprocess.CompletedProcess[str]:
        """The airflow command in the stack's own environment."""
        credentials, _ = load_or_create(self.layout.credentials)
        environment = child_environment(stack_environment(self.layout, self.ports, credentials, metadata=database))
        command = [sys.executable, "-m", "airflow", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)

    def api(self) -> AirflowApi:
        credentials, _ = load_or_create(self.layout.credentials)
        return AirflowApi(f"http://127.0.0.1:{self.ports.airflow}", "admin", credentials.airflow_admin)

    def warehouse(self, role: str = "warehouse_owner") -> Connection:
        credentials, _ = load_or_create(self.layout.credentials)
        password = getattr(credentials, role)
        return connect(
            make_conninfo(
                host="127.0.0.1", port=self.ports.postgres, dbname=WAREHOUSE_DATABASE, user=role, password=password
            )
        )

    def processes(self) -> list[psutil.Process]:
        """Every living process of this stack, found by its mark."""
        found = []
        for process in psutil.process_iter():
            try:
                marked = process.environ().get(STACK_VARIABLE) == str(self.layout.var)
                if marked and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return found
