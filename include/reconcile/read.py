"""Candles of all venues out of the warehouse, as panels."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from include.candles.timeframes import EPOCH, step
from include.reconcile.model import Instrument, Panel
from include.warehouse.connection import Connection
from include.warehouse.sql import statement

_MATRICES = ("open", "high", "low", "close", "base_volume", "quote_volume")


class Listed(NamedTuple):
    """An instrument with candles, and from when until when (None: still) it is expected to have one (UTC)."""

    instrument: Instrument
    expected_from: datetime
    expected_until: datetime | None


def read_instruments(connection: Connection, timeframe: str) -> list[Listed]:
    """Instruments that have any candle of the timeframe."""
    rows = connection.execute(statement("reconcile/select_instruments.sql"), {"timeframe": timeframe})
    return [Listed(Instrument(*row[:5]), row[5], row[6]) for row in rows]


def read_panels(
    connection: Connection, listed: Sequence[Listed], timeframe: str, start: datetime, end: datetime
) -> list[Panel]:
    """Panels of all base coins over [start, end), open times of the timeframe."""
    length = step(timeframe)
    first, rows = (start - EPOCH) // length, (end - start) // length
    place = {each.instrument.instrument_id: column for column, each in enumerate(listed)}
    values = {"timeframe": timeframe, "starts_at": start, "ends_at": end, "instruments": list(place)}
    matrices = np.full((len(_MATRICES), rows, len(listed)), np.nan)
    found = connection.execute(statement("reconcile/select_candles.sql"), values).fetchall()
    if found:
        table = np.array(found, dtype=np.float64)
        columns = np.array([place[int(instrument_id)] for instrument_id in table[:, 0]])
        matrices[:, (table[:, 1] // length.total_seconds()).astype(np.int64) - first, columns] = table[:, 2:].T
    expected = np.zeros((rows, len(listed)), dtype=np.bool_)
    for column, each in enumerate(listed):
        stop = end if each.expected_until is None else each.expected_until
        expected[_row(each.expected_from, start, length) : _row(stop, start, length), column] = True
    for instrument_id, starts_at, ends_at in connection.execute(statement("reconcile/select_explained.sql"), values):
        if instrument_id in place:
            expected[_row(starts_at, start, length) : _row(ends_at, start, length), place[instrument_id]] = False
    panels = []
    for base in sorted({each.instrument.base for each in listed}):
        own = [column for column, each in enumerate(listed) if each.instrument.base == base]
        instruments = tuple(listed[column].instrument for column in own)
        named = dict(zip(_MATRICES, matrices[:, :, own], strict=True))
        panels.append(Panel(base, first, instruments, **named, expected=expected[:, own]))
    return panels


def _row(at: datetime, start: datetime, length: timedelta) -> int:
    """Row of the first open time at or after `at`; 0 before the panel."""
    return max(0, -((start - at) // length))
