"""Months of every series into the archive, and out of the table where asked: what the archival DAG runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

from include.warehouse.archive import MonthNotClosedError, archive_month, drop_archived_month, drop_ticker_month
from include.warehouse.archive_file import ArchiveError, dataset_of
from include.warehouse.archive_series import SeriesMonth, series_months, ticker_months
from include.warehouse.archive_store import StorePath
from include.warehouse.connection import Connection
from include.warehouse.months import later, month_span


@dataclass(frozen=True, slots=True)
class ArchivedSeries:
    """What was, or in a dry run would be, done with one month of a series. path: in the store, None in a dry run.

    timeframe: None for tickers.
    """

    market: str
    timeframe: str | None
    month: str
    rows: int
    path: str | None
    dropped_rows: int

    def as_dict(self) -> dict[str, str | int | None]:
        return asdict(self)

    def __str__(self) -> str:
        noun = dataset_of(self.timeframe).noun
        what = " ".join(filter(None, (self.market, self.timeframe, f"{self.month}: {self.rows} {noun}")))
        if self.path is None:
            return f"{what} would be archived"
        return f"{what} verified in {self.path}, {self.dropped_rows} dropped from the table"


def archive_all(
    connection: Connection,
    store: StorePath,
    month: date,
    now: datetime,
    *,
    dry_run: bool = True,
    drop_rows: bool = False,
    needed_for: Callable[[str], timedelta] = lambda timeframe: timedelta(0),
) -> list[ArchivedSeries]:
    """Archive the month (its first day, UTC) of every series that has candles in it; by default only say so.

    drop_rows: delete each series' month once its file has been verified again. A repeat changes nothing.
    needed_for: how long after a month's end its candles of a timeframe stay in the table all the same.
    Raises MonthNotClosedError, and at the end ArchiveError that names each series that could not be archived or
    dropped: all others are done.
    """
    start, end = month_span(month)
    if now < end:
        raise MonthNotClosedError(f"{month:%Y-%m} is not closed at {now:%Y-%m-%d %H:%M} UTC")
    done, faults = [], list[str]()
    for series in series_months(connection, start, end):
        timeframe, path, dropped = str(series.timeframe), None, 0
        with _noted(series, faults):
            if not dry_run:
                path = archive_month(connection, store, series.instrument_id, timeframe, month, now).path
                if drop_rows and end + needed_for(timeframe) <= now:
                    dropped = drop_archived_month(connection, store, series.instrument_id, timeframe, month, now)
            done.append(_told(series, path, dropped))
    _demand_none(faults)
    return done


def archive_tickers(
    connection: Connection,
    store: StorePath,
    now: datetime,
    *,
    keep_months: int,
    dry_run: bool = True,
    drop_rows: bool = False,
) -> list[ArchivedSeries]:
    """Archive every month of tickers older than `keep_months` whole ones before the present; by default only say so.

    drop_rows: drop a month's partition once all its files have been verified again. A repeat changes nothing.
    Raises at the end ArchiveError that names all that could not be archived or dropped: all else is done. A month with
    such a series stays in the table.
    """
    until = month_span(later(now.astimezone(UTC).date().replace(day=1), -keep_months))[0]
    done, faults = [], list[str]()
    for month, held in groupby(ticker_months(connection, until), lambda series: series.month):
        each, paths, left = list(held), list[str](), 0
        if dry_run:
            done += [_told(series, None, 0) for series in each]
            continue
        for series in each:
            with _noted(series, faults):
                paths.append(archive_month(connection, store, series.instrument_id, None, month, now).path)
        if len(paths) < len(each):
            continue
        if drop_rows:
            with _noted(f"{month:%Y-%m}", faults):
                left = drop_ticker_month(connection, store, month, now)
        done += [_told(series, path, series.row_count if left else 0) for series, path in zip(each, paths, strict=True)]
    _demand_none(faults)
    return done


@contextmanager
def _noted(what: object, faults: list[str]) -> Iterator[None]:
    """One that cannot be archived does not hold up the others: what is wrong with it is kept for the end."""
    try:
        yield
    except (ArchiveError, OSError) as error:
        faults.append(f"{what}: {error}")


def _demand_none(faults: list[str]) -> None:
    if faults:
        raise ArchiveError(f"{len(faults)} could not be archived or dropped, all else is done: {'; '.join(faults)}")


def _told(series: SeriesMonth, path: str | None, dropped: int) -> ArchivedSeries:
    market = f"{series.venue}:{series.symbol}"
    return ArchivedSeries(market, series.timeframe, f"{series.month:%Y-%m}", series.row_count, path, dropped)
