"""Candles put into a warehouse, and what the transforms make of them, for the tests of the schema mart."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from include.candles.model import Candle
from include.candles.timeframes import step
from include.config.markets import Market
from include.warehouse.candles import upsert_candles
from include.warehouse.connection import Connection
from include.warehouse.instruments import ensure_instrument

START = datetime(2024, 1, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KNOWN = datetime(2025, 6, 1, tzinfo=UTC)
LISTED = datetime(2017, 8, 17, 4, tzinfo=UTC)

# Tables of mart with the columns that are a function of the candles, alerts as far as they stand.
TABLES = {
    "candle_flag": "instrument_id, timeframe, opened_at, rule, evidence::text",
    "hourly_price": "crypto, quote, hour_at, mean_price::text, lowest::text, highest::text, venues, flagged, method",
    "daily_volume": (
        "day, crypto, quote, base_volume::text, quote_volume::text, trade_count, hours_observed, venues, candles, "
        "candles_with_quote_volume, candles_with_trade_count, repeated"
    ),
    "daily_ranking": (
        "day, crypto, rank, change_percent::text, close::text, close_before::text, instrument_id, universe_size, reason"
    ),
    "price_alert": (
        "instrument_id, direction, triggered_at, crypto, change_percent::text, price::text, price_before::text, "
        "threshold_percent::text, change_window"
    ),
}


def market(venue: str, symbol: str, listed_at: datetime = LISTED) -> Market:
    return Market(venue, symbol, symbol.replace("/", ""), listed_at)


BINANCE, KRAKEN, COINBASE = (market(v, s) for v, s in [
    ("binance", "BTC/USDT"), ("kraken", "BTC/USD"), ("coinbase", "BTC/USD"),
])  # fmt: skip


def candle(opened_at: datetime, close: object, **figures: object) -> Candle:
    """A candle that stood still at `close` but for `figures`; 10 coins were traded."""
    price = Decimal(str(close))
    given = {name: Decimal(str(value)) if value is not None else None for name, value in figures.items()}
    count = given.pop("trade_count", Decimal(7))
    values: dict[str, Any] = {
        "open": price, "high": price, "low": price, "base_volume": Decimal(10), "quote_volume": 10 * price, **given,
    }  # fmt: skip
    values["high"] = max(values["high"], values["open"], price)
    values["low"] = min(values["low"], values["open"], price)
    return Candle(opened_at=opened_at, close=price, trade_count=None if count is None else int(count), **values)


def closes(prices: Iterable[object], start: datetime = START) -> list[Candle]:
    """An hour per price; each with a volume of its own, so that none repeats the one before."""
    return [
        candle(start + place * HOUR, price, base_volume=10 + place % 89, quote_volume=None)
        for place, price in enumerate(prices)
    ]


def walk(length: int, seed: int = 5, *, step_share: float = 0.012, start: datetime = START) -> list[Candle]:
    """A random walk with a hole of three hours in every 400."""
    drawn, price, found = random.Random(seed), Decimal(40_000), []
    for place in range(length):
        opened, price = (
            price,
            (price * Decimal(str(round(1 + drawn.gauss(0, step_share), 6)))).quantize(Decimal("0.01")),
        )
        volume = Decimal(str(round(drawn.uniform(1, 900), 5)))
        middle = ((opened + price) / 2).quantize(Decimal("0.01"))
        figures = {"open": opened, "base_volume": volume, "quote_volume": middle * volume}
        if place % 400 not in (200, 201, 202):
            found.append(candle(start + place * HOUR, price, **figures))
    return found


def recorded(folder: Path, symbol: str, start: datetime, end: datetime) -> list[Candle]:
    """Recorded hours of Binance in [start, end); figures as the shortest decimal of their float."""
    path = folder / "binance" / "klines_1h" / f"{symbol}.parquet"
    first, last = (int(at.timestamp() * 1000) for at in (start, end))
    table = pq.read_table(path, filters=[("open_time", ">=", first), ("open_time", "<", last)]).to_pydict()
    rows = zip(*(table[name] for name in ("open_time", "open", "high", "low", "close", "volume", "quote_volume",
                                           "trades")), strict=True)  # fmt: skip
    return [
        Candle(datetime.fromtimestamp(at / 1000, UTC), *(Decimal(repr(figure)) for figure in figures), int(trades))
        for at, *figures, trades in rows
    ]


def put(
    connection: Connection,
    where: Market,
    candles: Sequence[Candle],
    recorded_at: datetime = KNOWN,
    timeframe: str = "1h",
) -> int:
    """Store candles as a collector does; the instrument's id."""
    assert all(each.opened_at + step(timeframe) <= recorded_at for each in candles)
    instrument_id = ensure_instrument(connection, where)
    upsert_candles(
        connection, instrument_id, timeframe, candles, source="test", world="recorded", recorded_at=recorded_at
    )
    return instrument_id


def rows(connection: Connection, table: str) -> list[tuple[Any, ...]]:
    """What a table says, without when that was put down."""
    standing = "where retracted_at is null" if table == "price_alert" else ""
    keys = "1, 2, 3, 4" if table == "candle_flag" else "1, 2, 3"
    return connection.execute(f"select {TABLES[table]} from mart.{table} {standing} order by {keys}").fetchall()


def everything(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    return {table: rows(connection, table) for table in TABLES}


def physical(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Where each row version lies and which transactions wrote and locked it: any rewrite shows."""
    return {
        table: connection.execute(f"select ctid, xmin, xmax from mart.{table} order by ctid").fetchall()
        for table in [*TABLES, "definition"]
    }
