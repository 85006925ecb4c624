"""Scores and the scoreboard, computed again from sealed forecasts and the closes they are about."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import Any

from include.forecasting.chain import Series, instant
from include.forecasting.verify_chain import Finding

# Differences and products of prices are exact in these digits; a quotient is far finer than the float made of it.
EXACT = Context(prec=1000)
QUOTIENT = Context(prec=40)

# Two right logarithms of one quotient differ by their last bits, and two right sums of n of them by a few more.
LOG_TOLERANCE = 1e-12
SUM_TOLERANCE = 1e-9

PRICES = ("as_of_price", "predicted_price", "lower_price", "upper_price")
GROUP = ("venue", "symbol", "timeframe", "horizon_bars", "model", "model_version")
EXACT_COLUMNS = ("absolute_error", "naive_absolute_error", "is_covered", "is_direction_right")
LOG_COLUMNS = ("actual_log_return", "error_log_return")
BOARD = ("mae", "naive_mae", "skill", "direction_accuracy", "interval_coverage", "nominal_coverage")

Row = Mapping[str, Any]


def recomputed(row: Row, actual: Decimal) -> dict[str, Any] | None:
    """The score of a forecast (columns of select_scores.sql) whose outcome was the price `actual`.

    None where a price of the forecast is none any more, or its return is gone.
    """
    predicted = row["predicted_log_return"]
    prices = (actual, *(row[name] for name in PRICES))
    if predicted is None or not all(price is not None and price.is_finite() and price > 0 for price in prices):
        return None
    log_return = math.log(float(QUOTIENT.divide(actual, row["as_of_price"])))
    return {
        "actual_log_return": log_return,
        "error_log_return": log_return - predicted,
        "absolute_error": abs(EXACT.subtract(actual, row["predicted_price"])),
        "naive_absolute_error": abs(EXACT.subtract(actual, row["as_of_price"])),
        "is_covered": row["lower_price"] <= actual <= row["upper_price"],
        "is_direction_right": None if not predicted or actual == row["as_of_price"] else predicted * log_return > 0,
    }


@dataclass
class _Sums:
    """What one line of the scoreboard is made of."""

    forecasts: int = 0
    absolute: float = 0.0
    naive_absolute: float = 0.0
    squared: float = 0.0
    naive_squared: float = 0.0
    directions: int = 0
    right: int = 0
    covered: int = 0
    coverage: float = 0.0

    def add(self, row: Row, score: Row) -> None:
        self.forecasts += 1
        self.absolute += float(score["absolute_error"])
        self.naive_absolute += float(score["naive_absolute_error"])
        self.squared += score["error_log_return"] ** 2
        self.naive_squared += score["actual_log_return"] ** 2
        self.directions += score["is_direction_right"] is not None
        self.right += bool(score["is_direction_right"])
        self.covered += score["is_covered"]
        self.coverage += row["coverage"]

    def figures(self) -> dict[str, float | None]:
        return {
            "mae": self.absolute / self.forecasts,
            "naive_mae": self.naive_absolute / self.forecasts,
            "skill": 1 - self.squared / self.naive_squared if self.naive_squared else None,
            "direction_accuracy": self.right / self.directions if self.directions else None,
            "interval_coverage": self.covered / self.forecasts,
            "nominal_coverage": self.coverage / self.forecasts,
        }


@dataclass
class ScoreCheck:
    """A pass over all scores; the counts are whole once `findings` is exhausted.

    without_candle: scores whose close is not in the table any more (archived), held only to their own actual_price.
    outdated: scores of candles that the venue revised since; the next scoring follows them.
    """

    scores: int = 0
    without_candle: int = 0
    outdated: int = 0
    _sums: dict[tuple[Any, ...], _Sums] = field(default_factory=dict)

    def findings(self, rows: Iterable[Row]) -> Iterator[Finding]:
        """Each forecast that lacks a score it ought to have, and each column of a score that is not what it comes to.

        rows: of select_scores.sql, read once.
        """
        for row in rows:
            if row["actual_price"] is None:
                yield _finding(row, "not scored, though its candle was there when others were scored")
                continue
            self.scores += 1
            actual: Decimal = row["actual_price"]
            if row["close"] is None:
                self.without_candle += 1
            elif row["close"] != actual and row["candle_is_newer"]:
                self.outdated += 1
            elif row["close"] != actual:
                actual = row["close"]
                detail = f"actual_price is {row['actual_price']}, the candle closed at {actual}"
                yield _finding(row, detail, "actual_price")
            score = recomputed(row, actual)
            if score is None:
                yield _finding(row, "a price of the forecast is not a price any more: it cannot be scored")
                continue
            for column in (*LOG_COLUMNS, *EXACT_COLUMNS):
                if not _is_same(column, row[column], score[column]):
                    yield _finding(row, f"{column} is {row[column]} and comes to {score[column]}", column)
            self._sums.setdefault(tuple(row[name] for name in GROUP), _Sums()).add(row, score)

    def board_findings(self, served: Iterable[Row]) -> Iterator[Finding]:
        """Each line of the served scoreboard (select_scoreboard.sql) that the recomputed scores do not come to."""
        left = dict(self._sums)
        for line in served:
            key = tuple(line[name] for name in GROUP)
            sums = left.pop(key, None)
            if sums is None:
                yield _of_board(key, "no sealed forecast stands behind this line")
                continue
            if line["forecasts"] != sums.forecasts:
                yield _of_board(key, f"forecasts is {line['forecasts']} and comes to {sums.forecasts}", "forecasts")
            figures = sums.figures()
            for name in BOARD:
                if not _is_close(line[name], figures[name], SUM_TOLERANCE):
                    yield _of_board(key, f"{name} is {line[name]} and comes to {figures[name]}", name)
        for key, sums in left.items():
            yield _of_board(key, f"the line of {sums.forecasts} scored forecasts is not served")


def _is_same(column: str, stored: Any, expected: Any) -> bool:
    return _is_close(stored, expected, LOG_TOLERANCE) if column in LOG_COLUMNS else bool(stored == expected)


def _is_close(stored: Any, expected: float | None, tolerance: float) -> bool:
    if stored is None or expected is None:
        return stored is expected
    return math.isclose(float(stored), expected, rel_tol=tolerance, abs_tol=tolerance)


def _finding(row: Row, detail: str, column: str | None = None) -> Finding:
    series = Series(f"{row['venue']}:{row['symbol']}", row["timeframe"], row["horizon_bars"])
    target_at, made_at = instant(row["target_at"]), instant(row["made_at"])
    return Finding("score", detail, series, row["chain_position"], row["forecast_id"], target_at, made_at, column)


def _of_board(key: tuple[Any, ...], detail: str, column: str | None = None) -> Finding:
    venue, symbol, timeframe, horizon_bars, model, version = key
    who = model if version is None else f"{model} version {version}"
    return Finding(
        "scoreboard", f"{who}: {detail}", Series(f"{venue}:{symbol}", timeframe, horizon_bars), column=column
    )
