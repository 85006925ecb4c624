"""Pages of candles into the warehouse: rows, refused rows and the evidence of the answer, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from include.candles.batch import CandleBatch, concat
from include.candles.model import Candle
from include.collect.archive_pages import SourcedPage
from include.collect.month_close import record_archive_file
from include.collect.outcome import CollectOutcome
from include.config.markets import Market
from include.coverage.attest import attest
from include.venues.model import CandlePage
from include.warehouse.candles import upsert_candles
from include.warehouse.connection import Connection
from include.warehouse.quarantine import quarantine_rows
from include.warehouse.staging import UpsertCounts

ROWS_AT_ONCE = 20_000  # candles of one transaction: few commits, bounded memory


class SeriesAt(NamedTuple):
    """A series of candles, and the time (UTC) at which it is asked for."""

    instrument_id: int
    market: Market
    timeframe: str
    now: datetime


class Stored(NamedTuple):
    """What became of some pages, whose answers speak from `start` on."""

    outcome: CollectOutcome
    start: datetime


def store_pages(connection: Connection, series: SeriesAt, pages: Iterable[SourcedPage]) -> Iterator[Stored]:
    """Store the pages, some at a time in the order they come; each time is whole or not at all.

    What was fetched before an error of the venue is stored, and then the error raised.
    """
    waiting: list[SourcedPage] = []
    rows = 0
    remaining = iter(pages)
    while True:
        try:
            sourced = next(remaining, None)
        except Exception:
            if waiting:
                yield _store(connection, series, waiting)
            raise
        is_full = rows >= ROWS_AT_ONCE
        if waiting and (sourced is None or is_full or sourced.page.source != waiting[-1].page.source):
            yield _store(connection, series, waiting)
            waiting, rows = [], 0
        if sourced is None:
            return
        waiting.append(sourced)
        rows += len(sourced.page.candles)


def _store(connection: Connection, series: SeriesAt, pages: Sequence[SourcedPage]) -> Stored:
    market, timeframe, now = series.market, series.timeframe, series.now
    with connection.transaction():
        counts = UpsertCounts()
        for candles in _alike([each.page for each in pages]):
            first = pages[0].page
            counts = counts.plus(
                upsert_candles(
                    connection,
                    series.instrument_id,
                    timeframe,
                    candles,
                    source=first.source,
                    world=first.world,
                    recorded_at=now,
                )
            )
        rejected = 0
        for page, file in pages:
            rejected += quarantine_rows(
                connection,
                page.rejected,
                source=page.source,
                request=page.request,
                world=page.world,
                recorded_at=now,
                instrument_id=series.instrument_id,
                timeframe=timeframe,
            )
            attest(connection, series.instrument_id, timeframe, page, venue=market.venue, now=now)
            if file is not None:
                record_archive_file(connection, series.instrument_id, timeframe, file, now)
    what = f"{market.key} {timeframe}"
    outcome = CollectOutcome("candle", what, counts.new, counts.changed, counts.unchanged, rejected)
    return Stored(outcome, min(each.page.start for each in pages))


def _alike(pages: Sequence[CandlePage]) -> Iterator[Sequence[Candle]]:
    """Candles of the pages joined where they are of one kind, so that one odd page slows down only itself."""
    run: list[CandlePage] = []
    for page in pages:
        if not len(page.candles):
            continue
        if run and isinstance(page.candles, CandleBatch) != isinstance(run[-1].candles, CandleBatch):
            yield concat([each.candles for each in run])
            run = []
        run.append(page)
    if run:
        yield concat([each.candles for each in run])
