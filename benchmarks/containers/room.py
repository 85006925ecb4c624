"""A room for one service: what a container is without an engine.

Namespaces of its own for mounts and the host name, a read-only root made of this machine's system folders, and on it
what the compose file says: volumes, files, memory for /tmp, a user without rights. The network is one for all, apart
from the machine's; nothing limits memory or processors.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from include.stack.layout import ROOT

SYSTEM = ("bin", "lib", "lib32", "lib64", "sbin", "usr")
KERNEL = ("dev", "proc", "sys")
PATH = "/opt/bin:/opt/venv/bin:{postgresql}:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
USERS = """root:x:0:0::/root:/bin/sh
postgres:x:999:999::/tmp:/bin/sh
airflow:x:50000:0::/home/airflow:/bin/sh
nobody:x:65534:65534::/:/bin/sh
"""


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder or file seen at `target`; `source` empty: memory."""

    target: str
    source: str = ""
    read_only: bool = False


@dataclass(slots=True)
class Room:
    """One service's room; `enter` starts a program in it, `inside` runs another one there."""

    name: str
    folder: Path
    mounts: list[Mount]
    environment: dict[str, str]
    user: str
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None)

    def enter(self, command: list[str]) -> None:
        root = self.folder / "root"
        root.mkdir(parents=True)
        script = "\n".join(
            [*self._build(str(root)), f"hostname {shlex.quote(self.name)}", self._go(str(root), command)]
        )
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "--uts", "--propagation", "private", "sh", "-euc", script],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def inside(self, command: list[str], seconds: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a command where the service runs, as its user, with its environment."""
        where = ["nsenter", "--target", str(self.running.pid), "--mount", "--uts", "--root"]
        whole = [*where, *self._as_user(), "sh", "-c", 'cd /opt/airflow; exec "$@"', "-", *command]
        try:
            return subprocess.run(whole, capture_output=True, text=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired as late:
            return subprocess.CompletedProcess(whole, 124, str(late.stdout), str(late.stderr))

    @property
    def running(self) -> subprocess.Popen[bytes]:
        if self.process is None:
            raise RuntimeError(f"{self.name} was not entered")
        return self.process

    def _build(self, root: str) -> list[str]:
        lines = [f"mount -t tmpfs -o mode=755,size=64m tmpfs {root}"]
        for name in SYSTEM:
            at = Path("/", name)
            if at.is_symlink():
                lines.append(f"ln -s {os.readlink(at)} {root}/{name}")
            elif at.is_dir():
                lines += [f"mkdir {root}/{name}", *_bind(f"/{name}", f"{root}/{name}", read_only=True)]
        lines += [f"mkdir -p {root}/{name} && mount --rbind /{name} {root}/{name}" for name in KERNEL]
        # Not mounted as they are: files of the compose file are placed in them.
        lines += [f"cp -r --dereference /etc {root}/etc 2>/dev/null || true"]
        lines += [f"cd {root}", "mkdir -p home/airflow run tmp var/lib", "ln -s /run var/run", "cd /"]
        lines += self._python(root)
        for mount in self.mounts:
            lines += _place(mount, root)
        return [*lines, f"mount -o remount,ro {root}"]

    @staticmethod
    def _python(root: str) -> list[str]:
        """The interpreter beneath the virtual environment, where it lies in none of the system's folders."""
        base = sys.base_prefix
        if base.split(os.sep)[1] in SYSTEM:
            return []
        return [f"mkdir -p {root}{base}", *_bind(base, f"{root}{base}", read_only=True)]

    def _go(self, root: str, command: list[str]) -> str:
        whole = ["chroot", root, *self._as_user(), "sh", "-c", 'cd /opt/airflow; exec "$@"', "-", *command]
        return "exec " + shlex.join(whole)

    def _as_user(self) -> list[str]:
        uid, gid = self.user.split(":")
        rights = ["--clear-groups", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
        environment = [f"{name}={value}" for name, value in self.environment.items()]
        return ["setpriv", f"--reuid={uid}", f"--regid={gid}", *rights, "env", "-i", *environment]


def _bind(source: str, target: str, *, read_only: bool) -> list[str]:
    remount = [f"mount -o remount,ro,bind {target}"] if read_only else []
    return [f"mount --bind {source} {target}", *remount]


def _place(mount: Mount, root: str) -> list[str]:
    at = f"{root}{mount.target}"
    if not mount.source:
        return [f"mkdir -p {at}", f"mount -t tmpfs -o mode=1777,size=256m tmpfs {at}"]
    if mount.source == "/":
        return [f"mkdir -p {at}", f"mount --rbind / {at}", f"mount -o remount,ro,bind {at}"]
    if Path(mount.source).is_dir():
        return [f"mkdir -p {at}", *_bind(mount.source, at, read_only=mount.read_only)]
    made = f'test -e {at} || {{ mkdir -p "$(dirname {at})" && : > {at}; }}'
    return [made, *_bind(mount.source, at, read_only=mount.read_only)]


def image(folder: Path) -> Path:
    """What the Dockerfile copies and makes in /opt/airflow, with the programs it puts on PATH; gives the folder."""
    made = folder / "image"
    (made / "airflow").mkdir(parents=True)
    for name in ("airflow_settings.yaml", "deploy", "sql", "include", "plugins", "dags", "requirements.txt"):
        subprocess.run(["cp", "-r", ROOT / name, made / "airflow"], check=True)
    for name in ("archive", "mlflow", "state", "backup", "logs"):
        (made / "airflow" / name).mkdir()
    (made / "airflow/airflow.cfg").touch()
    programs = {"airflow": 'python -m airflow "$@"', "alertmanager": 'prometheus-alertmanager "$@"'}
    (made / "bin").mkdir()
    for name, program in programs.items():
        (made / "bin" / name).write_text(f"#!/bin/sh\nexec {program}\n")
        (made / "bin" / name).chmod(0o755)
    (made / "passwd").write_text(USERS)
    return made
