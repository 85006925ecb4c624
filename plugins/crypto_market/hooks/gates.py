"""The shared request budget of a source's host, as a task enters it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from airflow.providers.http.hooks.http import HttpHook

from crypto_market.hooks.warehouse import warehouse_dsn

if TYPE_CHECKING:
    from include.politeness.gate import HostGate

PriorityName = Literal["live", "repair", "backfill"]

_waited_seconds = 0.0  # by gates of this process that are closed


def seconds_waited() -> float:
    """Seconds this process has slept for request budgets, as far as the gates are closed again."""
    return _waited_seconds


@contextmanager
def gate(source: str, priority: PriorityName, warehouse_conn_id: str = "warehouse") -> Iterator[HostGate]:
    """The gate before `source`, with our default limits or those in its connection's extra `limits`.

    Such an extra is a list of pairs of units and seconds, e.g. `[[1200, 60]]`; ValueError where it is something else.
    """
    from include.politeness.gate import gate_for
    from include.politeness.limits import read_limits
    from include.politeness.priority import Priority

    given = HttpHook.get_connection(source).extra_dejson.get("limits")
    limits = read_limits(given) if given is not None else None
    with gate_for(source, Priority(priority), warehouse_dsn(warehouse_conn_id), limits) as opened:
        try:
            yield opened
        finally:
            global _waited_seconds
            _waited_seconds += opened.waited_seconds
