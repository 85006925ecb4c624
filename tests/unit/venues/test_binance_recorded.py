"""Real recorded pages through the real parser: nothing lost, nothing refused, every digit kept."""

import gzip
import json
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from include.candles.timeframes import EPOCH
from include.venues.binance import Binance
from include.venues.http import Response

HOUR = timedelta(hours=1)
PAGES = [
    "BTCUSDT_1h_2018-02-01",
    "BTCUSDT_1h_2020-12-01",
    "BTCUSDT_1h_2023-03-01",
    "BTCUSDT_1h_2024-08-01",
    "BNBUSDT_1h_2023-03-01",
]


class Recorded:
    def __init__(self, rows: list[list[Any]]) -> None:
        self.rows = rows

    def get(self, path: str, params: Any = None, headers: Any = None) -> Response:
        chosen = [row for row in self.rows if params["startTime"] <= row[0] <= params["endTime"]]
        return Response(200, {}, json.dumps(chosen[: params["limit"]]).encode(), path)


@pytest.mark.parametrize("name", PAGES)
def test_a_recorded_month_comes_through_whole(market_data_dir: Path, name: str) -> None:
    rows = json.loads(gzip.decompress((market_data_dir / f"binance/raw_rest_pages/{name}.json.gz").read_bytes()))
    start = EPOCH + timedelta(milliseconds=rows[0][0])
    end = EPOCH + timedelta(milliseconds=rows[-1][0]) + HOUR
    pages = list(Binance(Recorded(rows)).candles("X", "1h", start, end, datetime(2025, 2, 1, tzinfo=EPOCH.tzinfo)))
    candles = [candle for page in pages for candle in page.candles]
    assert [row for page in pages for row in page.rejected] == []
    wire = [
        [(c.opened_at - EPOCH) // timedelta(milliseconds=1), *c[1:6], c.quote_volume, c.trade_count, *c[9:]]
        for c in candles
    ]
    assert [[format(value, "f") if isinstance(value, Decimal) else str(value) for value in row] for row in wire] == [
        [str(value) for value in (*row[:6], *row[7:11])] for row in rows
    ]
