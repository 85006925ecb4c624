"""The embedded stack: started in the right order, supervised, stopped whole."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from psycopg.conninfo import make_conninfo

from include.metrics.airflow_grants import URL_VARIABLE, let_monitor_read
from include.stack import databases
from include.stack.airflow_api import AirflowApi
from include.stack.celery_workers import redis_component, worker_components
from include.stack.components import airflow_components, service_components
from include.stack.credentials import load_or_create
from include.stack.environment import WAREHOUSE_DATABASE, child_environment, facts_environment, stack_environment
from include.stack.executor import Executor
from include.stack.layout import ROOT, Layout, Ports, StackError, last_world
from include.stack.log_limit import CHECKED_EVERY_SECONDS, limit_logs
from include.stack.monitoring import monitoring_components
from include.stack.postgres import PostgresCluster
from include.stack.processes import Component, SessionBook, sweep
from include.stack.replay_source import ReplaySource
from include.stack.settings_file import read_settings

RESTART_SECONDS = (1, 2, 5, 10, 30)  # pause before the nth restart in a row
LOCK_SECONDS = 20.0
STABLE_SECONDS = 120.0  # a process that ran this long starts again without a pause


class AlreadyRunningError(StackError):
    """Another launcher of this installation is at work."""


class Stack:
    """All components of one world on this machine; executor: None for the one the environment names."""

    def __init__(
        self,
        layout: Layout,
        ports: Ports,
        replay: ReplaySource | None,
        say: Callable[[str], None],
        executor: Executor | None = None,
    ) -> None:
        self.layout, self.ports, self.replay, self.say = layout, ports, replay, say
        self.executor = executor or Executor.from_environment()
        self.components: list[Component] = []
        self.stopping = threading.Event()
        self._lock: IO[str] | None = None
        self._reaper: subprocess.Popen[bytes] | None = None
        self._watcher: threading.Thread | None = None
        self._book = SessionBook(layout.sessions)

    def start(self) -> None:
        """Bring everything up and wait until it is healthy.

        Raises AlreadyRunningError, StackError or PostgresError, each saying what to do; nothing is left running then.
        """
        self._take_lock()
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        left = sweep(self.layout.var, self._book)
        if left:
            self.say(f"ended {left} processes that an earlier start left behind")
        taken = self.ports.taken(self.layout.world)
        if self.executor.is_celery and (line := self.ports.taken_line("redis")):
            taken.append(line)
        if taken:
            raise StackError("\n".join(taken))
        self.layout.make()
        (self.layout.var / "world").write_text(self.layout.world)
        self.executor.note(self.layout.var)
        self.credentials, fresh = load_or_create(self.layout.credentials)
        if fresh:
            self.say(f"Airflow login: admin / {self.credentials.airflow_admin}  (kept in {self.layout.credentials})")
        added = stack_environment(self.layout, self.ports, self.credentials, executor=self.executor)
        self.environment = child_environment(added)
        self._seed_airflow_login()
        self._reaper = self._start_reaper()
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._watcher.start()

        self.say("starting PostgreSQL")
        cluster = PostgresCluster(self.layout.postgres_data, self.ports.postgres, self.credentials.postgres)
        if cluster.initialise():
            self.say(f"made a PostgreSQL {cluster.binaries.major} cluster in {self.layout.postgres_data}")
        self._launch([databases.component(cluster, self.environment)])
        databases.prepare(cluster, self.credentials)
        self.say("starting replay exchange, StatsD receiver and MLflow" if self.replay else "starting services")
        facts = facts_environment(self.ports, self.credentials)
        services = service_components(self.layout, self.ports, self.environment, self.replay, facts)
        services += monitoring_components(self.layout, self.ports, self.environment, self.say)
        workers: list[Component] = []
        if self.executor.is_celery:
            self.say(f"starting Redis, and with Airflow {self.executor.workers} Celery workers")
            services.append(redis_component(self.layout, self.ports, self.credentials, self.environment))
            workers = worker_components(self.executor, self.ports, self.credentials, self.environment)
        self._launch(services, wait=False)
        databases.migrate_airflow(self.layout, self.environment, self.say)
        let_monitor_read(self.environment[URL_VARIABLE])
        databases.grant_maintenance(cluster)
        self.say("starting Airflow")
        self._launch([*airflow_components(self.ports, self.environment), *workers])
        self._await(services)

    def api(self) -> AirflowApi:
        """Airflow's REST API, as the admin."""
        return AirflowApi(f"http://127.0.0.1:{self.ports.airflow}", "admin", self.credentials.airflow_admin)

    def warehouse_dsn(self) -> str:
        """The warehouse, as the reader."""
        password = self.credentials.warehouse_reader
        return make_conninfo(
            host="127.0.0.1",
            port=self.ports.postgres,
            dbname=WAREHOUSE_DATABASE,
            user="warehouse_reader",
            password=password,
        )

    def load_settings(self) -> None:
        """Pools, variables and connections of airflow_settings.yaml into Airflow."""
        self.api().load_settings(read_settings(ROOT / "airflow_settings.yaml"))

    def _take_lock(self) -> None:
        self.layout.var.mkdir(parents=True, exist_ok=True)
        lock = self.layout.lock.open("a+")
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                owner = read_lock(self.layout.var)
                if owner is None and time.monotonic() < deadline:
                    time.sleep(0.2)  # a reaper holds it, cleaning up after a killed launcher
                    continue
                lock.close()
                raise AlreadyRunningError(already_running(owner, self.layout.var)) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def _seed_airflow_login(self) -> None:
        path = self.layout.airflow_home / "passwords.json"
        path.write_text(json.dumps(self.credentials.airflow_users()))
        path.chmod(0o600)

    def _start_reaper(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "include.stack.reaper", str(self.layout.var)]
        return subprocess.Popen(command, stdin=subprocess.PIPE, cwd=ROOT, start_new_session=True)

    def _launch(self, components: list[Component], wait: bool = True) -> None:
        for component in components:
            component.start(self.layout.logs)
            self.components.append(component)
        self._record()
        if wait:
            self._await(components)

    def _record(self) -> None:
        self._book.record(c.process.pid for c in self.components if c.process)

    def _await(self, components: list[Component], seconds: float = 240) -> None:
        deadline = time.monotonic() + seconds
        for component in components:
            while not component.ready():
                if component.restarts >= 3 or time.monotonic() > deadline:
                    log = self.layout.logs / f"{component.name}.log"
                    tail = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
                    raise StackError(f"{component.name} does not come up; the end of {log}:\n{tail}")
                if self.stopping.wait(0.2):
                    raise StackError("stopped while starting")

    def _watch(self) -> None:
        """Restart what dies, its whole session ended first: a dead scheduler's workers would hold ports and slots."""
        due: dict[str, float] = {}
        logs_due = 0.0
        while not self.stopping.wait(0.5):
            if time.monotonic() >= logs_due:
                limit_logs(self.layout.logs)
                logs_due = time.monotonic() + CHECKED_EVERY_SECONDS
            for component in list(self.components):
                if component.is_running or self.stopping.is_set():
                    continue
                try:
                    if component.name not in due:
                        due[component.name] = time.monotonic() + self._bury(component)
                    elif time.monotonic() >= due[component.name]:
                        component.restarts += 1
                        component.start(self.layout.logs)
                        del due[component.name]
                        self._record()
                except OSError as error:  # no process or no disk to be had now: the supervisor outlasts that
                    with suppress(OSError):
                        self.say(f"{component.name} could not be started: {error}")

    def _bury(self, component: Component) -> float:
        """End what a dead component left; the pause in seconds before its next start."""
        if time.monotonic() - component.started_at > STABLE_SECONDS:
            component.restarts = 0
        pause = RESTART_SECONDS[min(component.restarts, len(RESTART_SECONDS) - 1)]
        status = component.process.returncode if component.process else None
        self.say(f"{component.name} ended (status {status}); starting it again in {pause} s")
        component.stop()
        return pause

    def stop(self) -> bool:
        """Stop in reverse order, end what is left, let go of the lock; False where there was nothing to do."""
        if self._lock is None:
            return False
        self.stopping.set()
        if self._watcher:
            self._watcher.join()
        airflow = [c for c in self.components if c.name.startswith("airflow-")]
        others = [c for c in reversed(self.components) if c not in airflow]
        threads = [threading.Thread(target=c.stop) for c in airflow]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for component in others:
            component.stop()
        self.components = []
        sweep(self.layout.var, self._book, grace_seconds=2)
        if self._reaper and self._reaper.stdin:
            self._reaper.stdin.write(b".")
            self._reaper.stdin.close()
            self._reaper.wait(10)
            self._reaper = None
        self._lock.truncate(0)
        self._lock.close()
        self._lock = None
        return True


def already_running(owner: int | None, var: Path) -> str:
    """What to tell somebody who starts a second stack."""
    return (
        f"the stack is already running (launcher pid {owner}, world {last_world(var)}): "
        "`make status` shows it, `make down` stops it"
    )


def read_lock(var: Path) -> int | None:
    """Pid of the launcher at work, or None where none is."""
    path = var / "stack.lock"
    if not path.exists():
        return None
    with path.open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            text = lock.read().strip()
            return int(text) if text else None
    return None
