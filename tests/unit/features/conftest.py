"""Candles as the computation takes them: recorded ones with their real holes, and drawn ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="session")
def fear_greed(market_data_dir: Path) -> pd.DataFrame:
    """The recorded index, published ten minutes into each day."""
    recorded = pd.read_csv(market_data_dir / "alternative_me" / "fng_daily.csv")
    day, value = recorded["timestamp"] // 86400, recorded["value"].astype(float)
    return pd.DataFrame({"day": day, "value": value, "published_at": recorded["timestamp"] + 600})


@pytest.fixture(scope="session")
def bitcoin(market_data_dir: Path) -> pd.DataFrame:
    """Recorded BTC/USDT hours of 2018 and 2019, outages and all."""
    recorded = pd.read_parquet(market_data_dir / "binance" / "klines_1h" / "BTCUSDT.parquet")
    prices = recorded[["open", "high", "low", "close"]]
    candles = prices.assign(
        bar=recorded["open_time"] // 3_600_000,
        base_volume=recorded["volume"],
        taker_buy_base_volume=recorded["taker_buy_base"],
    )
    return candles.iloc[:12_000].reset_index(drop=True)


def drawn_candles(first_bar: int, length: int, seed: int = 3) -> pd.DataFrame:
    """A random walk without a hole."""
    random = np.random.default_rng(seed)
    close = 20_000 * np.exp(np.cumsum(random.normal(0, 0.01, length)))
    opened = np.concatenate([[20_000.0], close[:-1]])
    volume = random.uniform(1, 100, length)
    return pd.DataFrame(
        {
            "bar": np.arange(first_bar, first_bar + length),
            "open": opened,
            "high": np.maximum(opened, close) * 1.001,
            "low": np.minimum(opened, close) * 0.999,
            "close": close,
            "base_volume": volume,
            "taker_buy_base_volume": volume * random.uniform(0, 1, length),
        }
    )


@pytest.fixture
def walk() -> pd.DataFrame:
    """4000 drawn bars that begin in the middle of a block."""
    return drawn_candles(first_bar=480_100, length=4000)
