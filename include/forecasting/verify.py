"""Verifies that sealed forecasts are what was sealed, and that scores and scoreboard are what they come to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from psycopg.rows import dict_row

from include.forecasting.chain import COLUMNS, SealedRow, Series
from include.forecasting.verify_chain import ChainWalk, Finding
from include.forecasting.verify_heads import Head, NotedHeads
from include.forecasting.verify_scores import ScoreCheck
from include.warehouse.connection import Connection
from include.warehouse.sql import statement
from include.warehouse.world import world_of

SEALS = ("forecast_in_time", "forecast_is_chained", "forecast_is_kept", "forecast_is_sealed")

# A candle may arrive while others are being scored; the run an hour later scores it.
UNSCORED_GRACE = timedelta(hours=2)

ROWS_AT_ONCE = 2000


@dataclass
class Verification:
    """A pass over everything sealed in one snapshot; all but `noted` is whole once `findings` is exhausted.

    noted_at: when the snapshot was taken, by the database's clock.
    """

    noted: Sequence[NotedHeads] = ()
    noted_at: datetime | None = None
    world: str | None = None
    rows: int = 0
    heads: dict[Series, Head] = field(default_factory=dict)
    scores: ScoreCheck = field(default_factory=ScoreCheck)

    def findings(self, connection: Connection) -> Iterator[Finding]:
        """Every fault, as it is found; memory does not grow with the number of forecasts.

        connection: without an open transaction; any role that may read ml. Nothing is written.
        """
        with connection.transaction():
            connection.execute("set transaction isolation level repeatable read, read only")
            row = connection.execute("select now()").fetchone()
            self.noted_at = row[0] if row else None
            self.world = world_of(connection)
            yield from self._seals(connection)
            yield from self._chains(connection)
            yield from self.scores.findings(_stream(connection, "forecast/select_scores.sql", grace=UNSCORED_GRACE))
            yield from self.scores.board_findings(_stream(connection, "forecast/select_scoreboard.sql"))

    def _seals(self, connection: Connection) -> Iterator[Finding]:
        is_on: dict[str, bool] = dict(connection.execute(statement("forecast/select_seals.sql")).fetchall())
        for name in SEALS:
            if not is_on.get(name, False):
                state = "switched off" if name in is_on else "not there"
                yield Finding("unsealed", f"the trigger {name} of ml.forecast is {state}")

    def _chains(self, connection: Connection) -> Iterator[Finding]:
        rows = (
            SealedRow({name: row[name] for name in COLUMNS}, row["row_sha256"])
            for row in _stream(connection, "forecast/select_chain.sql")
        )
        for series, chain in groupby(rows, key=lambda row: row.series):
            walk = ChainWalk(series, self.noted, self.world)
            yield from walk.findings(chain)
            self.rows += walk.rows
            self.heads[series] = walk.head
        for series in sorted({series for notes in self.noted for series in notes.heads} - self.heads.keys()):
            yield from ChainWalk(series, self.noted, self.world).findings(())


def _stream(connection: Connection, name: str, **parameters: object) -> Iterator[dict[str, Any]]:
    """Rows of a query by column name, a few thousand at a time. Binary, so that floats arrive bit by bit."""
    with closing(connection.cursor("verification", row_factory=dict_row, binary=True)) as cursor:
        cursor.itersize = ROWS_AT_ONCE
        cursor.execute(statement(name), parameters)
        yield from cursor
