"""`python -m include.cli market`: what the data API says of the markets, as tables."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from datetime import timedelta

from include.candles.timeframes import SECONDS, step
from include.clock import Clock
from include.serving import terminal
from include.serving.alerts import alerts
from include.serving.candles import CandleQuestion, candles
from include.serving.instruments import instruments
from include.serving.rankings import rankings
from include.serving.selection import Snapshot
from include.serving.sentiment import sentiment
from include.serving.terminal import Section
from include.serving.tickers import latest_tickers

MARKETS = ("venue", "symbol", "timeframes", "first_opened_at", "newest_opened_at", "delisted_at")
TICKERS = ("venue", "symbol", "observed_at", "last", "bid", "ask", "change_percent_24h", "age_seconds")
SENTIMENT = ("timestamp", "value", "classification", "published_at")
RANKINGS = ("day", "rank", "crypto", "change_percent", "close", "universe_size")
ALERTS = ("triggered_at", "crypto", "direction", "change_percent", "price", "venue", "symbol", "retracted_at")
CANDLES = ("opened_at", "open", "high", "low", "close", "volume", "trade_count")

WEEK = timedelta(days=7)
SHOWN_CANDLES = 24  # where no window is given


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "--market", metavar="VENUE:BASE/QUOTE", help="this market's candles (default: all that is known)"
    )
    parser.add_argument("--timeframe", default="1h", choices=SECONDS, help="of the candles (default: %(default)s)")
    terminal.add_arguments(parser)


def run(options: argparse.Namespace, environ: Mapping[str, str] = os.environ, clock: Clock | None = None) -> int:
    """Print markets, tickers, sentiment, rankings and alerts, or the candles of one market; the exit status."""
    ask = _one_market if options.market else _all_markets
    return terminal.answer(lambda look: ask(look, options), options, environ, clock)


def _all_markets(look: Snapshot, options: argparse.Namespace) -> list[Section]:
    start, end = options.start, options.end
    recent = start or (end or look.now) - WEEK
    return [
        Section("instruments", "markets", instruments(look), MARKETS),
        Section("tickers", "newest tickers", latest_tickers(look), TICKERS),
        Section("sentiment", "Fear & Greed index (alternative.me)", sentiment(look, recent, end), SENTIMENT),
        Section("rankings", "coins by the day's change", rankings(look, recent, end), RANKINGS),
        Section("alerts", "price alerts", alerts(look, None, recent, end), ALERTS),
    ]


def _one_market(look: Snapshot, options: argparse.Namespace) -> list[Section]:
    venue, _, symbol = options.market.partition(":")
    start = options.start or (options.end or look.now) - SHOWN_CANDLES * step(options.timeframe)
    asked = CandleQuestion(venue, symbol, options.timeframe, start, options.end)
    title = f"candles of {venue} {symbol}, {options.timeframe}"
    return [Section("candles", title, candles(look, asked), CANDLES)]
