"""The work list between writers and the consumers of what they wrote: ranges, and receipts for those dealt with.

Receipts rather than a highest id: ids are handed out before the commit, so a lower one may appear after a higher.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from include.warehouse.connection import Connection
from include.warehouse.sql import statement


class Change(NamedTuple):
    """A half-open range [start, end) of open times (UTC) that was written.

    instrument_id and timeframe are None where the dataset has none (fear_greed).
    """

    change_id: int
    instrument_id: int | None
    timeframe: str | None
    start: datetime
    end: datetime


def pending_changes(connection: Connection, consumer: str, dataset: str = "candle") -> list[Change]:
    """Changes the consumer has not acknowledged, grouped by instrument and timeframe, oldest data first."""
    values = {"consumer": consumer, "dataset": dataset}
    return [Change(*row) for row in connection.execute(statement("changes/select_pending.sql"), values)]


def acknowledge(connection: Connection, consumer: str, changes: Iterable[Change]) -> None:
    """Give receipts; call it in the transaction that wrote what the changes asked for. Repeatable."""
    connection.execute(
        "insert into ops.change_receipt (consumer, change_id) select %s, unnest(%s::bigint[]) on conflict do nothing",
        (consumer, [change.change_id for change in changes]),
    )


def forget_consumed(
    connection: Connection, consumers: Sequence[str], older_than: datetime, dataset: str = "candle"
) -> int:
    """Delete changes recorded before `older_than` that all `consumers` have acknowledged; answers how many.

    Raises ValueError for no consumers, which would forget what nobody has seen.
    """
    if not consumers:
        raise ValueError("name the consumers whose receipts allow a change to be forgotten")
    values = {"consumers": list(consumers), "older_than": older_than, "dataset": dataset}
    return connection.execute(statement("changes/delete_consumed.sql"), values).rowcount
