"""A month of every series into the archive, and out of the table where asked: what the archival DAG runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from include.warehouse.archive import MonthNotClosedError, archive_month, drop_archived_month, month_span, series_months
from include.warehouse.archive_file import StorePath
from include.warehouse.connection import Connection


@dataclass(frozen=True, slots=True)
class ArchivedSeries:
    """What was, or in a dry run would be, done with one month of a series. path: in the store, None in a dry run."""

    market: str
    timeframe: str
    month: str
    rows: int
    path: str | None
    dropped_rows: int

    def as_dict(self) -> dict[str, str | int | None]:
        return asdict(self)

    def __str__(self) -> str:
        what = f"{self.market} {self.timeframe} {self.month}: {self.rows} candles"
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
    Raises MonthNotClosedError, and ArchiveError at the first series that cannot be archived: those before it are done.
    """
    start, end = month_span(month)
    if now < end:
        raise MonthNotClosedError(f"{month:%Y-%m} is not closed at {now:%Y-%m-%d %H:%M} UTC")
    done = []
    for series in series_months(connection, start, end):
        path, dropped = None, 0
        if not dry_run:
            path = archive_month(connection, store, series.instrument_id, series.timeframe, month, now).path
            if drop_rows and end + needed_for(series.timeframe) <= now:
                dropped = drop_archived_month(connection, store, series.instrument_id, series.timeframe, month, now)
        name = f"{series.venue}:{series.symbol}"
        done.append(ArchivedSeries(name, series.timeframe, f"{month:%Y-%m}", series.row_count, path, dropped))
    return done
