"""The recorded world: real candles and indices of the past, read from a folder."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from include.replay import bars as b
from include.replay.bars import Bars, Precision
from include.replay.errors import NotServedError, ReplayError
from include.replay.recorded_book import RECORDINGS, RecordedBook, common_step
from include.replay.world import HOUR_MS, Book, CoinDay, ReplayMarket, SentimentDay

# Column names of the files, in the matrix's order.
_COLUMNS = (
    "open_time",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "close_time",
    "quote_volume",
    "trades",
    "taker_buy_base",
    "taker_buy_quote",
)
_QUOTES = ("USDT", "USDC", "USD", "BTC", "EUR")
# Timeframes that have no file of their own are folded from these.
_FOLDED_FROM = {"30m": "15m", "2h": "1h", "4h": "1h", "6h": "1h", "8h": "1h", "12h": "1h"}
_RECENT_BARS = 1000


class RecordedWorld:
    """Candles of `binance/klines_{15m,1h,1d}/SYMBOL.parquet`, `alternative_me/fng_daily.csv` and
    `coingecko/market_chart_max/*-usd-max.csv.gz` below one folder. Holes of the venue stay holes.

    Files are read when first asked for and kept. Raises ReplayError where the folder is not such a world.
    """

    name = "recorded"

    def __init__(self, folder: Path) -> None:
        symbols = sorted(path.stem for path in (folder / "binance" / "klines_1h").glob("*.parquet"))
        for needed in ("binance/klines_1h/*.parquet", "alternative_me/fng_daily.csv"):
            if not list(folder.glob(needed)):
                raise ReplayError(f"{folder} holds no recorded world: {needed} is missing")
        self._folder = folder
        self._series: dict[tuple[str, str], Bars] = {}
        self._books: dict[str, RecordedBook] = {}
        self._markets = {symbol: self._market(symbol) for symbol in symbols}
        last_open = max(int(self._load(symbol, "1h")[-1, b.OPEN_TIME]) for symbol in symbols)
        self._ends_at = datetime.fromtimestamp((last_open + HOUR_MS) / 1000, UTC)
        self._sentiment = self._load_sentiment()

    @property
    def identity(self) -> str:
        return f"recorded until {self._ends_at.isoformat()}"

    @property
    def ends_at(self) -> datetime:
        return self._ends_at

    def book(self, venue: str) -> Book:
        if venue == "binance":
            return self
        if venue not in self._books:
            self._books[venue] = RecordedBook(self._folder, RECORDINGS.get(venue, {}))
        return self._books[venue]

    @property
    def markets(self) -> Mapping[str, ReplayMarket]:
        return self._markets

    def closed(self, symbol: str, timeframe: str, start_ms: int, end_ms: int, limit: int, newest: bool) -> Bars:
        series = self._load(symbol, timeframe)
        first, last = np.searchsorted(series[:, b.OPEN_TIME], [start_ms, end_ms])
        page = series[first:last]
        return page[max(0, len(page) - limit) :] if newest else page[:limit]

    def finer(self, symbol: str, timeframe: str) -> str | None:
        if timeframe in ("15m", "30m"):
            return "15m" if timeframe == "30m" else None
        if timeframe == "1h":
            return "15m" if self._path(symbol, "15m").exists() else None
        return "1h"

    def sentiment(self, until_ms: int) -> list[SentimentDay]:
        return [day for day in self._sentiment if day.opened_ms <= until_ms]

    def coin_days(self, coin: str) -> list[CoinDay]:
        path = self._folder / "coingecko" / "market_chart_max" / f"{coin.lower()}-usd-max.csv.gz"
        if not path.exists():
            return []
        with gzip.open(path, "rt", newline="") as lines:
            return [
                CoinDay(
                    int(datetime.fromisoformat(row["snapped_at"]).timestamp() * 1000),
                    float(row["price"]),
                    float(row["market_cap"] or 0),
                    float(row["total_volume"] or 0),
                )
                for row in csv.DictReader(lines)
            ]

    def _path(self, symbol: str, timeframe: str) -> Path:
        return self._folder / "binance" / f"klines_{timeframe}" / f"{symbol}.parquet"

    def _load(self, symbol: str, timeframe: str) -> Bars:
        key = (symbol, timeframe)
        if key not in self._series:
            self._series[key] = self._read(symbol, timeframe)
        return self._series[key]

    def _read(self, symbol: str, timeframe: str) -> Bars:
        if timeframe in _FOLDED_FROM:
            return b.fold(self._load(symbol, _FOLDED_FROM[timeframe]), b.STEP_MS[timeframe])
        path = self._path(symbol, timeframe)
        if not path.exists():
            raise NotServedError(f"no {timeframe} candles of {symbol} were recorded")
        table = pq.read_table(path, columns=list(_COLUMNS))
        columns = [table.column(name).to_numpy() for name in _COLUMNS]
        return np.column_stack([b.fixed_point(c) if c.dtype.kind == "f" else c.astype(np.int64) for c in columns])

    def _market(self, symbol: str) -> ReplayMarket:
        quote = next((q for q in _QUOTES if symbol.endswith(q)), "")
        recent = self._load(symbol, "1h")[-_RECENT_BARS:]
        precision = Precision(common_step(recent[:, b.OPEN : b.CLOSE + 1]), common_step(recent[:, [b.BASE]]))
        return ReplayMarket(symbol, symbol.removesuffix(quote), quote, precision)

    def _load_sentiment(self) -> list[SentimentDay]:
        with (self._folder / "alternative_me" / "fng_daily.csv").open(newline="") as lines:
            days = [
                SentimentDay(int(row["timestamp"]) * 1000, int(float(row["value"])), row["classification"])
                for row in csv.DictReader(lines)
            ]
        return sorted(days)
