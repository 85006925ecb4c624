"""The view crypto_prices: one row per coin and close, of one market, readable by whoever only looks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from include.candles.model import Candle
from include.config.markets import Market
from include.features.registry import NAMES
from include.features.upsert import upsert_features
from include.warehouse.candles import upsert_candles
from include.warehouse.connection import Connection
from include.warehouse.instruments import ensure_instrument

START = datetime(2024, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
KNOWN = datetime(2024, 3, 1, tzinfo=UTC)


def put(connection: Connection, venue: str, symbol: str, price: int, hours: int = 30, timeframe: str = "1h") -> None:
    market = Market(venue, symbol, symbol.replace("/", ""), START)
    value, volume = Decimal(price) + Decimal("0.10000001"), Decimal("2.50000000")
    length = HOUR if timeframe == "1h" else 24 * HOUR
    candles = [Candle(START + hour * length, value, value, value, value, volume) for hour in range(hours)]
    upsert_candles(
        connection, ensure_instrument(connection, market), timeframe, candles, source="test", world="synthetic",
        recorded_at=KNOWN,
    )  # fmt: skip


def test_a_row_says_what_was_known_at_the_close(writer: Connection, reader: Connection) -> None:
    put(writer, "binance", "BTC/USDT", 40_000)
    upsert_features(writer, KNOWN)
    got = reader.execute(
        "select crypto, timestamp, price, volume, opened_at, venue, symbol, world, change_percent, hour_of_day "
        "from crypto_prices order by timestamp desc limit 1"
    ).fetchone()
    opened = START + 29 * HOUR
    price = Decimal("40000.10000001")
    assert got == (
        "BTC", opened + HOUR, price, Decimal("2.50000000"), opened, "binance", "BTC/USDT", "synthetic", 0.0, 5.0
    )  # fmt: skip


def test_every_feature_is_a_column(reader: Connection) -> None:
    description = reader.execute("select * from crypto_prices").description
    assert description is not None
    assert [column.name for column in description] == [
        "crypto", "timestamp", "price", "volume", *NAMES, "opened_at", "venue", "symbol", "world"
    ]  # fmt: skip


def test_one_market_speaks_for_a_coin(writer: Connection, reader: Connection) -> None:
    put(writer, "zebra", "BTC/USDT", 1)
    put(writer, "kraken", "BTC/USD", 2)
    put(writer, "binance", "BTC/USDC", 3, hours=40)
    put(writer, "coinbase", "ETH/EUR", 4)
    put(writer, "coinbase", "ETH/USD", 5)
    put(writer, "binance", "ETH/USDT", 6, timeframe="1d")
    upsert_features(writer, KNOWN)
    chosen = "select crypto, venue, symbol, count(*), count(distinct timestamp) from crypto_prices group by 1, 2, 3"
    assert sorted(reader.execute(chosen).fetchall()) == [
        ("BTC", "binance", "BTC/USDC", 40, 40),
        ("ETH", "coinbase", "ETH/USD", 30, 30),
    ]
    put(writer, "binance", "BTC/USDT", 7)
    upsert_features(writer, KNOWN)
    assert ("BTC", "binance", "BTC/USDT", 30, 30) in reader.execute(chosen).fetchall()


def test_a_reader_may_look_and_no_more(reader: Connection) -> None:
    rights = reader.execute(
        "select privilege from unnest(array['select', 'insert', 'update', 'delete']) as p (privilege) "
        "where has_table_privilege('features.candle_feature', privilege)"
    ).fetchall()
    assert rights == [("select",)]
