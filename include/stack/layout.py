"""Where the embedded stack keeps its files and which ports it listens on."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORLDS = ("live", "recorded", "synthetic")
OPTIONAL = ("prometheus", "node_exporter", "redis")  # ports of programs the stack works without


class StackError(RuntimeError):
    """The stack cannot do what was asked; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Ports:
    """TCP ports (StatsD: UDP) on the loopback interface; each is set by the variable named beside it."""

    airflow: int = 8080  # AIRFLOW_PORT
    postgres: int = 5433  # POSTGRES_PORT, not 5432: a system's own PostgreSQL is left alone
    mlflow: int = 5000  # MLFLOW_PORT
    replay: int = 9009  # REPLAY_PORT
    metrics: int = 9102  # METRICS_PORT
    statsd: int = 8125  # STATSD_PORT
    prometheus: int = 9090  # PROMETHEUS_PORT
    node_exporter: int = 9100  # NODE_EXPORTER_PORT
    redis: int = 6380  # REDIS_PORT, not 6379: a system's own Redis is left alone; needed with Celery only

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Ports:
        """Defaults, overridden by the environment. Raises StackError for what is no port."""
        chosen = {}
        for each in fields(cls):
            text = environ.get(cls.variable(each.name)) or str(each.default)
            if not text.isdigit() or not 0 < int(text) < 65536:
                raise StackError(f"{cls.variable(each.name)}={text!r} is not a port number (1 to 65535)")
            chosen[each.name] = int(text)
        if len(set(chosen.values())) < len(chosen):
            raise StackError(f"two services were given the same port: {chosen}")
        return cls(**chosen)

    @staticmethod
    def variable(name: str) -> str:
        return f"{name.upper()}_PORT"

    def taken(self, world: str) -> list[str]:
        """A line for each port the stack cannot do without that somebody else listens on, naming the remedy."""
        spared = OPTIONAL if world != "live" else (*OPTIONAL, "replay")
        lines = (self.taken_line(each.name) for each in fields(self) if each.name not in spared)
        return [line for line in lines if line]

    def taken_line(self, name: str) -> str | None:
        """Who holds this port, and the remedy; None where it is free."""
        port = getattr(self, name)
        kind = socket.SOCK_DGRAM if name == "statsd" else socket.SOCK_STREAM
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                return f"port {port} ({name}) is taken: {error.strerror}; choose another: {self.variable(name)}=…"
        return None


@dataclass(frozen=True, slots=True)
class Layout:
    """Folders of one installation. State is kept apart by world, so that invented prices never meet real ones."""

    var: Path
    world: str

    @classmethod
    def from_environment(cls, world: str, environ: Mapping[str, str] = os.environ) -> Layout:
        if world not in WORLDS:
            raise StackError(f"unknown world {world!r}; one of {', '.join(WORLDS)}")
        return cls(Path(environ.get("STACK_VAR") or ROOT / "var").absolute(), world)

    @property
    def state(self) -> Path:
        return self.var / self.world

    @property
    def logs(self) -> Path:
        return self.var / "log"

    @property
    def task_logs(self) -> Path:
        return self.logs / "tasks" / self.world

    @property
    def airflow_home(self) -> Path:
        return self.state / "airflow"

    @property
    def postgres_data(self) -> Path:
        return self.state / "postgres" / "data"

    @property
    def mlflow_artifacts(self) -> Path:
        return self.state / "mlflow"

    @property
    def archive(self) -> Path:
        return self.state / "archive"

    @property
    def prometheus_configuration(self) -> Path:
        return self.state / "prometheus.yml"

    @property
    def prometheus_data(self) -> Path:
        return self.state / "prometheus"

    @property
    def redis(self) -> Path:
        return self.state / "redis"

    @property
    def credentials(self) -> Path:
        return self.state / "credentials.json"

    @property
    def lock(self) -> Path:
        return self.var / "stack.lock"

    @property
    def sessions(self) -> Path:
        return self.var / "sessions.json"

    def make(self) -> None:
        """Create the folders; what holds secrets is for the owner alone."""
        for folder in (self.var, self.state, self.task_logs, self.airflow_home, self.mlflow_artifacts, self.archive):
            folder.mkdir(parents=True, exist_ok=True)
        self.postgres_data.parent.mkdir(parents=True, exist_ok=True)
        self.airflow_home.chmod(0o700)


def last_world(var: Path) -> str | None:
    """The world that ran here last, or None where nothing ever did."""
    note = var / "world"
    return note.read_text().strip() if note.exists() else None
