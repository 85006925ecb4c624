"""A service of the compose file, turned into a room and a command: what stands in for its image on this machine."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.containers.room import PATH, Mount, Room
from include.stack.layout import ROOT
from include.stack.postgres import find_binaries

OURS = "crypto-market-airflow:"
# Owner of a fresh volume, as the image has it; ours are Airflow's.
USERS = {"postgres:": "999:999", "redis:": "999:999"}
# No program of theirs can be had here.
ABSENT = {"grafana", "cadvisor"}
EXPORTER = ["python", "-m", "include.cli", "statsd-receiver", "--mapping", "/mapping.yml"]
EXPORTER += ["--statsd-port", "9125", "--http-port", "9102"]
# By service: what the image would start, before or instead of the file's own command.
PROGRAMS = {
    "prometheus": ["prometheus"],
    "node-exporter": ["prometheus-node-exporter"],
    "sql-exporter": ["prometheus-sql-exporter", "-config.file=/etc/sql_exporter/config.yml"],
}
POSTGRES = """
initdb --pgdata /var/lib/postgresql/data --username postgres --pwfile /tmp/password $POSTGRES_INITDB_ARGS
rm /tmp/password
echo 'host all all all scram-sha-256' >> /var/lib/postgresql/data/pg_hba.conf
exec "$@" -D /var/lib/postgresql/data -c listen_addresses='*'
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a rehearsal keeps its things."""

    work: Path
    image: Path
    hosts: Path


def missing(name: str) -> str | None:
    """Why this service cannot be rehearsed here; None where it can."""
    if name in ABSENT:
        return "no program of it on this machine"
    needed = {"redis": "redis-server", "alertmanager": "prometheus-alertmanager"}.get(name) or PROGRAMS.get(name, [""])[
        0
    ]
    return None if not needed or shutil.which(needed) else f"{needed} is not installed"


def room(name: str, service: dict[str, Any], place: Place, replica: int = 1) -> Room:
    """The room of one replica of the service."""
    ours = service["image"].startswith(OURS)
    user = service.get("user") or ("50000:0" if ours else "65534:65534")
    host = name if replica == 1 else f"{name}-{replica}"
    mounts = [
        Mount("/opt/airflow", str(place.image / "airflow"), read_only=True),
        Mount("/opt/venv", str(ROOT / ".venv"), read_only=True),
        Mount("/opt/bin", str(place.image / "bin"), read_only=True),
        Mount("/etc/passwd", str(place.image / "passwd"), read_only=True),
        Mount("/etc/hosts", str(place.hosts), read_only=True),
        *(Mount(each.split(":")[0]) for each in service.get("tmpfs", [])),
        *(_volume(each, user, place) for each in service.get("volumes", [])),
    ]
    environment = {
        "PATH": PATH.format(postgresql=find_binaries(place.work).folder),
        "HOME": "/home/airflow",
        "PYTHONPATH": "/opt/airflow:/opt/airflow/plugins",
        "PYTHONUNBUFFERED": "1",
        "AIRFLOW_HOME": "/opt/airflow",
        **{key: str(value) for key, value in (service.get("environment") or {}).items() if value is not None},
    }
    return Room(host, place.work / "rooms" / host, mounts, environment, user, place.work / "log" / f"{host}.log")


def _volume(volume: dict[str, Any], user: str, place: Place) -> Mount:
    if volume["type"] == "bind":
        return Mount(volume["target"], volume["source"], read_only=volume.get("read_only", False))
    folder = place.work / "volumes" / volume["source"]
    if not folder.exists():
        folder.mkdir(parents=True)
        uid, gid = (int(part) for part in user.split(":"))
        shutil.chown(folder, uid, gid)
        folder.chmod(0o700 if uid == 999 else 0o775)
    return Mount(volume["target"], str(folder))


def command(name: str, service: dict[str, Any]) -> list[str]:
    """What the container would run: entrypoint and command, the image's own where the file names none."""
    given = _words(service.get("command"))
    entrypoint = _words(service.get("entrypoint"))
    if entrypoint:
        return entrypoint + given
    if name == "statsd-exporter":
        return EXPORTER
    if name == "postgres":
        return ["sh", "-euc", 'printf %s "$POSTGRES_PASSWORD" > /tmp/password' + POSTGRES, "-", *given]
    if service["image"].startswith(OURS):  # Airflow's own entrypoint
        return given if given[0] in ("bash", "python") else ["airflow", *given]
    return [*PROGRAMS[name], *given]


def health(service: dict[str, Any]) -> list[str]:
    """The health check as a command."""
    kind, *words = _words(service["healthcheck"]["test"])
    if service["image"].startswith("prom/statsd-exporter:"):  # our receiver's own page
        words = [word.replace("/-/healthy", "/health") for word in words]
    return ["sh", "-c", words[0]] if kind == "CMD-SHELL" else words


def _words(value: str | list[str] | None) -> list[str]:
    # In its answer Compose doubles every `$` that is none of its own.
    return [word.replace("$$", "$") for word in ([value] if isinstance(value, str) else value or [])]
