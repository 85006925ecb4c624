"""`python -m include.cli backfill-quote`: what a backfill costs, before anything runs. No network, no database."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from include.clock import Clock, clock_from_environment
from include.collect.quote import Cost, Quote, quote
from include.collect.sources import SourceSettings
from include.config.markets import MARKETS, TIMEFRAMES, UnknownMarketError, market_by_key

COLUMNS = ("venue", "source", "requests", "weight", "rows", "megabytes", "minutes")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("--markets", nargs="+", metavar="VENUE:BASE/QUOTE", help="default: all that are configured")
    parser.add_argument("--timeframes", nargs="+", default=list(TIMEFRAMES), help="default: %(default)s")
    parser.add_argument("--from", dest="start", required=True, type=_instant, help="first open time, ISO 8601, UTC")
    parser.add_argument("--to", dest="end", type=_instant, help="end of the open times, exclusive (default: now)")
    parser.add_argument("--kraken-trades", action="store_true", help="fold Kraken's trades where nothing else reaches")
    parser.add_argument("--kraken-ohlcvt", action="store_true", help="Kraken's downloaded OHLCVT files are at hand")
    parser.add_argument("--json", action="store_true", help="for scripts")


def run(options: argparse.Namespace, clock: Clock | None = None) -> int:
    """Print the quote as of `clock`, or of the one the environment names; 0, or 1 with the reason on standard error."""
    try:
        now = (clock or clock_from_environment()).now()
        end = options.end or now
        if options.start >= end:
            raise ValueError(f"nothing lies between {options.start} and {end}")
        markets = [market_by_key(key) for key in options.markets] if options.markets else list(MARKETS)
        settings = SourceSettings(options.kraken_ohlcvt, options.kraken_trades)
        found = quote(markets, options.timeframes, options.start, end, now, settings)
    except (UnknownMarketError, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(_json(found, options.start, end, now) if options.json else _table(found))
    return 0


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _json(found: Quote, start: datetime, end: datetime, now: datetime) -> str:
    venues = [
        {
            "venue": venue,
            **_rounded(cost),
            "sources": [
                {"source": source, **_rounded(part)} for (of, source), part in found.by_source.items() if of == venue
            ],
        }
        for venue, cost in found.by_venue().items()
    ]
    answer = {
        "from": start.isoformat(),
        "to": end.isoformat(),
        "now": now.isoformat(),
        "venues": venues,
        "out_of_reach": [
            each._asdict() | {"start": each.start.isoformat(), "end": each.end.isoformat()}
            for each in found.out_of_reach
        ],
        "lacking": found.lacking,
    }
    return json.dumps(answer, indent=2)


def _rounded(cost: Cost) -> dict[str, float]:
    return asdict(cost) | {"bytes": round(cost.bytes), "minutes": round(cost.minutes, 2)}


def _table(found: Quote) -> str:
    rows = [_cells(venue, source, cost) for (venue, source), cost in found.by_source.items()]
    rows += [_cells(venue, "all", cost) for venue, cost in found.by_venue().items()]
    total = sum(found.by_source.values(), Cost())
    lines = _aligned([COLUMNS, *rows, _cells("all", "", total)])
    for each in found.out_of_reach:
        span = f"{each.start:%Y-%m-%d %H:%M} to {each.end:%Y-%m-%d %H:%M}"
        lines.append(f"out of reach: {each.market} {each.timeframe}, {span}: {each.rows:,} candles, {each.reason}")
    lines += [f"not there: {each}" for each in found.lacking]
    lines.append("minutes: the least that our request budgets allow; different hosts may be asked side by side")
    return "\n".join(lines)


def _cells(venue: str, source: str, cost: Cost) -> tuple[str, ...]:
    return (
        venue,
        source,
        f"{cost.requests:,}",
        f"{cost.weight:,.0f}",
        f"{cost.rows:,}",
        f"{cost.bytes / 1e6:,.1f}",
        f"{cost.minutes:,.1f}",
    )


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns as wide as their widest cell: names to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if at < 2 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
