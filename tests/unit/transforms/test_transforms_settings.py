"""The settings against recorded history: a quote that loses its dollar for a weekend is no implausible price."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from include.config.transforms import (
    ALERT_AGAIN_BELOW_PERCENT,
    ALERT_PERCENT,
    DOLLARS,
    OFF_MARKET_PERCENT,
    PRICE_RULES,
    USUAL_WITHIN_BARS,
    spike_factors,
)
from include.transforms.spans import PRICE_FLAG_BARS

Closes = dict[int, float]


def closes(path: Path, column: str, units_per_hour: int) -> Closes:
    """The last close of each hour since the epoch."""
    table = pq.read_table(path, columns=[column, "close"]).to_pydict()
    return {at // units_per_hour: close for at, close in zip(table[column], table["close"], strict=True)}


@pytest.mark.parametrize("path", ["XBTUSDC_2023Q1.parquet", "XBTUSD.parquet"])
def test_no_quote_was_ever_so_far_from_another(market_data_dir: Path, path: str) -> None:
    tether = closes(market_data_dir / "binance/klines_1h/BTCUSDT.parquet", "open_time", 3_600_000)
    folder = "ohlcvt_1m" if "USDC" in path else "ohlcvt_1h"
    other = closes(market_data_dir / "kraken" / folder / path, "time", 3600)
    apart = max(abs(other[hour] / tether[hour] - 1) * 100 for hour in other.keys() & tether.keys())
    assert 10 < apart < OFF_MARKET_PERCENT


def test_settings_fit_together() -> None:
    assert 0 < ALERT_AGAIN_BELOW_PERCENT <= ALERT_PERCENT
    assert PRICE_FLAG_BARS <= USUAL_WITHIN_BARS
    assert "null_figure" not in PRICE_RULES
    assert len(set(DOLLARS)) == len(DOLLARS)
    for timeframe in ("1m", "1h", "1d"):
        assert min(spike_factors(timeframe).wick, spike_factors(timeframe).jump) > 1
