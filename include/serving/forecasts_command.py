"""`python -m include.cli forecasts`: what the data API says of forecasts, as tables."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping

from include.clock import Clock
from include.serving import terminal
from include.serving.forecasts import ForecastQuestion, forecasts, latest_forecasts
from include.serving.records import WINDOWS, calibration, models, scoreboard
from include.serving.selection import Snapshot
from include.serving.terminal import Section

SERIES = ("venue", "symbol", "horizon")
PRICES = ("predicted_price", "lower_price", "upper_price")
LATEST = (
    *SERIES,
    "timestamp",
    *PRICES,
    "up_probability",
    "predicted_volatility",
    "model",
    "is_naive",
    "state",
    "reason",
)
SEALED = ("timestamp", *SERIES, *PRICES, "actual_price", "model", "is_naive")
CALIBRATION = (*SERIES, "target", "nominal", "inside", "inside_lower", "inside_upper", "forecasts")
SCOREBOARD = (*SERIES, "target", "model", "baseline", "forecasts", "skill", "skill_lower", "skill_upper")
MODELS = (
    *SERIES,
    "target",
    "recipe",
    "baseline",
    "trained_at",
    "skill",
    "p_value_adjusted",
    "is_serving",
    "is_overdue",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("--market", default="", metavar="VENUE:BASE/QUOTE", help="of this market only")
    parser.add_argument("--horizon", metavar="PT24H", help="of this horizon only (ISO 8601)")
    parser.add_argument(
        "--window",
        default="90 days",
        choices=WINDOWS,
        help="back from the newest outcome, of calibration and skill (default: %(default)s)",
    )
    terminal.add_arguments(parser)
    parser.description = (
        "The newest forecast of each series, or why there is none; calibration, scoreboard and models. "
        "With --from, the sealed forecasts of times from there on, and what came."
    )


def run(options: argparse.Namespace, environ: Mapping[str, str] = os.environ, clock: Clock | None = None) -> int:
    """Print where forecasts stand, or the sealed ones of a window; the exit status."""
    ask = _sealed if options.start else _standing
    return terminal.answer(lambda look: ask(look, options), options, environ, clock)


def _named(options: argparse.Namespace) -> tuple[str | None, str | None, str | None]:
    venue, _, symbol = options.market.partition(":")
    return venue or None, symbol or None, options.horizon


def _standing(look: Snapshot, options: argparse.Namespace) -> list[Section]:
    named = _named(options)
    window: str = options.window
    return [
        Section("latest", "newest forecasts", latest_forecasts(look, *named), LATEST),
        Section(
            "calibration",
            f"outcomes inside the intervals, {window}",
            calibration(look, window, *named, of_direction=False),
            CALIBRATION,
        ),
        Section("scoreboard", f"skill over each baseline, {window}", scoreboard(look, window, *named), SCOREBOARD),
        Section("models", "newest trainings, and who serves", models(look, *named), MODELS),
    ]


def _sealed(look: Snapshot, options: argparse.Namespace) -> list[Section]:
    asked = ForecastQuestion(options.start, options.end, *_named(options))
    return [Section("forecasts", "sealed forecasts by the time they are of", forecasts(look, asked), SEALED)]
