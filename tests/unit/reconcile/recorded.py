"""The recorded hours of four venues as panels, and what is known of their outages."""

from __future__ import annotations

import csv
import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq

from include.reconcile.model import Floats, Instrument, Panel

HOUR = timedelta(hours=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PRICES = ("open", "high", "low", "close")


class Source(NamedTuple):
    """A recorded file: its time column and how many of its units a second has, the names of both volumes.

    is_finer: its candles are shorter than an hour and are summed up.
    """

    venue: str
    symbol: str
    path: str
    time: str = "open_time"
    units_per_second: int = 1000
    base_volume: str = "volume"
    quote_volume: str | None = None
    is_finer: bool = False


SOURCES = (
    Source("binance", "BTC/USDT", "binance/klines_1h/BTCUSDT.parquet", quote_volume="quote_volume"),
    Source("binance", "ETH/USDT", "binance/klines_1h/ETHUSDT.parquet", quote_volume="quote_volume"),
    Source("binance", "BTC/USDC", "binance/klines_1h_usdc/BTCUSDC.parquet", quote_volume="quote_volume"),
    Source("kraken", "BTC/USDC", "kraken/ohlcvt_1m/XBTUSDC_2023Q1.parquet", "time", 1, is_finer=True),
    Source("kraken", "BTC/USD", "kraken/ohlcvt_1h/XBTUSD.parquet", "time", 1),
    Source("kraken", "ETH/USD", "kraken/ohlcvt_1h/ETHUSD.parquet", "time", 1),
    Source("kraken", "BTC/USDT", "kraken/ohlcv_1h_usdt/BTCUSDT.parquet"),
    Source("kraken", "ETH/USDT", "kraken/ohlcv_1h_usdt/ETHUSDT.parquet"),
    Source("coinbase", "BTC/USD", "coinbase/ohlcv_1h/BTCUSD_2024.parquet"),
    Source("coinbase", "ETH/USD", "coinbase/ohlcv_1h/ETHUSD_2024.parquet"),
    Source("bitstamp", "BTC/USD", "bitstamp/ohlcv_1h/BTCUSD_cdd.csv.gz", base_volume="volume_btc"),
)
EARLIER = Source("coinbase", "BTC/USD", "coinbase/ohlcv_1h/BTCUSD_cdd_2017-2020.csv.gz", base_volume="volume_btc")


class Series(NamedTuple):
    """One recorded series: hours since the epoch, ascending, and its columns."""

    source: Source
    hours: np.ndarray[tuple[int], np.dtype[np.int64]]
    columns: dict[str, Floats]


def read(folder: Path, source: Source) -> Series:
    """A recorded series; of an hour that a file holds twice the first row counts."""
    wanted = [source.time, *PRICES, source.base_volume, *filter(None, [source.quote_volume])]
    if source.path.endswith(".gz"):
        with gzip.open(folder / source.path, "rt", newline="") as lines:
            rows = list(csv.DictReader(lines))
        table = {name: np.array([float(row[name]) for row in rows]) for name in wanted}
    else:
        parquet = pq.read_table(folder / source.path, columns=wanted)
        table = {name: parquet.column(name).to_numpy().astype(np.float64) for name in wanted}
    all_hours = (table[source.time] / source.units_per_second // 3600).astype(np.int64)
    hours, first = np.unique(all_hours, return_index=True)
    columns = {name: table[name][first] for name in PRICES} | {"base_volume": table[source.base_volume][first]}
    if source.is_finer:
        columns["high"] = np.maximum.reduceat(table["high"], first)
        columns["low"] = np.minimum.reduceat(table["low"], first)
        columns["close"] = table["close"][np.append(first[1:], len(all_hours)) - 1]
        columns["base_volume"] = np.add.reduceat(table[source.base_volume], first)
    nothing = np.full(len(hours), np.nan)
    columns["quote_volume"] = table[source.quote_volume][first] if source.quote_volume else nothing
    return Series(source, hours, columns)


def hour_of(at: datetime) -> int:
    return (at - EPOCH) // HOUR


def at_hour(hour: int) -> datetime:
    return EPOCH + hour * HOUR


def panels(series: list[Series], start: datetime, end: datetime, explained: set[tuple[str, int]]) -> list[Panel]:
    """Panels of all bases over [start, end); explained: (venue, hour) that is known to have no candle."""
    first, rows = hour_of(start), (end - start) // HOUR
    made = []
    for base in sorted({s.source.symbol.split("/")[0] for s in series}):
        members = [
            (k, s) for k, s in enumerate(series) if s.source.symbol.startswith(f"{base}/") and _overlaps(s, first, rows)
        ]
        matrices = {name: np.full((rows, len(members)), np.nan) for name in (*PRICES, "base_volume", "quote_volume")}
        expected = np.zeros((rows, len(members)), dtype=np.bool_)
        instruments = []
        for column, (number, s) in enumerate(members):
            within = (s.hours >= first) & (s.hours < first + rows)
            for name, values in s.columns.items():
                matrices[name][s.hours[within] - first, column] = values[within]
            expected[max(s.hours[0] - first, 0) : max(s.hours[-1] - first + 1, 0), column] = True
            known = [hour - first for venue, hour in explained if venue == s.source.venue]
            expected[[row for row in known if 0 <= row < rows], column] = False
            quote = s.source.symbol.split("/")[1]
            instruments.append(Instrument(number, s.source.venue, s.source.symbol, base, quote))
        made.append(Panel(base, first, tuple(instruments), **matrices, expected=expected))
    return made


def _overlaps(series: Series, first: int, rows: int) -> bool:
    return bool(series.hours[-1] >= first and series.hours[0] < first + rows)


def binance_outages(folder: Path) -> set[tuple[str, int]]:
    """Hours in which the whole venue made no candle, as (venue, hour)."""
    with (folder / "binance" / "outages_1h.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    found = set()
    for row in rows:
        first, last = (
            hour_of(datetime.fromisoformat(row[name]).replace(tzinfo=UTC))
            for name in ("first_missing_hour_utc", "last_missing_hour_utc")
        )
        found |= {("binance", hour) for hour in range(first, last + 1)}
    return found
