"""`python -m include.cli reconcile`: what the venues' candles say of each other."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import psycopg

from include.candles.timeframes import SECONDS, step
from include.clock import clock_from_environment
from include.reconcile.model import DaySummary, Verdict
from include.reconcile.run import Reconciliation, reconcile
from include.warehouse.connection import DSN_VARIABLE, UnnamedWarehouseError, connect, dsn_of_command

DEFAULT_REACH = timedelta(days=7)
WORDS = ("agree", "quote_basis", "outlier", "missing", "uncompared")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    add = parser.add_argument
    add("--from", dest="start", type=_instant, help="first day, UTC (default: a week ago)")
    add("--to", dest="end", type=_instant, help="day it ends before, UTC (default: now)")
    add("--base", action="append", dest="bases", help="only verdicts on this coin, e.g. BTC; may be repeated")
    add("--timeframe", choices=sorted(SECONDS, key=SECONDS.__getitem__), default="1h", help="default: %(default)s")
    add("--json", action="store_true", help="print one JSON object")
    add("--store", action="store_true", help="keep the verdicts in market.reconciliation (needs the writer's rights)")
    add("--dsn", help=f"the warehouse (default: ${DSN_VARIABLE})")
    parser.epilog = "Exit status: 0 all agree or differ by their quotes, 1 outliers or unexplained gaps, 2 no answer."


def _instant(text: str) -> datetime:
    """ISO 8601 date or time; UTC where it names no zone."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def run(options: argparse.Namespace, environ: Mapping[str, str] = os.environ) -> int:
    """Compare and print; see the parser's epilogue for the status."""
    try:
        dsn = dsn_of_command(options.dsn, environ)
        now = clock_from_environment(environ).now()
        end = options.end or now
        start = options.start or end - DEFAULT_REACH
        if start >= end:
            print(f"--from {start:%Y-%m-%d %H:%M} is not before --to {end:%Y-%m-%d %H:%M}", file=sys.stderr)
            return 2
        with connect(dsn) as connection:
            found = reconcile(connection, start, end, now, options.bases, options.timeframe, keep=options.store)
    except (UnnamedWarehouseError, psycopg.Error, OSError) as error:
        print(f"the warehouse could not be reconciled: {error}", file=sys.stderr)
        return 2
    print(_as_json(found) if options.json else "\n".join(_as_table(found, options.timeframe)))
    return 1 if found.alarms else 0


def _totals(days: Sequence[DaySummary]) -> dict[tuple[str, str, str], Counter[str]]:
    totals: dict[tuple[str, str, str], Counter[str]] = {}
    for day in days:
        row = totals.setdefault((day.base, day.venue, day.symbol), Counter())
        row.update({word: getattr(day, word) for word in WORDS})
    return dict(sorted(totals.items()))


def _as_table(found: Reconciliation, timeframe: str) -> Iterator[str]:
    yield f"{timeframe} candles, {found.start:%Y-%m-%d %H:%M} to {found.end:%Y-%m-%d %H:%M} UTC"
    if not found.days:
        yield "nothing to compare"
        return
    yield f"{'market':<24}" + "".join(f"{word:>13}" for word in WORDS)
    for (_, venue, symbol), counts in _totals(found.days).items():
        yield f"{venue + ' ' + symbol:<24}" + "".join(f"{counts[word]:>13}" for word in WORDS)
    if found.verdicts:
        yield ""
    yield from _episodes(found.verdicts, timeframe)


def _episodes(verdicts: Sequence[Verdict], timeframe: str) -> Iterator[str]:
    """One line for each run of neighbouring candles of an instrument that share verdict and reason.

    Several suspects of one hour share a line.
    """
    length = step(timeframe)

    def alike(verdict: Verdict) -> tuple[object, ...]:
        return verdict.venue, verdict.symbol, verdict.verdict, verdict.reason, verdict.suspects

    shown = {(v.opened_at, v.verdict, v.reason, v.suspects): v for v in reversed(verdicts)}
    ordered = sorted(shown.values(), key=lambda v: (v.venue, v.symbol, v.opened_at))
    runs: list[list[Verdict]] = []
    for verdict in ordered:
        if runs and alike(runs[-1][-1]) == alike(verdict) and runs[-1][-1].opened_at + length == verdict.opened_at:
            runs[-1].append(verdict)
        else:
            runs.append([verdict])
    for episode in sorted(runs, key=lambda run: run[0].opened_at):
        first = episode[0]
        much = f"{len(episode)} candles" if len(episode) > 1 else ""
        worst = max((v.deviation_bps for v in episode if v.deviation_bps is not None), key=abs, default=None)
        off = "" if worst is None else f"{worst:+.0f} bps"
        if worst is not None and first.reason in {"volume", "volume_unit"}:
            off = f"times {math.exp(worst / 1e4):.3g}"
        who = " or ".join(first.suspects)
        cells = (f"{first.opened_at:%Y-%m-%d %H:%M}", f"{first.verdict:<12}", f"{who:<20}", first.reason, off, much)
        yield "  ".join(cell for cell in cells if cell)


def _as_json(found: Reconciliation) -> str:
    markets = [
        {"base": base, "venue": venue, "symbol": symbol, **{word: counts[word] for word in WORDS}}
        for (base, venue, symbol), counts in _totals(found.days).items()
    ]
    verdicts = [verdict._asdict() | {"opened_at": verdict.opened_at.isoformat()} for verdict in found.verdicts]
    body = {"start": found.start.isoformat(), "end": found.end.isoformat(), "markets": markets, "verdicts": verdicts}
    return json.dumps(body, indent=2)
