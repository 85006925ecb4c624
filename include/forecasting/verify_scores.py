"""Scores, computed again from sealed forecasts and the closes they are about, and the scoreboard they come to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal
from itertools import pairwise
from typing import Any

from include.forecasting.chain import Series, instant
from include.forecasting.verify_board import Board
from include.forecasting.verify_chain import Finding

# Differences and products of prices are exact in these digits; a quotient is far finer than the float made of it.
EXACT = Context(prec=1000)
QUOTIENT = Context(prec=40)

# Two right logarithms of one quotient differ by their last bits, and so do roots of sums of them.
LOG_TOLERANCE = 1e-12

PRICES = ("as_of_price", "predicted_price", "lower_price", "upper_price")
OUTER = ("lower_price_95", "upper_price_95")
CLOSE_COLUMNS = ("actual_log_return", "error_log_return", "actual_volatility")
EXACT_COLUMNS = (
    "absolute_error",
    "naive_absolute_error",
    "is_covered",
    "is_direction_right",
    "is_covered_95",
    "is_volatility_covered",
    "is_volatility_covered_95",
)

Row = Mapping[str, Any]


def recomputed(row: Row, actual: Decimal, volatility: float | None) -> dict[str, Any] | None:
    """The score of a forecast (columns of select_scores.sql) whose outcome was the price `actual`.

    volatility: what actual_volatility comes to. None where a price of the forecast is none any more, or its return is
    gone.
    """
    predicted = row["predicted_log_return"]
    outer = [row[name] for name in OUTER]
    if predicted is None or not _are_prices(
        actual, *(row[name] for name in PRICES), *(price for price in outer if price is not None)
    ):
        return None
    log_return = _log_of(actual, row["as_of_price"])
    return {
        "actual_log_return": log_return,
        "error_log_return": log_return - predicted,
        "absolute_error": abs(EXACT.subtract(actual, row["predicted_price"])),
        "naive_absolute_error": abs(EXACT.subtract(actual, row["as_of_price"])),
        "is_covered": row["lower_price"] <= actual <= row["upper_price"],
        "is_direction_right": None if not predicted or actual == row["as_of_price"] else predicted * log_return > 0,
        "is_covered_95": _lies_between(actual, *outer),
        "actual_volatility": volatility,
        "is_volatility_covered": _lies_between(volatility, row["lower_volatility"], row["upper_volatility"]),
        "is_volatility_covered_95": _lies_between(volatility, row["lower_volatility_95"], row["upper_volatility_95"]),
    }


def realised(start: float, closes: Sequence[float]) -> float:
    """Root of the sum of squared log returns from the price `start` through the closes after it."""
    changes = (_logarithm(close / before) for before, close in pairwise((start, *closes)))
    return math.sqrt(sum(change * change for change in changes))


def _are_prices(*values: Decimal | None) -> bool:
    return all(price is not None and price.is_finite() and price > 0 for price in values)


def _log_of(price: Decimal, before: Decimal) -> float:
    return _logarithm(float(QUOTIENT.divide(price, before)))


def _logarithm(ratio: float) -> float:
    """Of a ratio of prices, which may be too small for a float where one was tampered with."""
    return math.log(ratio) if ratio > 0 else -math.inf


def _lies_between(value: Any, lower: Any, upper: Any) -> bool | None:
    return None if value is None or lower is None or upper is None else bool(lower <= value <= upper)


@dataclass
class ScoreCheck:
    """A pass over all scores; the counts are whole once `findings` is exhausted.

    without_candle: scores whose closes are not all in the table any more (archived), held only to what they say of the
    actual price and volatility. outdated: scores of candles that the venue revised since, or that came since; the next
    scoring follows them.
    """

    scores: int = 0
    without_candle: int = 0
    outdated: int = 0
    board: Board = field(default_factory=Board)

    def findings(self, rows: Iterable[Row]) -> Iterator[Finding]:
        """Each forecast that lacks a score it ought to have, and each column of a score that is not what it comes to.

        rows: of select_scores.sql, read once.
        """
        for row in rows:
            if row["actual_price"] is None:
                yield _finding(row, "not scored, though its candle was there when others were scored")
                continue
            self.scores += 1
            has_gone, is_outdated = row["close"] is None, False
            actual: Decimal = row["actual_price"]
            if not has_gone and row["close"] != actual:
                if row["candle_is_newer"]:
                    is_outdated = True
                else:
                    actual = row["close"]
                    detail = f"actual_price is {row['actual_price']}, the candle closed at {actual}"
                    yield _finding(row, detail, "actual_price")
            volatility: float | None = row["actual_volatility"]
            if row["predicted_volatility"] is not None and _are_prices(row["as_of_price"]):
                if row["closes"] is None:
                    has_gone = has_gone or volatility is not None
                else:
                    comes_to = realised(float(row["as_of_price"]), row["closes"])
                    waits = row["window_is_newer"] or (volatility is None and not row["window_is_settled"])
                    is_outdated = is_outdated or (waits and not _is_close(volatility, comes_to))
                    volatility = volatility if waits else comes_to
            self.without_candle += has_gone
            self.outdated += is_outdated
            score = recomputed(row, actual, volatility)
            if score is None:
                yield _finding(row, "a price of the forecast is not a price any more: it cannot be scored")
                continue
            for column in (*CLOSE_COLUMNS, *EXACT_COLUMNS):
                if not _is_same(column, row[column], score[column]):
                    yield _finding(row, f"{column} is {row[column]} and comes to {score[column]}", column)
            self.board.add(row, score)

    def board_findings(self, served: Iterable[Row]) -> Iterator[Finding]:
        """Each line of the served scoreboard (select_scoreboard.sql) that the recomputed scores do not come to."""
        return self.board.findings(served)


def _is_same(column: str, stored: Any, expected: Any) -> bool:
    return _is_close(stored, expected) if column in CLOSE_COLUMNS else bool(stored == expected)


def _is_close(stored: Any, expected: float | None) -> bool:
    if stored is None or expected is None:
        return stored is expected
    return math.isclose(float(stored), expected, rel_tol=LOG_TOLERANCE, abs_tol=LOG_TOLERANCE)


def _finding(row: Row, detail: str, column: str | None = None) -> Finding:
    series = Series(f"{row['venue']}:{row['symbol']}", row["timeframe"], row["horizon_bars"])
    target_at, made_at = instant(row["target_at"]), instant(row["made_at"])
    return Finding("score", detail, series, row["chain_position"], row["forecast_id"], target_at, made_at, column)
