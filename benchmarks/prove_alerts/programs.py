"""Programs beside us: found on PATH, started in sessions of their own, ended whole."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from include.stack.layout import ROOT

PACKAGES = {"prometheus": "prometheus", "prometheus-alertmanager": "prometheus-alertmanager"}
START_SECONDS = 60


class ProofError(RuntimeError):
    """The proof cannot be made here; the message says why and what to do."""


def find(name: str) -> str:
    """Path of one of Debian's programs. Raises ProofError naming the packages."""
    found = shutil.which(name)
    if found is None:
        raise ProofError(f"{name} is not on PATH (Debian: apt-get install {' '.join(PACKAGES.values())})")
    return found


def free_ports(count: int) -> list[int]:
    """TCP ports of the loopback interface nobody listens on now, no two the same."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


class Program:
    """One process; its output goes to `<name>.log` in the folder. url: answers when it is up; None: nobody waits."""

    def __init__(
        self, name: str, command: list[str], folder: Path, url: str | None, environ: Mapping[str, str]
    ) -> None:
        self.name, self.command, self.log, self.url = name, command, folder / f"{name}.log", url
        self.environ = {**os.environ, **environ}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it answers. Raises ProofError with the end of its log."""
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command, stdout=out, stderr=out, cwd=ROOT, env=self.environ, start_new_session=True
            )
        deadline = time.monotonic() + START_SECONDS
        while self.url is not None and not answers(self.url):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise ProofError(f"{self.name} does not come up:\n{self.log.read_text(errors='replace')[-1500:]}")
            time.sleep(0.1)

    def kill(self) -> None:
        """kill -9, as an accident would."""
        self._end(signal.SIGKILL)

    def hang_up(self) -> None:
        """Let it read its configuration again."""
        if self.process is not None:
            self.process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, number)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()


def answers(url: str) -> bool:
    """Whether a GET is answered with 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - loopback addresses of ours
            return bool(response.status == 200)
    except OSError:
        return False


def receiver(name: str, folder: Path, statsd: int, http: int, environ: Mapping[str, str]) -> Program:
    """Our StatsD receiver; it shows the facts of the databases that the environment names."""
    command = [sys.executable, "-m", "include.cli", "statsd-receiver"]
    command += ["--statsd-port", str(statsd), "--http-port", str(http)]
    return Program(name, command, folder, f"http://127.0.0.1:{http}/health", environ)
