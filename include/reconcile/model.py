"""Words of a reconciliation: which series are compared, and what is said of a candle."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

Word = Literal["agree", "quote_basis", "outlier", "missing"]

# Quotes in the order in which they serve as the measure of the others; any other quote comes after these, by name.
NUMERAIRES = ("USD", "USDT", "USDC")


class Instrument(NamedTuple):
    """One market of one venue; prices are in `quote`, volumes in `base`."""

    instrument_id: int
    venue: str
    symbol: str
    base: str
    quote: str


@dataclass(frozen=True)
class Panel:
    """Candles of one base coin at several venues on one grid: row = open time, column = instrument.

    first: open time of row 0 as count of candles since the epoch (UTC). A candle that is not there is NaN in every
    matrix. Prices are in units of the instrument's quote, base_volume in base units; quote_volume is NaN where the
    venue gives none. expected: a candle should be there and nothing explains it if it is not.
    """

    base: str
    first: int
    instruments: tuple[Instrument, ...]
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    base_volume: Floats
    quote_volume: Floats
    expected: Mask

    @property
    def present(self) -> Mask:
        """Where there is a candle."""
        return ~np.isnan(self.close)


class Finding(NamedTuple):
    """What is said of one candle of a panel that does not simply agree.

    row, column: its place. reason: a word for what it looks like. deviation and threshold are natural logarithms of
    price ratios (of volume ratios for `volume_unit`), NaN where none applies. suspects: columns; more than one where
    the candles at hand cannot tell which of them is wrong. basis: log of the quote's price in the numeraire.
    """

    row: int
    column: int
    verdict: Word
    reason: str
    deviation: float
    threshold: float
    suspects: tuple[int, ...]
    basis: float


class Verdict(NamedTuple):
    """A finding as it is shown and stored; deviations in basis points, times UTC.

    is_attributed: this instrument and no other is named. suspects: `venue symbol` of all that come into question.
    """

    base: str
    timeframe: str
    opened_at: datetime
    instrument_id: int
    venue: str
    symbol: str
    verdict: Word
    reason: str
    is_attributed: bool
    suspects: tuple[str, ...]
    deviation_bps: float | None
    threshold_bps: float | None
    basis_bps: float | None


class DaySummary(NamedTuple):
    """How the candles of one instrument fared on one UTC day; uncompared: nobody else had the hour."""

    base: str
    timeframe: str
    day: datetime
    instrument_id: int
    venue: str
    symbol: str
    agree: int
    quote_basis: int
    outlier: int
    missing: int
    uncompared: int


def numeraire_rank(quote: str) -> tuple[int, str]:
    """Sort key: the quote that measures the others first."""
    known = NUMERAIRES.index(quote) if quote in NUMERAIRES else len(NUMERAIRES)
    return known, quote
