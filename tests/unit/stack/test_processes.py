"""Real process trees: ours are found and ended whole, whoever started them; a stranger's are never touched."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from include.stack import launcher
from include.stack.environment import STACK_VARIABLE
from include.stack.launcher import AlreadyRunningError, Stack, read_lock
from include.stack.layout import ROOT, Layout, Ports
from include.stack.processes import Component, SessionBook, end, is_alive, marked, members, sweep

# A child, and a grandchild that leaves for a session of its own, as Airflow's task supervisors do. Prints both pids.
TREE = """
import os, subprocess, sys, time
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print(os.getpid(), grandchild.pid, flush=True)
{then}
"""
# A launcher as it is between its start and its end, with one component; `then` says how it goes on.
LAUNCHER = """
import os, sys, time
from pathlib import Path
from include.stack.launcher import Stack
from include.stack.layout import Layout, Ports
from include.stack.processes import Component

var, code, mark = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
stack = Stack(Layout(var, "live"), Ports(), None, print)
stack._take_lock()
stack.layout.make()
stack._reaper = stack._start_reaper()
environment = {{**os.environ, mark: str(var)}}
stack._launch([Component("tree", [sys.executable, "-c", code], environment, lambda: True)])
print("ready", flush=True)
{then}
"""

Spawn = Callable[..., tuple[subprocess.Popen[str], list[int]]]


def until(condition: Callable[[], bool], seconds: float = 15) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def alive(pid: int) -> bool:
    try:
        return is_alive(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    """`spawn(code, *arguments, mark=var)` starts Python in a session of its own, gives it and the pids it prints."""
    started: list[subprocess.Popen[str]] = []
    known: set[int] = set()

    def start(code: str, *arguments: str, mark: Path | None = None) -> tuple[subprocess.Popen[str], list[int]]:
        environment = {k: v for k, v in os.environ.items() if k != STACK_VARIABLE}
        environment |= {STACK_VARIABLE: str(mark)} if mark else {}
        command = [sys.executable, "-c", code, *arguments]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT, start_new_session=True
        )
        started.append(process)
        assert process.stdout
        pids = [int(word) for word in process.stdout.readline().split() if word.isdigit()]
        known.update(pids)
        return process, pids

    yield start
    for pid in {*known, *(process.pid for process in started)}:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for process in started:
        process.wait(5)
        assert process.stdout
        process.stdout.close()


def tree(then: str) -> str:
    return TREE.format(then=then)


LINGER = "time.sleep(600)"


def test_sweep_ends_a_recorded_session_and_a_marked_grandchild_outside_it(tmp_path: Path, spawn: Spawn) -> None:
    leader, (child, grandchild) = spawn(tree(LINGER), mark=tmp_path)
    assert os.getsid(grandchild) != os.getsid(child)
    stranger, _ = spawn("import time; print(1, flush=True); time.sleep(600)", mark=tmp_path / "another")
    book = SessionBook(tmp_path / "sessions.json")
    book.record([leader.pid])
    assert sweep(tmp_path, book) == 2
    assert not alive(child)
    assert not alive(grandchild)
    assert alive(stranger.pid)
    assert not book.path.exists()
    assert sweep(tmp_path, book) == 0


def test_sweep_finds_orphans_whose_leader_died(tmp_path: Path, spawn: Spawn) -> None:
    # The leader ends at once; a child stays behind in its session, and carries no mark.
    code = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], stdout=subprocess.DEVNULL)
print(child.pid, flush=True)
sys.stdin.readline()
"""
    leader = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert leader.stdout
    assert leader.stdin
    orphan = int(leader.stdout.readline())
    book = SessionBook(tmp_path / "sessions.json")
    book.record([leader.pid])
    leader.communicate("\n")
    try:
        assert alive(orphan)
        assert sweep(tmp_path, book) == 1
        assert not alive(orphan)
    finally:
        with suppress(ProcessLookupError):
            os.kill(orphan, signal.SIGKILL)


def test_a_pid_that_was_given_to_a_stranger_is_not_ours(tmp_path: Path, spawn: Spawn) -> None:
    stranger, _ = spawn("import time; print(1, flush=True); time.sleep(600)")
    book = SessionBook(tmp_path / "sessions.json")
    book.path.write_text(json.dumps({str(stranger.pid): psutil.Process(stranger.pid).create_time() - 100}))
    assert book.sessions() == set()
    assert sweep(tmp_path, book) == 0
    assert alive(stranger.pid)


def test_the_deaf_are_killed_after_their_grace(tmp_path: Path, spawn: Spawn) -> None:
    # The pids are printed after the handler stands, so that the signal cannot come first.
    code = "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(os.getpid(), flush=True)"
    _, (pid,) = spawn(f"{code}; time.sleep(600)", mark=tmp_path)
    began = time.monotonic()
    end(marked(tmp_path), grace_seconds=0.3)
    assert not alive(pid)
    assert 0.3 <= time.monotonic() - began < 4


