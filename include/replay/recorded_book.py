"""Hourly candles that were recorded at other exchanges than Binance, as their books."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from include.replay import bars as b
from include.replay.bars import Bars, Precision
from include.replay.errors import NotServedError
from include.replay.world import HOUR_MS, ReplayMarket, Span

# venue -> our symbol -> its files below the folder, oldest first, each a span of its own
RECORDINGS: dict[str, dict[str, tuple[str, ...]]] = {
    "kraken": {
        "BTC/USD": ("kraken/ohlcvt_1h/XBTUSD.parquet",),
        "ETH/USD": ("kraken/ohlcvt_1h/ETHUSD.parquet",),
        "BTC/USDT": ("kraken/ohlcv_1h_usdt/BTCUSDT.parquet",),
        "ETH/USDT": ("kraken/ohlcv_1h_usdt/ETHUSDT.parquet",),
    },
    "coinbase": {
        "BTC/USD": ("coinbase/ohlcv_1h/BTCUSD_cdd_2017-2020.csv.gz", "coinbase/ohlcv_1h/BTCUSD_2024.parquet"),
        "ETH/USD": ("coinbase/ohlcv_1h/ETHUSD_2024.parquet",),
    },
}
_FIGURES = {b.OPEN: "open", b.HIGH: "high", b.LOW: "low", b.CLOSE: "close", b.BASE: "volume"}
_RECENT_BARS = 1000


class RecordedBook:
    """One exchange's markets out of files of hours; 2h and longer are folded from them, nothing shorter is there.

    What the files do not tell is 0: quote volumes and taker volumes, and the trades of all but Kraken's own files.
    An hour without a row had no trade, or the recording no data. Files are read when first needed and kept.
    """

    def __init__(self, folder: Path, files: Mapping[str, tuple[str, ...]]) -> None:
        present = {
            symbol: [folder / name for name in names if (folder / name).exists()] for symbol, names in files.items()
        }
        self._files = {symbol: paths for symbol, paths in present.items() if paths}
        self._series: dict[tuple[str, str], Bars] = {}
        self._markets: dict[str, ReplayMarket] | None = None

    @property
    def markets(self) -> Mapping[str, ReplayMarket]:
        if self._markets is None:
            self._markets = {symbol: self._market(symbol) for symbol in self._files}
        return self._markets

    def closed(self, symbol: str, timeframe: str, start_ms: int, end_ms: int, limit: int, newest: bool) -> Bars:
        series = self._load(symbol, timeframe)
        first, last = np.searchsorted(series[:, b.OPEN_TIME], [start_ms, end_ms])
        page = series[first:last]
        return page[max(0, len(page) - limit) :] if newest else page[:limit]

    def finer(self, symbol: str, timeframe: str) -> str | None:
        return None if timeframe == "1h" else "1h"

    def _market(self, symbol: str) -> ReplayMarket:
        base, quote = symbol.split("/")
        hours = self._load(symbol, "1h")
        recent = hours[-_RECENT_BARS:]
        precision = Precision(common_step(recent[:, b.OPEN : b.CLOSE + 1]), common_step(recent[:, [b.BASE]]))
        spans = [_read(path)[[0, -1], b.OPEN_TIME] for path in self._files[symbol]]
        return ReplayMarket(symbol, base, quote, precision, tuple(Span(int(a), int(z) + HOUR_MS) for a, z in spans))

    def _load(self, symbol: str, timeframe: str) -> Bars:
        if b.STEP_MS[timeframe] < HOUR_MS:
            raise NotServedError(f"no {timeframe} candles of {symbol} were recorded")
        key = (symbol, timeframe)
        if key not in self._series:
            if timeframe == "1h":
                self._series[key] = np.concatenate([_read(path) for path in self._files[symbol]])
            else:
                self._series[key] = b.fold(self._load(symbol, "1h"), b.STEP_MS[timeframe])
        return self._series[key]


def common_step(values: Bars) -> int:
    """Largest power of ten (at most one whole unit) that divides all values but a few odd ones."""
    step = b.UNIT
    while step > 1 and np.count_nonzero(values % step) > values.size // 100:
        step //= 10
    return step


def _read(path: Path) -> Bars:
    """The hours of one file, ascending, each once; rows without any trade, which only vendors make, are left out."""
    table = pd.read_csv(path) if path.name.endswith(".csv.gz") else pd.read_parquet(path)
    table = table.rename(columns={"volume_btc": "volume"})
    opened = table["open_time"] if "open_time" in table else table["time"] * 1000
    bars = np.zeros((len(table), b.WIDTH), dtype=np.int64)
    bars[:, b.OPEN_TIME] = opened
    bars[:, b.CLOSE_TIME] = bars[:, b.OPEN_TIME] + HOUR_MS - 1
    for column, name in _FIGURES.items():
        figures: NDArray[np.float64] = table[name].to_numpy(dtype=np.float64)
        bars[:, column] = b.fixed_point(figures)
    if "trades" in table:
        bars[:, b.TRADES] = table["trades"]
    bars = bars[bars[:, b.BASE] > 0]
    _, first = np.unique(bars[:, b.OPEN_TIME], return_index=True)
    return bars[first]
