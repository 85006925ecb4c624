"""Which series hold rows in which months: what there is to archive."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from include.warehouse.archive_file import dataset_of
from include.warehouse.connection import Connection
from include.warehouse.sql import statement


class SeriesMonth(NamedTuple):
    """A month (its first day) of one series that holds rows. timeframe: None for tickers."""

    instrument_id: int
    venue: str
    symbol: str
    timeframe: str | None
    month: date
    row_count: int

    def __str__(self) -> str:
        return f"{self.venue}:{self.symbol} {self.timeframe or dataset_of(None).noun} {self.month:%Y-%m}"


def series_months(connection: Connection, start: datetime, end: datetime) -> list[SeriesMonth]:
    """Months lying wholly in [start, end) (UTC) and the series with candles in them, oldest month first."""
    rows = connection.execute(statement("archive/select_series_months.sql"), {"starts_at": start, "ends_at": end})
    return [SeriesMonth(*row) for row in rows]


def ticker_months(connection: Connection, end: datetime) -> list[SeriesMonth]:
    """Months that ended by a time (UTC) and the instruments with tickers in them, oldest month first."""
    rows = connection.execute(statement("archive/select_ticker_months.sql"), {"ends_at": end})
    return [SeriesMonth(*row) for row in rows]
