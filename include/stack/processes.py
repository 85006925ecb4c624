"""Processes of ours: started in sessions of their own, found again whoever started them, ended whole."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from include.stack.environment import STACK_VARIABLE

GONE = (psutil.NoSuchProcess, psutil.ZombieProcess)


@dataclass(slots=True)
class Component:
    """One supervised program.

    ready: asked until it answers True after a start. popen: further arguments of Popen (user, group).
    stop_signal: what asks the program to end cleanly. depends: its session is ended before this one's.
    """

    name: str
    command: list[str]
    environment: dict[str, str]
    ready: Callable[[], bool]
    popen: dict[str, object] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 15
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    started_at: float = 0.0

    def start(self, log_folder: Path) -> None:
        """Start in a new session, output appended to `<name>.log`."""
        self.started_at = time.monotonic()
        with (log_folder / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(  # type: ignore[call-overload]
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
                cwd="/",
                start_new_session=True,
                **self.popen,
            )

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Ask it to end, wait, then end everything left in its session."""
        if self.process is None:
            return
        if self.process.poll() is None:
            with suppress(ProcessLookupError):
                self.process.send_signal(self.stop_signal)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(self.stop_seconds)
        end_sessions({self.process.pid}, grace_seconds=1.0)
        self.process.wait()


class SessionBook:
    """Which sessions are ours, on disk, so that another process can end what a killed launcher left."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def record(self, leaders: Iterable[int]) -> None:
        entries = {}
        for pid in leaders:
            with suppress(*GONE):
                entries[str(pid)] = psutil.Process(pid).create_time()
        unfinished = self.path.with_suffix(".making")
        unfinished.write_text(json.dumps(entries))
        unfinished.rename(self.path)

    def sessions(self) -> set[int]:
        """Recorded sessions whose leader's pid has not been given to a stranger since."""
        if not self.path.exists():
            return set()
        ours = set()
        for pid, created in json.loads(self.path.read_text()).items():
            try:
                if abs(psutil.Process(int(pid)).create_time() - created) < 1:
                    ours.add(int(pid))
            except GONE:
                ours.add(int(pid))  # its children may live; their session keeps the number from being reused
        return ours

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except GONE:
        return False


def members(sessions: set[int]) -> list[psutil.Process]:
    """Living processes of the given sessions, this one apart."""
    found = []
    for process in psutil.process_iter():
        with suppress(ProcessLookupError, *GONE):
            if process.pid != os.getpid() and os.getsid(process.pid) in sessions and is_alive(process):
                found.append(process)
    return found


def marked(var: Path) -> list[psutil.Process]:
    """Living processes that carry this installation's mark in their environment, this one and its parents apart."""
    spared = {os.getpid(), *(p.pid for p in psutil.Process().parents())}
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.AccessDenied, *GONE):
            if process.pid not in spared and process.environ().get(STACK_VARIABLE) == str(var) and is_alive(process):
                found.append(process)
    return found


def end(processes: list[psutil.Process], grace_seconds: float) -> None:
    """SIGTERM (a fast shutdown for PostgreSQL), wait, SIGKILL."""
    for process in processes:
        with suppress(*GONE):
            process.send_signal(signal.SIGINT if process.name() == "postgres" else signal.SIGTERM)
    alive = _outlasting(processes, grace_seconds)
    for process in alive:
        with suppress(*GONE):
            process.kill()
    _outlasting(alive, 5)


def _outlasting(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those that still live then. A zombie has ended: when its parent, or a container's init, looks is their affair."""
    deadline = time.monotonic() + seconds
    while (alive := [p for p in processes if is_alive(p)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return alive


def end_sessions(sessions: set[int], grace_seconds: float) -> None:
    """End every process of the sessions; databases last, so that the others can finish their writes."""
    left = members(sessions)
    databases = [p for p in left if _name(p) == "postgres"]
    end([p for p in left if p not in databases], grace_seconds)
    # The postmaster alone is told; it ends its own children in order.
    postmasters = [p for p in databases if _parent(p) not in {q.pid for q in databases}]
    end(postmasters, max(grace_seconds, 10.0))


def _name(process: psutil.Process) -> str:
    try:
        return str(process.name())
    except GONE:
        return ""


def _parent(process: psutil.Process) -> int:
    try:
        return int(process.ppid())
    except GONE:
        return 0


def sweep(var: Path, book: SessionBook, grace_seconds: float = 10.0) -> int:
    """End whatever an earlier launcher of this installation left behind; how many processes there were."""
    sessions = book.sessions()
    left = {p.pid for p in members(sessions)} | {p.pid for p in marked(var)}
    end_sessions(sessions, grace_seconds)
    end(marked(var), grace_seconds)
    book.forget()
    return len(left)
