"""Candles and tickers put into a warehouse for the tests of the archive, and what the tables hold to the last digit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq

from include.candles.model import Candle
from include.config.markets import MARKETS, Market
from include.venues.model import Ticker
from include.warehouse.archive_run import archive_all, archive_tickers
from include.warehouse.archive_store import StorePath
from include.warehouse.candles import upsert_candles
from include.warehouse.connection import Connection
from include.warehouse.instruments import ensure_instrument
from include.warehouse.months import later
from include.warehouse.tickers import upsert_tickers

HOUR = timedelta(hours=1)
JANUARY = date(2023, 1, 1)
START = datetime(2023, 1, 1, tzinfo=UTC)
KNOWN = datetime(2025, 3, 1, tzinfo=UTC)
NOW = datetime(2025, 4, 1, 5, tzinfo=UTC)
BTC, ETH = MARKETS[0], MARKETS[1]
TABLES = ("market.candle", "market.ticker", "market.candle_revision")


def tickers(number: int, every: timedelta, start: datetime = START) -> list[Ticker]:
    """Snapshots whose figures differ in their decimal places, as venues send them, and some of which are missing."""
    found = []
    for place in range(number):
        last = Decimal(42_000 + place % 977) + Decimal(place % 100).scaleb(-(place % 3))
        found.append(
            Ticker(
                "BTCUSDT",
                start + place * every + timedelta(microseconds=place % 7 * 1001),
                last,
                bid=last - Decimal("0.10") if place % 5 else None,
                change_percent_24h=Decimal(place % 150 - 75).scaleb(-(place % 4)),
                base_volume_24h=Decimal("12345678901234567890.12345678"),
                trade_count_24h=place,
            )
        )
    return found


def put_candles(connection: Connection, market: Market, candles: Sequence[Candle], timeframe: str = "1h") -> int:
    """Store candles as a collector does; the instrument's id."""
    instrument_id = ensure_instrument(connection, market)
    upsert_candles(connection, instrument_id, timeframe, candles, source="first", world="recorded", recorded_at=KNOWN)
    return instrument_id


def put_tickers(
    connection: Connection, market: Market, given: Sequence[Ticker], source: str = "first", world: str = "recorded"
) -> int:
    """Store tickers as a collector does; the instrument's id."""
    instrument_id = ensure_instrument(connection, market)
    ids = {ticker.symbol: instrument_id for ticker in given}
    upsert_tickers(connection, given, ids, source=source, world=world, recorded_at=KNOWN)
    return instrument_id


def simple_candles(number: int, start: datetime = START) -> list[Candle]:
    """Hours with prices of differing decimal places."""
    low, high, volume = Decimal("90.00000001"), Decimal(110), Decimal("1.50")
    closes = (Decimal(place % 100).scaleb(-(place % 3)) / 10 + 95 for place in range(number))
    return [
        Candle(start + place * HOUR, Decimal(100), high, low, close, volume, None, 42)
        for place, close in enumerate(closes)
    ]


def table_hashes(connection: Connection) -> dict[str, tuple[object, ...]]:
    """Rows of each table and the hash of their text: every digit, source and knowledge time."""
    return {
        table: connection.execute(
            f"select count(*), md5(string_agg(t::text, chr(10) order by t::text)) from {table} as t"
        ).fetchone()
        or ()
        for table in TABLES
    }


def archive_everything(connection: Connection, store: StorePath, months: int, *, drop: bool = True) -> None:
    """What the archival DAG does for so many months from the first on, told to act."""
    for place in range(months):
        archive_all(connection, store, later(JANUARY, place), NOW, dry_run=False, drop_rows=drop)
    archive_tickers(connection, store, NOW, keep_months=1, dry_run=False, drop_rows=drop)


def files(folder: Path) -> list[Path]:
    """Every Parquet file below a folder."""
    return sorted(folder.rglob("*.parquet"))


def flip(path: Path, place: int) -> None:
    """One bit of one byte."""
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def two_years(folder: Path | None, market: Market, timeframe: str) -> list[Candle]:
    """2023 and 2024: recorded candles of Binance with the shortest decimals of their floats, else made ones."""
    end = datetime(2025, 1, 1, tzinfo=UTC)
    if folder is None:
        length = timedelta(days=1) if timeframe == "1d" else HOUR
        made = simple_candles((end - START) // length)
        return [each._replace(opened_at=START + place * length) for place, each in enumerate(made)]
    path = folder / "binance" / f"klines_{timeframe}" / f"{market.symbol.replace('/', '')}.parquet"
    first, last = (int(at.timestamp() * 1000) for at in (START, end))
    table = pq.read_table(path, filters=[("open_time", ">=", first), ("open_time", "<", last)]).to_pydict()
    names = ("open_time", "open", "high", "low", "close", "volume", "quote_volume", "trades")
    found = []
    for at, *figures, trades in zip(*(table[name] for name in names), strict=True):
        first_price, high, low, close, volume, quote_volume = (Decimal(repr(figure)) for figure in figures)
        opened_at = datetime.fromtimestamp(at / 1000, UTC)
        found.append(Candle(opened_at, first_price, high, low, close, volume, quote_volume, int(trades)))
    return found
