"""What can be killed in a running stack, and when it is healthy again."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import psutil

from include.stack.launcher import Stack
from include.stack.processes import GONE, Component, members


@dataclass(frozen=True, slots=True)
class Victim:
    """name: what to call it. component: its name in the stack. heartbeat: its part of Airflow's health page, if any.

    choose: pids to kill, of the component's.
    """

    name: str
    component: str
    choose: Callable[[Component], list[int]]
    heartbeat: str | None = None

    def of(self, stack: Stack) -> Component:
        return next(each for each in stack.components if each.name == self.component)

    def is_there(self, stack: Stack) -> bool:
        """Whether there is something to kill now."""
        return bool(self.choose(self.of(stack)))

    def kill(self, stack: Stack) -> tuple[Component, int]:
        """SIGKILL; the component, and the pid that its main process had. Raises LookupError where nothing runs."""
        component = self.of(stack)
        assert component.process is not None  # noqa: S101 - every component of a started stack has one
        pids = self.choose(component)
        if not pids:
            raise LookupError(f"nothing of {self.name} runs")
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return component, component.process.pid

    def is_back(self, stack: Stack, component: Component, pid: int, since: datetime) -> bool:
        """Whether another process than `pid` is healthy in its place; a part of Airflow has to have a heartbeat since.

        A killed task (of LocalExecutor) is no component: the scheduler it belonged to has to be healthy.
        """
        replaced = component.process is not None and component.process.pid != pid
        if self.choose is not task and not replaced:
            return False
        if self.heartbeat and self.choose is not task:
            return _heartbeat(stack.ports.airflow, self.heartbeat) > since
        return component.is_running and component.ready()


def main_process(component: Component) -> list[int]:
    return [component.process.pid] if component.process else []


def session(component: Component) -> list[int]:
    """Every process of it: the supervisor sees a death, and finds nothing to end."""
    return [process.pid for process in members(set(main_process(component)))]


def task(component: Component) -> list[int]:
    """One process in which LocalExecutor runs a task."""
    for process in members(set(main_process(component))):
        with suppress(*GONE):
            parent = psutil.Process(process.ppid())
            if any("LocalExecutor:" in word for word in parent.cmdline()):
                return [process.pid]
    return []


SCHEDULER = Victim("scheduler", "airflow-scheduler", main_process, "scheduler")
WORKER = Victim("a worker, whole", "airflow-worker-1", session)
TASK = Victim("a task's process", "airflow-scheduler", task)
POSTGRES = Victim("database", "postgres", main_process)
RECEIVER = Victim("statsd receiver", "statsd", main_process)
REDIS = Victim("redis", "redis", main_process)
DAG_PROCESSOR = Victim("dag processor", "airflow-dag-processor", main_process, "dag_processor")
API_SERVER = Victim("api-server", "airflow-api-server", main_process)


def victims(is_celery: bool) -> list[Victim]:
    """In the order of their deaths."""
    if is_celery:
        return [SCHEDULER, WORKER, POSTGRES, RECEIVER, REDIS, DAG_PROCESSOR, API_SERVER]
    return [SCHEDULER, TASK, POSTGRES, RECEIVER, DAG_PROCESSOR, API_SERVER]


def _heartbeat(port: int, part: str) -> datetime:
    """The newest heartbeat of a part of Airflow; the beginning of time where none can be read."""
    never = datetime.fromtimestamp(0).astimezone()
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v2/monitor/health", timeout=2) as response:
            text = json.load(response)[part][f"latest_{part}_heartbeat"]
    except (OSError, KeyError, TypeError, ValueError):
        return never
    return datetime.fromisoformat(text) if text else never


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> float:
    """Seconds until the condition held. Raises TimeoutError naming `what` after so many."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.25)
    return time.monotonic() - began
