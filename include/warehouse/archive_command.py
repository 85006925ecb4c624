"""`python -m include.cli archive list|verify|restore`: what has left for files, whether these are whole, and back.

Exit status: 0 where all is well, 1 where a file is not what was archived or a month could not be restored, 2 where the
question could not be answered.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime

import psycopg

from include.candles.timeframes import SECONDS
from include.clock import Clock, clock_from_environment
from include.warehouse.archive import restore_month
from include.warehouse.archive_file import TICKER, ArchiveError
from include.warehouse.archive_manifest import Manifest, manifests, read_back
from include.warehouse.archive_store import URI_VARIABLE, StorePath, store_of_command
from include.warehouse.connection import DSN_VARIABLE, Connection, UnnamedWarehouseError, connect, dsn_of_command

HEADER = ("market", "series", "month", "rows", "schema", "archived", "where")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("what", choices=("list", "verify", "restore"), help="what to do with the months chosen")
    parser.add_argument("--market", action="append", default=[], metavar="VENUE:BASE/QUOTE", help="only this market")
    parser.add_argument(
        "--series", action="append", default=[], choices=[*SECONDS, TICKER.noun], help="only this timeframe, or tickers"
    )
    parser.add_argument("--month", type=_month, metavar="YYYY-MM", help="only this month")
    parser.add_argument("--from", dest="first", type=_month, metavar="YYYY-MM", help="this month and later ones")
    parser.add_argument("--to", dest="before", type=_month, metavar="YYYY-MM", help="months before this one")
    parser.add_argument("--act", action="store_true", help="restore; without it, say what would be restored")
    parser.add_argument("--store", help=f"folder or URI of the archive (default: the environment's {URI_VARIABLE})")
    parser.add_argument("--dsn", help=f"the warehouse (default: the environment's {DSN_VARIABLE})")


def run(options: argparse.Namespace, environ: Mapping[str, str] = os.environ, clock: Clock | None = None) -> int:
    """List, verify or restore; the exit status (see above)."""
    try:
        with connect(dsn_of_command(options.dsn, environ)) as connection:
            chosen = [each for each in manifests(connection) if _is_meant(each, options)]
            if not chosen:
                return _unanswered("the archive holds no such month")
            if options.what == "list":
                return _list(chosen)
            store = store_of_command(options.store, environ)
            if options.what == "verify":
                return _verify(store, chosen)
            gone = [each for each in chosen if each.dropped_at]
            if not options.act:
                return _say(gone)
            return _restore(connection, store, gone, (clock or clock_from_environment(environ)).now())
    except (UnnamedWarehouseError, ArchiveError, psycopg.Error, OSError) as error:
        return _unanswered(str(error).strip())


def _is_meant(manifest: Manifest, options: argparse.Namespace) -> bool:
    return (
        (not options.market or manifest.market in options.market)
        and (not options.series or (manifest.timeframe or TICKER.noun) in options.series)
        and options.month in (None, manifest.month)
        and (options.first is None or manifest.month >= options.first)
        and (options.before is None or manifest.month < options.before)
    )


def _list(chosen: list[Manifest]) -> int:
    lines = [HEADER, *map(_cells, chosen)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    return 0


def _cells(manifest: Manifest) -> tuple[str, ...]:
    left = manifest.dropped_at
    where = f"archive alone since {left.astimezone(UTC):%Y-%m-%d}" if left else "table and archive"
    rows, version = str(manifest.row_count), str(manifest.schema_version)
    written = f"{manifest.archived_at.astimezone(UTC):%Y-%m-%d}"
    series = manifest.timeframe or TICKER.noun
    return manifest.market, series, f"{manifest.month:%Y-%m}", rows, version, written, where


def _verify(store: StorePath, chosen: list[Manifest]) -> int:
    """Read every file whole; those that are not what was archived are named."""
    wrong = 0
    for number, manifest in enumerate(chosen, 1):
        try:
            read_back(store, manifest)
        except (ArchiveError, OSError) as error:
            wrong += 1
            print(f"{manifest}: {error}")
        _progress(number, len(chosen))
    rows = sum(each.row_count for each in chosen)
    print(f"{len(chosen) - wrong} of {len(chosen)} files are what was archived ({rows:,} rows promised)")
    return 1 if wrong else 0


def _say(gone: list[Manifest]) -> int:
    for manifest in gone:
        print(f"{manifest}: {manifest.row_count} {manifest.dataset.noun} would be restored from {manifest.path}")
    rows = sum(each.row_count for each in gone)
    print(f"{len(gone)} months, {rows:,} rows; nothing was done, --act restores them" if gone else "no month has left")
    return 0


def _restore(connection: Connection, store: StorePath, gone: list[Manifest], now: datetime) -> int:
    """Month by month, each in a transaction of its own; one that cannot be restored does not hold up the others."""
    restored = wrong = 0
    for number, manifest in enumerate(gone, 1):
        key = manifest.instrument_id, manifest.timeframe, manifest.month
        try:
            restored += restore_month(connection, store, *key, now)
        except (ArchiveError, OSError) as error:
            wrong += 1
            print(f"{manifest}: {error}")
        _progress(number, len(gone))
    print(f"{len(gone) - wrong} of {len(gone)} months restored, {restored:,} rows")
    return 1 if wrong else 0


def _progress(number: int, of: int) -> None:
    if number == of or number % 20 == 0:
        print(f"{number} of {of} months", file=sys.stderr)


def _month(text: str) -> date:
    return date.fromisoformat(f"{text}-01")


def _unanswered(why: str) -> int:
    print(why, file=sys.stderr)
    return 2