def test_neither_this_process_nor_its_parents_are_found(tmp_path: Path) -> None:
    code = """
import os, sys
from pathlib import Path
from include.stack.processes import marked, members
print(*(p.pid for p in marked(Path(sys.argv[1]))), "of", os.getpid(), os.getppid())
print([p.pid for p in members({os.getsid(0)})] == [os.getppid()])
"""
    # A shell that waits for Python: a marked parent of the one that looks, leader of its session.
    command = ["sh", "-c", '"$@"; exit 0', "sh", sys.executable, "-c", code, str(tmp_path)]
    environment = {**os.environ, STACK_VARIABLE: str(tmp_path)}
    done = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True, start_new_session=True
    )
    assert done.stdout.startswith("of ")
    assert done.stdout.endswith("True\n")


def test_a_component_is_started_apart_logged_and_ended_whole(tmp_path: Path) -> None:
    code = tree(LINGER).replace("start_new_session=True", "start_new_session=False")
    component = Component("tree", [sys.executable, "-c", code], dict(os.environ), lambda: True, stop_seconds=5)
    component.stop()  # nothing was started
    component.start(tmp_path)
    assert component.process
    log = tmp_path / "tree.log"
    assert until(lambda: len(log.read_text().split()) == 2)
    child, grandchild = map(int, log.read_text().split())
    assert os.getsid(child) == os.getsid(grandchild) == component.process.pid
    assert component.is_running
    component.stop()
    assert not component.is_running
    assert not alive(child)
    assert not alive(grandchild)
    component.start(tmp_path)
    assert until(lambda: len(log.read_text().split()) == 4), "a second start appends to the log"
    component.stop()


def test_a_second_launcher_is_refused_and_the_firsts_processes_go_on(
    tmp_path: Path, spawn: Spawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "LOCK_SECONDS", 0.5)
    first, _ = spawn(
        LAUNCHER.format(then="print(stack.components[0].process.pid, flush=True); time.sleep(600)"),
        str(tmp_path),
        tree(LINGER),
        STACK_VARIABLE,
    )
    assert first.stdout
    leader = int(first.stdout.readline())
    log = tmp_path / "log" / "tree.log"
    assert until(lambda: len(log.read_text().split()) == 2)
    child, grandchild = map(int, log.read_text().split())
    (tmp_path / "world").write_text("live")
    assert read_lock(tmp_path) == first.pid
    second = Stack(Layout(tmp_path, "live"), Ports(), None, print)
    try:
        with pytest.raises(AlreadyRunningError, match=rf"launcher pid {first.pid}, world live.*make down"):
            second.start()
        second.stop()
        time.sleep(0.3)
        assert leader == child
        assert all(map(alive, (first.pid, child, grandchild)))
        assert read_lock(tmp_path) == first.pid
        assert SessionBook(tmp_path / "sessions.json").sessions() == {leader}
    finally:
        first.kill()
        assert until(lambda: not alive(child) and not alive(grandchild))


def test_the_reaper_ends_everything_when_the_launcher_is_killed(tmp_path: Path, spawn: Spawn) -> None:
    stranger, _ = spawn("import time; print(1, flush=True); time.sleep(600)")
    launched, _ = spawn(LAUNCHER.format(then="time.sleep(600)"), str(tmp_path), tree(LINGER), STACK_VARIABLE)
    log = tmp_path / "log" / "tree.log"
    assert until(lambda: len(log.read_text().split()) == 2)
    child, grandchild = map(int, log.read_text().split())
    launched.kill()
    launched.wait()
    assert until(lambda: not alive(child) and not alive(grandchild))
    assert alive(stranger.pid)
    # The next start gets the lock as soon as the reaper is done with it.
    third = Stack(Layout(tmp_path, "live"), Ports(), None, print)
    third._take_lock()
    assert read_lock(tmp_path) == os.getpid()
    third.stop()
    assert read_lock(tmp_path) is None


def test_the_supervisor_outlasts_a_restart_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    stack = Stack(Layout(tmp_path, "live"), Ports(), None, said.append)
    stack._take_lock()
    stack.layout.make()
    component = Component("short", [sys.executable, "-c", ""], dict(os.environ), lambda: True)
    real, failures = Component.start, [OSError(11, "Resource temporarily unavailable")]

    def start(self: Component, log_folder: Path) -> None:
        if self.restarts and failures:
            raise failures.pop()
        real(self, log_folder)

    monkeypatch.setattr(Component, "start", start)
    monkeypatch.setattr(launcher, "RESTART_SECONDS", (0,))
    stack._launch([component], wait=False)
    stack._watcher = threading.Thread(target=stack._watch)
    stack._watcher.start()
    try:
        assert until(lambda: component.restarts >= 3)
        assert any("short could not be started: [Errno 11]" in line for line in said)
    finally:
        stack.stop()


def test_a_clean_stop_ends_the_tree_and_leaves_no_lock(tmp_path: Path, spawn: Spawn) -> None:
    launched, _ = spawn(
        LAUNCHER.format(then="time.sleep(0.5); stack.stop(); stack.stop()"), str(tmp_path), tree(LINGER), STACK_VARIABLE
    )
    assert launched.wait(20) == 0
    child, grandchild = map(int, (tmp_path / "log" / "tree.log").read_text().split())
    assert not alive(child)
    assert not alive(grandchild)
    assert read_lock(tmp_path) is None
    assert marked(tmp_path) == []
    assert members({child}) == []
