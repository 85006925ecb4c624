"""What an injection is, and the ways most of them take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from benchmarks.prove_alerts.packets import WELL
from benchmarks.prove_alerts.stage import Stage

Deed = Callable[[Stage], None]


@dataclass(frozen=True, slots=True)
class Injection:
    """inject: brings the cause about. mend: takes it away; nothing to do where the cause was a single event.

    series: how many label sets the alert is to fire for.
    """

    alert: str
    cause: str
    inject: Deed
    mend: Deed
    series: int = 1


def once(alert: str, cause: str, packet: str) -> Injection:
    """A single packet."""
    return Injection(alert, f"{cause} (packet imitated)", lambda s: s.pump.send(packet), lambda s: None)


def going_on(alert: str, cause: str, key: str, packet: str) -> Injection:
    """A packet each second; where the key is one of a pipeline that is well, its packet stops for so long."""

    def inject(stage: Stage) -> None:
        stage.pump.packets[key] = packet

    def mend(stage: Stage) -> None:
        stage.pump.packets.pop(key)
        if key in WELL:
            stage.pump.packets[key] = WELL[key]

    return Injection(alert, f"{cause} (packets imitated)", inject, mend)


def silence(alert: str, part: str) -> Injection:
    """A part of Airflow dies."""
    return Injection(
        alert,
        f"kill -9 of a real {part}, restart withheld",
        lambda s: s.airflow.parts[part].kill(),
        lambda s: s.airflow.parts[part].start(),
    )


def row(alert: str, cause: str, statement: str, back: str, database: str = "warehouse") -> Injection:
    """A statement in a database, and another that undoes it."""
    return Injection(
        alert, cause, lambda s: s.databases.run(database, statement), lambda s: s.databases.run(database, back)
    )


def ago(**times: float) -> datetime:
    return datetime.now(UTC) - timedelta(**times)
