"""Months archived, dropped and restored: rows a second of each step, and whether the tables' hashes are what they were.

`python -m benchmarks.bench_archive [--months 24] [--markets 2]`, or `make bench-archive`. Candles of 1h and 1d, and a
ticker every five minutes, of each market, in a PostgreSQL cluster of the benchmark's own that writes to the disk as one
in production does. Exit status 1 where a hash differs.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.ingest.database import warehouse
from include.candles.model import Candle
from include.candles.timeframes import step
from include.config.markets import MARKETS, Market
from include.venues.model import Ticker
from include.warehouse.archive import archive_month, drop_archived_month, drop_ticker_month, restore_month
from include.warehouse.archive_manifest import Manifest, manifests, read_back
from include.warehouse.archive_series import SeriesMonth, series_months, ticker_months
from include.warehouse.candles import upsert_candles
from include.warehouse.connection import Connection, connect
from include.warehouse.instruments import ensure_instrument
from include.warehouse.months import later, month_span
from include.warehouse.tickers import upsert_tickers

FIRST = date(2023, 1, 1)
FIVE_MINUTES = timedelta(minutes=5)
TIMEFRAMES = ("1h", "1d")
TABLES = ("market.candle", "market.ticker")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--markets", type=int, default=2)
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        warehouse(Path(folder)) as dsns,
        connect(dsns.writer) as connection,
    ):
        fill(connection, MARKETS[: asked.markets], asked.months)
        return measure(connection, Path(folder) / "archive", asked.months)


def fill(connection: Connection, markets: tuple[Market, ...], months: int) -> None:
    """Random walks of every market, month by month."""
    drawn = random.Random(6)  # noqa: S311 - made-up prices, the same in each run
    for place in range(months):
        start, end = month_span(later(FIRST, place))
        known: dict[str, Any] = {"source": "bench", "world": "synthetic", "recorded_at": end + timedelta(days=1)}
        for market in markets:
            instrument_id = ensure_instrument(connection, market)
            for timeframe in TIMEFRAMES:
                candles = list(candles_of(drawn, start, end, timeframe))
                upsert_candles(connection, instrument_id, timeframe, candles, **known)
            upsert_tickers(connection, tickers_of(drawn, start, end), {"X": instrument_id}, **known)
        print(f"\rfilled {place + 1} of {months} months", end="", file=sys.stderr)
    print(file=sys.stderr)


def candles_of(drawn: random.Random, start: datetime, end: datetime, timeframe: str) -> Iterator[Candle]:
    for place in range((end - start) // step(timeframe)):
        price = Decimal(drawn.randrange(10**12, 9 * 10**12)).scaleb(-8)
        volume = Decimal(drawn.randrange(10**12)).scaleb(-8)
        figures = price, price + 1, price - 1, price, volume, volume * 2, drawn.randrange(10**5)
        yield Candle(start + place * step(timeframe), *figures)


def tickers_of(drawn: random.Random, start: datetime, end: datetime) -> Iterator[Ticker]:
    for place in range((end - start) // FIVE_MINUTES):
        price = Decimal(drawn.randrange(10**6, 9 * 10**6)).scaleb(-2)
        change, volume = Decimal(drawn.randrange(-900, 900)).scaleb(-2), Decimal(drawn.randrange(10**12)).scaleb(-8)
        at = start + place * FIVE_MINUTES + timedelta(microseconds=drawn.randrange(10**6))
        yield Ticker("X", at, price, price - 1, price + 1, price, price, price, volume, volume, change, place)


def measure(connection: Connection, store: Path, months: int) -> int:
    now = month_span(later(FIRST, months))[0] + timedelta(days=40)
    start, end = month_span(FIRST)[0], month_span(later(FIRST, months - 1))[1]
    before = hashes(connection)
    for module in ("pandas", "pyarrow.parquet"):  # a second that no file should bear
        import_module(module)
    equal = True
    for name, held in (("candles", series_months(connection, start, end)), ("tickers", ticker_months(connection, end))):
        archive = timed(
            held, lambda of: archive_month(connection, store, of.instrument_id, of.timeframe, of.month, now)
        )
        if name == "candles":
            drop = timed(
                held,
                lambda of: drop_archived_month(connection, store, of.instrument_id, str(of.timeframe), of.month, now),
            )
        else:
            drop = timed(sorted({of.month for of in held}), lambda of: drop_ticker_month(connection, store, of, now))
        files = manifests(connection, name.removesuffix("s"))
        verify = timed(files, lambda of: read_back(store, of))
        restore = timed(
            files, lambda of: restore_month(connection, store, of.instrument_id, of.timeframe, of.month, now)
        )
        told(name, held, files, store, {"archive": archive, "drop": drop, "verify": verify, "restore": restore})
    after = hashes(connection)
    for table in TABLES:
        equal = equal and before[table] == after[table]
        print(f"{table}: {'the same hash' if before[table] == after[table] else 'ANOTHER HASH'} {after[table]}")
    return 0 if equal else 1


def timed(parts: Sequence[Any], work: Callable[[Any], object]) -> tuple[float, float]:
    """Seconds by the wall clock, and of this process at work: PostgreSQL's and the disk's are the rest."""
    began, worked = time.perf_counter(), time.process_time()
    for part in parts:
        work(part)
    return time.perf_counter() - began, time.process_time() - worked


def told(
    name: str, held: list[SeriesMonth], files: list[Manifest], store: Path, seconds: dict[str, tuple[float, float]]
) -> None:
    rows = sum(each.row_count for each in held)
    size = sum((store / each.path).stat().st_size for each in files)
    print(f"{name}: {rows:,} rows in {len(files)} files of {size / 1e6:.1f} MB ({size / rows:.0f} bytes a row)")
    for what, (took, own) in seconds.items():
        pace = f"{rows / took:9,.0f} rows/s  {took / len(files) * 1000:7.1f} ms a file"
        print(f"  {what:8} {took:7.1f} s  {pace}  (own work {own:6.1f} s)")


def hashes(connection: Connection) -> dict[str, object]:
    query = "select md5(string_agg(md5(t::text), '' order by t::text)) from {} as t"
    return {table: (connection.execute(query.format(table)).fetchone() or (None,))[0] for table in TABLES}


if __name__ == "__main__":
    sys.exit(main())
