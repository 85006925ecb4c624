"""Our whole path in a process of its own: client, gate, parser, validation, COPY, evidence. Prints figures as JSON.

`python -m benchmarks.ingest.ours rest|archive --url URL --dsn DSN --minutes N`, as an operator of ours does it, but
with the venue's whole budget.
"""

from __future__ import annotations

import argparse
import json
import resource
import time

from benchmarks.ingest.candles import FIRST, MINUTE
from include.clock import FixedClock
from include.collect.candles import collect_candles
from include.collect.instruments import resolve_instrument
from include.collect.page_sources import binance
from include.config.markets import Market
from include.politeness.gate import gate_for
from include.venues.binance import Binance
from include.venues.binance_archive import BinanceArchive
from include.venues.capabilities import Limit
from include.venues.http import RequestsTransport
from include.warehouse.connection import connect

# 50 requests a second that take 0.15 s each need 7.5 under way; the rest covers their unevenness.
CONCURRENCY = 16
NOW = FIRST.replace(year=FIRST.year + 5)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("source", choices=("rest", "archive"))
    parser.add_argument("--url", required=True)
    parser.add_argument("--dsn", required=True)
    parser.add_argument("--minutes", type=int, required=True)
    asked = parser.parse_args()
    market = Market("binance", "BTC/USDT", "BTCUSDT", FIRST)
    with (
        connect(asked.dsn) as connection,
        gate_for("binance", "backfill", asked.dsn, [Limit(6000, 60)]) as gate,
        gate_for("binance_archive", "backfill", asked.dsn) as archive_gate,
    ):
        client = Binance(RequestsTransport(asked.url), gate=gate, concurrency=CONCURRENCY)
        archive = BinanceArchive(RequestsTransport(asked.url), gate=archive_gate)
        resolve_instrument(connection, client, market, NOW)  # once a day, as others load their markets
        began = time.perf_counter()
        outcome = collect_candles(
            connection,
            binance(client, archive),
            market,
            "1m",
            FIRST,
            FIRST + asked.minutes * MINUTE,
            FixedClock(NOW),
            rest=asked.source == "rest",
        )
        seconds = time.perf_counter() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rows": outcome.new, "seconds": seconds, "rss_mb": memory}))


if __name__ == "__main__":
    main()
