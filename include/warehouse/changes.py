"""The work list between writers and the consumers of what they wrote: ranges, and receipts for those dealt with.

Receipts rather than a highest id: ids are handed out before the commit, so a lower one may appear after a higher.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from include.warehouse.connection import Connection
from include.warehouse.sql import statement

# Who must have dealt with a change before it is forgotten. A consumer that is not named here misses what is.
CONSUMERS = {"candle": ("features", "transforms", "transforms.ranking"), "fear_greed": ("features",)}
# sql/checks/series.sql looks at the changes of the last hours (CHANGED_HOURS), and at the newest 10,000 ids of all
# datasets; two days leave room for an installation that was down.
KEPT_FOR = timedelta(days=2)
KEPT_IDS = 10_000


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
    """Give receipts; call it in the transaction that wrote what the changes asked for. Repeatable.

    A change that was forgotten meanwhile, since another run acknowledged it, needs none.
    """
    values = {"consumer": consumer, "change_ids": [change.change_id for change in changes]}
    connection.execute(statement("changes/insert_receipts.sql"), values)


def forget_consumed(connection: Connection, now: datetime, kept_ids: int = KEPT_IDS) -> int:
    """Delete changes that all consumers of their dataset have acknowledged, and their receipts; answers how many.

    Those recorded within KEPT_FOR of `now` (UTC) stay, the newest `kept_ids` too, and datasets nobody consumes.
    """
    forgotten = 0
    for dataset, consumers in CONSUMERS.items():
        values = {
            "dataset": dataset,
            "consumers": list(consumers),
            "older_than": now - KEPT_FOR,
            "kept_ids": kept_ids,
        }
        forgotten += connection.execute(statement("changes/delete_consumed.sql"), values).rowcount
    return forgotten
