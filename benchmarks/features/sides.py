"""Warehouses, tuned alike, that hold the same candles: one for our features, one for what they are compared to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from benchmarks.features.history import HOUR, fear_greed, hours, market
from benchmarks.ingest.database import warehouse
from include.candles.batch import CandleBatch
from include.candles.timeframes import EPOCH
from include.features.blocks import BLOCK_BARS, bar_number, block_start
from include.features.schema import install_features
from include.warehouse.candles import upsert_candles
from include.warehouse.connection import Connection, connect
from include.warehouse.fear_greed import upsert_fear_greed
from include.warehouse.instruments import ensure_instrument

# The history ends in the middle of a block: an hour there costs neither the least nor the most that an hour costs.
ENDS_AT = EPOCH + (block_start(bar_number(datetime(2025, 1, 1, tzinfo=UTC), "1h")) + BLOCK_BARS // 2) * HOUR
KNOWN = ENDS_AT + timedelta(days=60)
_INDEX_SINCE = datetime(2018, 2, 1, tzinfo=UTC)  # as alternative.me publishes it


@dataclass(slots=True)
class Side:
    """A warehouse with a history in it, and the hours that come after it. `dsn` is the writer's."""

    dsn: str
    writer: Connection
    owner: Connection
    instruments: tuple[int, ...]
    coming: tuple[CandleBatch, ...]
    hours_added: int = 0

    def add_hour(self) -> None:
        """One new candle for every market."""
        for instrument_id, batch in zip(self.instruments, self.coming, strict=True):
            put(self.writer, instrument_id, batch[self.hours_added : self.hours_added + 1], KNOWN)
        self.hours_added += 1

    def timed(self, work: Callable[[], object]) -> tuple[float, float]:
        """Milliseconds the work took, and those of processor time of this process and of its backend.

        The second do not grow where other processes keep the processors busy.
        """
        backend = psutil.Process(self.writer.info.backend_pid)
        before, began, own = backend.cpu_times(), time.perf_counter(), time.process_time()
        work()
        took, own, after = time.perf_counter() - began, time.process_time() - own, backend.cpu_times()
        served = after.user + after.system - before.user - before.system
        return took * 1000, (own + served) * 1000

    def settle(self) -> None:
        """What autovacuum would have done by now."""
        settle(self.owner)


def settle(owner: Connection) -> None:
    """Vacuum and statistics of what was loaded."""
    owner.execute("vacuum analyze market.candle, market.fear_greed, features.candle_feature, ops.change_range")


def put(connection: Connection, instrument_id: int, batch: CandleBatch, recorded_at: datetime) -> int:
    """Candles into the warehouse; answers how many were new or changed."""
    counts = upsert_candles(
        connection, instrument_id, "1h", batch, source="benchmark", world="synthetic", recorded_at=recorded_at
    )
    return counts.new + counts.changed


def put_index(connection: Connection) -> None:
    """Fear & Greed from its beginning to well after the history."""
    index = fear_greed(_INDEX_SINCE.date(), (ENDS_AT + timedelta(days=30)).date())
    upsert_fear_greed(connection, index, source="benchmark", world="synthetic", recorded_at=KNOWN)


@contextmanager
def sides(count: int, scratch: Path, histories: Sequence[CandleBatch], rows: int) -> Iterator[list[Side]]:
    """`count` warehouses with the first `rows` candles of each history; what is left of them is still to come."""
    with ExitStack() as stack:
        made = []
        for number in range(count):
            dsns = stack.enter_context(warehouse(scratch / str(number)))
            owner = stack.enter_context(connect(dsns.owner))
            install_features(owner)
            writer = stack.enter_context(connect(dsns.writer))
            put_index(writer)
            instruments = tuple(ensure_instrument(writer, market(place)) for place in range(len(histories)))
            for instrument_id, history in zip(instruments, histories, strict=True):
                put(writer, instrument_id, history[:rows], KNOWN)
            coming = tuple(history[rows:] for history in histories)
            made.append(Side(dsns.writer, writer, owner, instruments, coming))
        yield made


def histories(markets: int, rows: int, coming: int) -> list[CandleBatch]:
    """`rows` candles that end at ENDS_AT and `coming` more, for each market."""
    return [hours(rows + coming, ENDS_AT + coming * HOUR, number) for number in range(markets)]
