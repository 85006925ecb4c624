"""`python -m include.cli coverage`: is every candle that must be there there, and if not, why not?

Exit status: 0 where every candle is accounted for, 1 where any is not or a certificate does not hold, 2 where the
question could not be answered.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from include.candles.timeframes import SECONDS
from include.clock import Clock, clock_from_environment
from include.coverage.certificate import CertificateError, describe, differences, issue, parse
from include.coverage.equation import Equation, SeriesCoverage, coverage
from include.warehouse.connection import DSN_VARIABLE, Connection, UnnamedWarehouseError, connect, dsn_of_command

HEADER = ("month", "expected", "observed", "empty", "outage", "out of reach", "pending", "unknown")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("--market", action="append", default=[], metavar="VENUE:BASE/QUOTE", help="only this market")
    parser.add_argument("--timeframe", action="append", default=[], choices=SECONDS, help="only this timeframe")
    parser.add_argument("--from", dest="start", type=_time, metavar="TIME", help="first open time (UTC, ISO 8601)")
    parser.add_argument("--to", dest="end", type=_time, metavar="TIME", help="open times before this one")
    parser.add_argument("--months", action="store_true", help="print the equation of every month")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--certificate", type=Path, metavar="FILE", help="write a certificate with hashes")
    parser.add_argument("--check", type=Path, metavar="FILE", help="hold the warehouse to a certificate")
    parser.add_argument("--dsn", default=None, help=f"the warehouse (default: the environment's {DSN_VARIABLE})")


def run(options: argparse.Namespace, environ: Mapping[str, str] = os.environ, clock: Clock | None = None) -> int:
    """Print the equation, or check a certificate; the exit status (see above)."""
    if options.start and options.end and options.start >= options.end:
        return _unanswered("--from has to lie before --to")
    try:
        with connect(dsn_of_command(options.dsn, environ)) as connection:
            if options.check:
                return _check(connection, options.check)
            return _print(connection, options, (clock or clock_from_environment(environ)).now())
    except (UnnamedWarehouseError, psycopg.Error, CertificateError, OSError) as error:
        return _unanswered(str(error).strip())


def _print(connection: Connection, options: argparse.Namespace, now: datetime) -> int:
    found = coverage(
        connection,
        now,
        markets=options.market,
        timeframes=options.timeframe,
        start=options.start,
        end=options.end,
    )
    if unknown := sorted(set(options.market) - {series.market for series in found}):
        return _unanswered(f"nothing is known of {', '.join(unknown)}: no candle and no answer of a venue")
    if not found:
        return _unanswered("nothing is known: no candle and no answer of a venue")
    if options.json:
        print(json.dumps([describe(series) for series in found], indent=2))
    else:
        for series in found:
            _print_series(series, with_months=options.months)
    if options.certificate:
        document = issue(connection, found, now, options.start, options.end)
        options.certificate.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"certificate {document['sha256']} in {options.certificate}", file=sys.stderr)
    return 0 if all(series.equation.is_complete for series in found) else 1


def _check(connection: Connection, file: Path) -> int:
    document = parse(file.read_text(encoding="utf-8"))
    told = differences(connection, document)
    for line in told:
        print(line)
    if not told:
        print(f"the warehouse is what {document['sha256']} of {document['generated_at']} certifies")
    return 1 if told else 0


def _print_series(series: SeriesCoverage, *, with_months: bool) -> None:
    verdict = "complete" if series.equation.is_complete else "NOT COMPLETE"
    print(f"{series.market} {series.timeframe}, {series.extent or 'nothing expected'}: {verdict}")
    print(f"  {series.equation}")
    if with_months:
        rows = [(f"{month:%Y-%m}", *_figures(each)) for month, each in series.months.items()]
        _print_table([HEADER, *rows])
    for each in series.unknown:
        print(f"  unknown: {each}")


def _figures(each: Equation) -> tuple[str, ...]:
    shown = (each.expected, each.observed, each.empty, each.outage, each.out_of_reach, each.pending, each.unknown)
    return tuple(map(str, shown))


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("    " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))


def _time(text: str) -> datetime:
    """A time of the command line; without a zone it is UTC."""
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _unanswered(why: str) -> int:
    print(why, file=sys.stderr)
    return 2
