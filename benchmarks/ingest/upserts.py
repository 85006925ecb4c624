"""Candles that are in memory already, into the warehouse: ours, and an upsert by ON CONFLICT … WHERE.

`python -m benchmarks.ingest.upserts ours|on_conflict --dsn DSN --rows N` prints rows and seconds as JSON. Both take
the same batches, encode them alike, and write to the same table.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable
from datetime import datetime

from benchmarks.ingest.candles import FIRST, walk
from include.candles.batch import CandleBatch
from include.candles.model import Candle
from include.config.markets import Market
from include.warehouse.candles import VALUE_COLUMNS, upsert_candles
from include.warehouse.connection import Connection, connect
from include.warehouse.copy_binary import candle_rows
from include.warehouse.instruments import ensure_instrument
from include.warehouse.staging import copy_binary, make_staging

BATCH = 20_000  # as the collectors do
KNOWN = FIRST.replace(year=FIRST.year + 5)
MARKET = Market("binance", "BTC/USDT", "BTCUSDT", FIRST)
COLUMNS = ", ".join(VALUE_COLUMNS)
ON_CONFLICT = f"""
insert into market.candle (instrument_id, timeframe, opened_at, recorded_at, source, {COLUMNS})
select %s, '1m', opened_at, %s, 'benchmark', {COLUMNS} from candle_staging
on conflict (instrument_id, timeframe, opened_at) do update set
{", ".join(f"{name} = excluded.{name}" for name in VALUE_COLUMNS)}
where ({", ".join(f"candle.{name}" for name in VALUE_COLUMNS)})
is distinct from ({", ".join(f"excluded.{name}" for name in VALUE_COLUMNS)})
"""

Way = Callable[[Connection, int, CandleBatch], object]


def ours(connection: Connection, instrument_id: int, batch: CandleBatch) -> object:
    return upsert_candles(connection, instrument_id, "1m", batch, source="benchmark", world="live", recorded_at=KNOWN)


def on_conflict(connection: Connection, instrument_id: int, batch: CandleBatch) -> object:
    with connection.transaction():
        make_staging(connection, "candle_staging", "market.candle", Candle._fields)
        copy_binary(connection, "candle_staging", Candle._fields, candle_rows(batch))
        return connection.execute(ON_CONFLICT, (instrument_id, KNOWN))


def store(connection: Connection, way: Way, rows: int, known: datetime = KNOWN) -> float:
    """Seconds to pass all rows on, batch by batch."""
    instrument_id = ensure_instrument(connection, MARKET)
    batch = walk(rows)
    began = time.perf_counter()
    for first in range(0, rows, BATCH):
        way(connection, instrument_id, batch[first : first + BATCH])
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("way", choices=("ours", "on_conflict"))
    parser.add_argument("--dsn", required=True)
    parser.add_argument("--rows", type=int, required=True)
    asked = parser.parse_args()
    with connect(asked.dsn) as connection:
        seconds = store(connection, ours if asked.way == "ours" else on_conflict, asked.rows)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rows": asked.rows, "seconds": seconds, "rss_mb": memory}))


if __name__ == "__main__":
    main()
