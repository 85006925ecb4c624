"""The view crypto_prices: one row per coin and close, of one market, readable by whoever only looks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from include.candles.model import Candle
from include.config.markets import Market
from include.features import schema
from include.features.registry import FEATURES, NAMES
from include.features.schema import VIEW_COLUMNS, install_features
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
    names = list(VIEW_COLUMNS)
    assert [column.name for column in description] == [*names[:8], *NAMES, *names[8:]]


def test_every_column_says_what_it_means(reader: Connection) -> None:
    query = """
        select a.attname, col_description(a.attrelid, a.attnum)
        from pg_attribute as a where a.attrelid = 'public.crypto_prices'::regclass and a.attnum > 0
    """
    said = dict(reader.execute(query).fetchall())
    assert list(said) == list(VIEW_COLUMNS)[:8] + list(NAMES) + list(VIEW_COLUMNS)[8:]
    assert all(said.values())
    assert "[0 to 100]" in said["rsi_14"]


def test_the_registry_makes_its_columns_and_its_view_once(
    owner: Connection, reader: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not install_features(owner)
    extra = (*FEATURES, replace(FEATURES[0], name="a_new_one"))
    monkeypatch.setattr(schema, "FEATURES", extra)
    monkeypatch.setattr(schema, "NAMES", tuple(feature.name for feature in extra))
    assert install_features(owner)
    assert not install_features(owner)
    assert reader.execute("select a_new_one from crypto_prices").fetchall() == []


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
