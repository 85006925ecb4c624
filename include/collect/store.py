"""Pages of candles into the warehouse: rows, refused rows and the evidence of the answer, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from include.candles.batch import CandleBatch, concat
from include.candles.model import Candle
from include.collect.archive_pages import SourcedPage
from include.collect.month_close import record_archive_file
from include.collect.outcome import CollectOutcome
from include.collect.sources import BINANCE_ARCHIVE, KRAKEN_TRADES
from include.config.markets import Market
from include.coverage.attest import attest
from include.coverage.outages import outage_spans
from include.coverage.spans import Span, subtract
from include.venues.capabilities import CAPABILITIES
from include.venues.errors import NoDataError
from include.venues.model import CandlePage
from include.warehouse.candles import upsert_candles
from include.warehouse.connection import Connection
from include.warehouse.quarantine import quarantine_rows
from include.warehouse.staging import UpsertCounts

LONGEST_OUTAGE = timedelta(days=2)  # a listed market trades: the longest silence in years of history was 33 hours
ROWS_AT_ONCE = 20_000  # candles of one transaction: few commits, bounded memory


class SeriesAt(NamedTuple):
    """A series of candles, and the time (UTC) at which it is asked for."""

    instrument_id: int
    market: Market
    timeframe: str
    now: datetime


class Stored(NamedTuple):
    """What became of some pages, whose answers speak for the `answered` spans.

    refused: rows the venue itself gave that were rejected; for those a file has wrong the venue is asked again.
    """

    outcome: CollectOutcome
    answered: list[Span]
    refused: int


def store_pages(connection: Connection, series: SeriesAt, pages: Iterable[SourcedPage]) -> Iterator[Stored]:
    """Store the pages, some at a time in the order they come; each time is whole or not at all.

    What was fetched before an error of the venue is stored, and then the error raised; NoDataError for a page without
    any row that cannot be true.
    """
    waiting: list[SourcedPage] = []
    rows = 0
    remaining = iter(pages)
    while True:
        try:
            sourced = next(remaining, None)
            if sourced:
                _require_rows(connection, series, sourced.page)
        except Exception:
            if waiting:
                yield _store(connection, series, waiting)
            raise
        # A page of trades is ten requests: what it took is not risked for a larger transaction.
        is_full = rows >= ROWS_AT_ONCE or bool(waiting and waiting[-1].page.source == KRAKEN_TRADES)
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
        rejected = refused = 0
        for page, file in pages:
            refused += len(page.rejected) if page.source != BINANCE_ARCHIVE else 0
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
    return Stored(outcome, [Span(each.page.start, each.page.end) for each in pages], refused)


def _require_rows(connection: Connection, series: SeriesAt, page: CandlePage) -> None:
    """Raise NoDataError for a page without any row that cannot be true; it must not become evidence of anything."""
    if len(page.candles) or page.rejected or page.start == page.end:
        return
    market, timeframe = series.market, series.timeframe
    unexplained = subtract([Span(page.start, page.end)], outage_spans(market.venue, timeframe))
    is_long = any(span.end - span.start > LONGEST_OUTAGE for span in unexplained)
    is_long = is_long and not CAPABILITIES[market.venue].omits_empty
    if is_long or _is_known(connection, series, page.start, page.end):
        raise NoDataError(
            market.venue,
            f"no {market.key} {timeframe} candle at all from {page.start} to {page.end} in {page.request} "
            "(a halt that long belongs into include/coverage/outages.csv)",
        )


def _is_known(connection: Connection, series: SeriesAt, opens_from: datetime, opens_until: datetime) -> bool:
    """Whether the warehouse holds a candle of that stretch, so that the venue must have one too."""
    query = (
        "select exists (select from market.candle"
        " where instrument_id = %s and timeframe = %s and opened_at >= %s and opened_at < %s)"
    )
    values = (series.instrument_id, series.timeframe, opens_from, opens_until)
    row = connection.execute(query, values).fetchone()
    return row is not None and bool(row[0])


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
