"""Forty days of two markets with all that is made of them, for tests of the data API that only read."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from include.config.markets import MARKETS, Market
from include.features.upsert import upsert_features
from include.transforms.run import run_transforms
from include.venues.model import FearGreed, Ticker
from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.connection import Connection, connect
from include.warehouse.fear_greed import upsert_fear_greed
from include.warehouse.tickers import upsert_tickers
from tests.integration.mart import START, put, walk

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DAYS = 40
END = START + DAYS * DAY  # close of the newest candle
NOW = END + timedelta(minutes=10)
HOLES = [200, 201, 202, 600, 601, 602]  # hours that nobody can account for
BTC = {"venue": "binance", "symbol": "BTC/USDT"}
TICKED = 12 * 24  # snapshots, one in five minutes
BINANCE, KRAKEN = MARKETS[0], MARKETS[3]  # binance BTC/USDT, kraken BTC/USD


def fill(dsns: WarehouseDsns) -> None:
    """Candles, features, index, tickers, rankings and alerts, by the functions that the DAGs call."""
    with connect(dsns.writer) as writer:
        for seed, market in enumerate((BINANCE, KRAKEN)):
            hours = walk(DAYS * 24, seed, step_share=0.02)
            put(writer, market, hours, NOW)
            tick(writer, market)
        days = [
            FearGreed((START + day * DAY).date(), 20 + day, "Fear", START + day * DAY + timedelta(minutes=15))
            for day in range(DAYS)
            if day != 7
        ]
        upsert_fear_greed(writer, days, source="test", world="recorded", recorded_at=NOW)
        upsert_features(writer, NOW)
        run_transforms(writer, NOW)
    with connect(dsns.owner) as owner:
        owner.execute("analyze")


def tick(writer: Connection, market: Market) -> None:
    """A day of snapshots before NOW, but for one hour."""
    found = writer.execute(
        "select instrument_id from market.instrument where venue = %s and symbol = %s", (market.venue, market.symbol)
    ).fetchone()
    assert found
    some = [
        Ticker(market.venue_symbol, NOW - timedelta(minutes=5 * back), Decimal(40_000 + back), bid=Decimal("39999.10"))
        for back in range(1, TICKED)
        if not 100 <= back < 112
    ]
    upsert_tickers(writer, some, {market.venue_symbol: found[0]}, source="test", world="recorded", recorded_at=NOW)
