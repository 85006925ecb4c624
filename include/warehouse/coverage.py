"""How complete the candles are: what is expected between a series' first candle and now, and what is not there."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from include.candles.timeframes import expected_count
from include.warehouse.connection import Connection
from include.warehouse.sql import statement


class MissingRange(NamedTuple):
    """A half-open range [start, end) of open times (UTC) without a candle, and how many candles that are."""

    start: datetime
    end: datetime
    candles: int


class Coverage(NamedTuple):
    """One series in [first_opened_at, until): expected = observed + archived + missing_count.

    archived: candles that left the table after they were verified in the archive. Holes inside such a month count in
    `missing_count` but are not listed in `missing`.
    """

    instrument_id: int
    venue: str
    symbol: str
    timeframe: str
    first_opened_at: datetime
    until: datetime
    expected: int
    observed: int
    archived: int
    missing: list[MissingRange]

    @property
    def missing_count(self) -> int:
        return self.expected - self.observed - self.archived

    @property
    def ratio(self) -> float:
        """Share of the expected candles that are held, 0 to 1."""
        return (self.observed + self.archived) / self.expected


def coverage_summary(connection: Connection, now: datetime) -> list[Coverage]:
    """Coverage of every series that has a closed candle, by venue, symbol and timeframe.

    A candle is expected once it is closed at `now` (UTC): the one in progress is not missing.
    """
    series = connection.execute(statement("coverage/select_coverage.sql"), {"now": now}).fetchall()
    return [
        Coverage(
            instrument_id,
            venue,
            symbol,
            timeframe,
            first_opened_at,
            until,
            expected_count(first_opened_at, until, timeframe),
            observed,
            archived,
            [MissingRange(a, b, expected_count(a, b, timeframe)) for a, b in zip(starts, ends, strict=True)],
        )
        for instrument_id, venue, symbol, timeframe, first_opened_at, until, observed, archived, starts, ends in series
    ]


def first_missing(
    connection: Connection, instrument_id: int, timeframe: str, since: datetime, until: datetime
) -> datetime | None:
    """The earliest open time (UTC) in [since, until) that the series lacks since its first candle; None for none."""
    values = {"instrument_id": instrument_id, "timeframe": timeframe, "since": since, "until": until}
    row = connection.execute(statement("coverage/first_missing.sql"), values).fetchone()
    found: datetime | None = row[0] if row else None
    return found
