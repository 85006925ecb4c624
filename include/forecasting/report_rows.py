"""What the report reads: sealed forecasts with their outcomes, by series, and rows of the views as they are."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt
from psycopg.rows import dict_row

from include.forecasting.significance import FloatArray
from include.forecasting.times import to_array
from include.warehouse.connection import Connection
from include.warehouse.sql import statement

# Older forecasts stay in the scoreboard; the page's own figures look a year back.
DAYS_READ = 365
_SERIES = ("venue", "symbol", "timeframe", "horizon_bars")

Row = dict[str, Any]


@dataclass(frozen=True)
class SealedSeries:
    """Sealed forecasts of one market (`venue BASE/QUOTE`) and horizon in bars, by target; at least one."""

    market: str
    quote: str
    timeframe: str
    horizon_bars: int
    rows: list[Row]

    @property
    def title(self) -> str:
        return f"{self.market}, {self.horizon}"

    @property
    def horizon(self) -> str:
        """How far ahead, for people."""
        return f"+{self.horizon_bars} {'h' if self.timeframe == '1h' else f'bars of {self.timeframe}'}"

    @property
    def newest(self) -> Row:
        return self.rows[-1]

    def floats(self, name: str) -> FloatArray:
        """A column; NaN for NULL."""
        return np.array([np.nan if row[name] is None else row[name] for row in self.rows], dtype=np.float64)

    def times(self, name: str) -> npt.NDArray[np.datetime64]:
        """A column of times, UTC."""
        return to_array(row[name] for row in self.rows)

    def since_newest(self, days: int) -> SealedSeries:
        """Only forecasts of the last days before the newest target."""
        targets = self.times("target_at")
        kept = targets > targets[-1] - np.timedelta64(days, "D")
        rows = [row for row, keep in zip(self.rows, kept, strict=True) if keep]
        return SealedSeries(self.market, self.quote, self.timeframe, self.horizon_bars, rows)


def sealed_series(connection: Connection) -> list[SealedSeries]:
    """Every series that has a forecast of the last DAYS_READ days before the newest one."""
    found = rows_of(connection, "report/sealed_forecasts.sql", days=DAYS_READ)
    series = []
    for (venue, symbol, timeframe, horizon), rows in groupby(found, key=lambda row: tuple(row[n] for n in _SERIES)):
        series.append(SealedSeries(f"{venue} {symbol}", symbol.split("/")[1], timeframe, horizon, list(rows)))
    return series


def rows_of(connection: Connection, file: str, **values: object) -> list[Row]:
    """Rows of a statement in sql/, by column name."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement(file), values).fetchall()
