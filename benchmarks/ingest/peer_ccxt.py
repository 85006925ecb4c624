"""The usual loop: ccxt's fetch_ohlcv page by page, each page by executemany. Runs in an environment of its own.

`python peer_ccxt.py --url URL --dsn DSN --minutes N` prints rows and seconds as JSON. Its limiter is set to the venue's
whole budget; its figures are floats, six columns of them.
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import UTC, datetime

import ccxt  # type: ignore[import-not-found]
import psycopg

FIRST_MS = int(datetime(2023, 1, 1, tzinfo=UTC).timestamp() * 1000)
TABLE = """
create temporary table ohlcv (
    exchange text, symbol text, timeframe text, opened_at timestamptz,
    open numeric, high numeric, low numeric, close numeric, volume numeric,
    primary key (exchange, symbol, timeframe, opened_at)
)
"""
UPSERT = """
insert into ohlcv values ('binance', 'BTC/USDT', '1m', to_timestamp(%s / 1000.0), %s, %s, %s, %s, %s)
on conflict (exchange, symbol, timeframe, opened_at) do update set
open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close, volume = excluded.volume
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--dsn", required=True)
    parser.add_argument("--minutes", type=int, required=True)
    asked = parser.parse_args()
    exchange = ccxt.binance({"enableRateLimit": True, "options": {"fetchMarkets": {"types": ["spot"]}}})
    exchange.urls["api"]["public"] = f"{asked.url}/api/v3"
    exchange.load_markets()
    stored, since = 0, FIRST_MS
    with psycopg.connect(asked.dsn) as connection:
        connection.execute(TABLE)
        connection.commit()
        began = time.perf_counter()
        while stored < asked.minutes:
            page = exchange.fetch_ohlcv("BTC/USDT", "1m", since, 1000)[: asked.minutes - stored]
            if not page:
                break
            with connection.cursor() as cursor:
                cursor.executemany(UPSERT, page)
            connection.commit()
            stored, since = stored + len(page), page[-1][0] + 1
        seconds = time.perf_counter() - began
    print(json.dumps({"rows": stored, "seconds": seconds}))


if __name__ == "__main__":
    main()
