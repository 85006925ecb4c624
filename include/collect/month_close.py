"""Closing months: candles that came over REST are compared with the venue's published file, once it is due.

Level-triggered: whatever month holds candles and was not compared yet is compared, oldest first, some per run. A month
after a version of a file was first read it is asked about once more, and read again where it was replaced.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple, Protocol

from include.candles.timeframes import floor
from include.config.markets import Market
from include.coverage.attest import attest
from include.venues.binance_archive import ArchivedCandles, FileFacts
from include.venues.binance_archive_files import MONTH_IS_DUE_AFTER, ArchiveFile
from include.venues.errors import CorruptFileError, NotPublishedError
from include.venues.model import CandlePage
from include.warehouse.candles import upsert_candles
from include.warehouse.connection import Connection
from include.warehouse.instruments import stored_instrument
from include.warehouse.quarantine import quarantine_rows
from include.warehouse.sql import statement

VENUE = "binance"
RECHECK_AFTER = timedelta(days=31)
MONTHS_PER_RUN = 100
# What a person should look at; the last three are asked for again by every run.
ALARMING = frozenset({"prices_differ", "rows_missing", "short", "not_published", "corrupt"})

_log = logging.getLogger(__name__)


class MonthArchive(Protocol):
    """What is needed of `BinanceArchive`."""

    def month(self, venue_symbol: str, timeframe: str, month: date, now: datetime) -> ArchivedCandles: ...

    def month_if_changed(
        self, venue_symbol: str, timeframe: str, month: date, etag: str, now: datetime
    ) -> ArchivedCandles | None: ...


class MonthOutcome(NamedTuple):
    """What came of one month of one series. month: its first day.

    verdict: as in ops.archive_file, or `unchanged` for a file that is still the one that was read. new, changed,
    unchanged: candles of the file by what the upsert did; price_changes: those among the changed whose open, high, low
    or close differed. not_in_file: candles held that the file lacks; they stay. rejected: rows of the file refused.
    """

    market: str
    timeframe: str
    month: date
    verdict: str
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    price_changes: int = 0
    not_in_file: int = 0
    rejected: int = 0
    detail: str = ""

    @property
    def is_alarming(self) -> bool:
        return self.verdict in ALARMING

    def __str__(self) -> str:
        counts = (
            f"{self.new} new, {self.changed} changed ({self.price_changes} in price), {self.unchanged} unchanged, "
            f"{self.not_in_file} not in the file, {self.rejected} rejected"
        )
        return f"{self.market} {self.timeframe} {self.month:%Y-%m}: {self.verdict}; {self.detail or counts}"


class _Month(NamedTuple):
    """A month to compare. etag: of the version that was compared before, None where it is to be read anew."""

    instrument_id: int
    market: Market
    listed_at: datetime
    file: ArchiveFile
    etag: str | None


def close_months(
    connection: Connection,
    archive: MonthArchive,
    markets: Sequence[Market],
    timeframes: Sequence[str],
    now: datetime,
    limit: int = MONTHS_PER_RUN,
) -> Iterator[MonthOutcome]:
    """Compare at most `limit` months of Binance's markets with their files, each in a transaction of its own.

    The file's candles go through the upsert: a difference becomes a revision with the archive as its source. Outcomes
    come as the months are done and are logged, alarming ones as warnings; iterate to the end. Markets of other venues
    are passed over. Raises a VenueError where the archive's host is the problem rather than a file.
    """
    for month in _months(connection, markets, timeframes, now, limit):
        outcome = _close(connection, archive, month, now)
        _log.log(logging.WARNING if outcome.is_alarming else logging.INFO, "%s", outcome)
        yield outcome


def record_archive_file(
    connection: Connection, instrument_id: int, timeframe: str, file: FileFacts, now: datetime, verdict: str = ""
) -> None:
    """Note a file that was read, once its candles are stored; without a `verdict`, as loaded by a backfill."""
    values = {
        "name": file.name,
        "starts_at": file.start,
        "ends_at": file.end,
        "sha256": file.sha256,
        "etag": file.etag,
        "last_modified": file.last_modified,
        "row_count": file.row_count,
        "verdict": verdict or ("loaded" if file.is_whole else "short"),
    }
    _record(connection, instrument_id, timeframe, now, values)


def _months(
    connection: Connection, markets: Sequence[Market], timeframes: Sequence[str], now: datetime, limit: int
) -> list[_Month]:
    known = {market: stored_instrument(connection, market) for market in markets if market.venue == VENUE}
    by_id = {instrument.instrument_id: (market, instrument) for market, instrument in known.items()}
    series = [(instrument_id, timeframe) for instrument_id in by_id for timeframe in timeframes]
    values = {
        "instrument_ids": [instrument_id for instrument_id, _ in series],
        "timeframes": [timeframe for _, timeframe in series],
        "venue": VENUE,
        "due_until": now - MONTH_IS_DUE_AFTER,
        "now": now,
        "recheck_after": RECHECK_AFTER,
        "limit": limit,
    }
    months = []
    rows = connection.execute(statement("backfill/select_months_to_close.sql"), values).fetchall()
    for instrument_id, timeframe, starts_at, etag in rows:
        market, instrument = by_id[instrument_id]
        file = ArchiveFile.of_month(instrument.venue_symbol, timeframe, starts_at.date())
        months.append(_Month(instrument_id, market, instrument.listed_at, file, etag))
    return months


def _close(connection: Connection, archive: MonthArchive, month: _Month, now: datetime) -> MonthOutcome:
    file, key = month.file, month.market.key
    first = file.start.date()
    asked = (file.venue_symbol, file.timeframe, first)
    try:
        found = archive.month_if_changed(*asked, month.etag, now) if month.etag else archive.month(*asked, now)
    except (NotPublishedError, CorruptFileError) as error:
        verdict = "not_published" if isinstance(error, NotPublishedError) else "corrupt"
        values = {"name": file.name, "starts_at": file.start, "ends_at": file.end, "verdict": verdict}
        _record(connection, month.instrument_id, file.timeframe, now, values)
        return MonthOutcome(key, file.timeframe, first, verdict, detail=str(error))
    if found is None:
        connection.execute(
            "update ops.archive_file set checked_at = %s where venue = %s and name = %s", (now, VENUE, file.name)
        )
        return MonthOutcome(key, file.timeframe, first, "unchanged", detail=f"{file.name} is the file that was read")
    return _compare(connection, month, found, now)


def _compare(connection: Connection, month: _Month, found: ArchivedCandles, now: datetime) -> MonthOutcome:
    file, timeframe = found.file, month.file.timeframe
    # Of the time before the listing a file says nothing.
    first = found.page.candles[0].opened_at if len(found.page.candles) else found.page.end
    page = found.page._replace(start=min(first, max(found.page.start, floor(month.listed_at, timeframe))))
    outcome = MonthOutcome(month.market.key, timeframe, month.file.start.date(), "short")
    with connection.transaction():
        if _held(connection, month, page, now).after:
            record_archive_file(connection, month.instrument_id, timeframe, file, now, "short")
            return outcome._replace(detail=f"{file.name} ends at {page.end:%Y-%m-%d %H:%M}, candles are held after it")
        counts = upsert_candles(
            connection,
            month.instrument_id,
            timeframe,
            page.candles,
            source=page.source,
            world=page.world,
            recorded_at=now,
        )
        quarantine_rows(
            connection,
            page.rejected,
            source=page.source,
            request=page.request,
            world=page.world,
            recorded_at=now,
            instrument_id=month.instrument_id,
            timeframe=timeframe,
        )
        attest(connection, month.instrument_id, timeframe, page, venue=VENUE, now=now)
        held = _held(connection, month, page, now)
        outcome = outcome._replace(
            new=counts.new,
            changed=counts.changed,
            unchanged=counts.unchanged,
            price_changes=held.price_changes,
            not_in_file=held.within - len(page.candles),
            rejected=len(page.rejected),
        )
        outcome = outcome._replace(verdict=_verdict(outcome))
        record_archive_file(connection, month.instrument_id, timeframe, file, now, outcome.verdict)
    return outcome


def _verdict(outcome: MonthOutcome) -> str:
    """The gravest of what is true."""
    if outcome.price_changes:
        return "prices_differ"
    if outcome.not_in_file or outcome.rejected:
        return "rows_missing"
    if outcome.changed:
        return "volumes_differ"
    return "filled" if outcome.new else "equal"


class _Held(NamedTuple):
    """price_changes: candles whose prices were replaced at that time; candles within the page's span, and after it."""

    price_changes: int
    within: int
    after: int


def _held(connection: Connection, month: _Month, page: CandlePage, now: datetime) -> _Held:
    values = {
        "instrument_id": month.instrument_id,
        "timeframe": month.file.timeframe,
        "starts_at": page.start,
        "ends_at": page.end,
        "month_ends_at": month.file.end,
        "recorded_at": now,
    }
    return _Held(*connection.execute(statement("backfill/compare_month.sql"), values).fetchone() or (0, 0, 0))


def _record(
    connection: Connection, instrument_id: int, timeframe: str, now: datetime, values: dict[str, object]
) -> None:
    nothing = dict.fromkeys(("sha256", "etag", "last_modified", "row_count"))
    series = {"venue": VENUE, "instrument_id": instrument_id, "timeframe": timeframe, "checked_at": now}
    connection.execute(statement("backfill/upsert_archive_file.sql"), {**nothing, **values, **series})
