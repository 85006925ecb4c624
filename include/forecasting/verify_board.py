"""The scoreboard, computed again from recomputed scores: every baseline, every window, and the skill's interval."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from include.forecasting.chain import Series
from include.forecasting.losses import VOLATILITY_FLOOR
from include.forecasting.verify_chain import Finding

# Two right sums of n floats differ by their last bits.
SUM_TOLERANCE = 1e-9

# In days of 24 hours back from the newest target; None: all.
WINDOWS: dict[str, int | None] = {"7 days": 7, "30 days": 30, "90 days": 90, "all": None}
FEWEST_DAYS = 30
DAY_MICROSECONDS = 86_400_000_000
# Of Newey and West (1987), for the days one to four before; degrees of freedom a day that are left by them.
WEIGHTS = (0.8, 0.6, 0.4, 0.2)
FREEDOM = 1.5 / (len(WEIGHTS) + 1)

KEY = ("venue", "symbol", "timeframe", "horizon_bars", "target", "model", "model_version", "baseline", "time_window")
EXACT = ("forecasts", "days", "first_target_at", "last_target_at")

Row = Mapping[str, Any]


def quantile(freedom: float) -> float:
    """97.5 % quantile of Student's t: two terms of its expansion about the normal's (Fisher and Cornish, 1960)."""
    return 1.959963984540054 + 2.372271 / freedom + 2.822499 / freedom**2


class Pair(NamedTuple):
    """What one scored forecast adds to a line: its loss and the baseline's, and how it did."""

    target: str
    model: str
    model_version: str | None
    baseline: str
    loss: float
    baseline_loss: float
    absolute_error: float
    is_direction_right: bool | None
    is_covered: bool | None
    is_covered_95: bool | None


def pairs(row: Row, score: Row) -> Iterator[Pair]:
    """A forecast beside each baseline that had a forecast too (columns of select_scores.sql, and of the score)."""
    actual, error = score["actual_log_return"], score["error_log_return"]
    rivals = {"random_walk": 0.0, "drift": row["drift_log_return"], "seasonal_hour": row["seasonal_log_return"]}
    for baseline, rival in rivals.items():
        if rival is not None:
            off = actual - rival
            held = (score["is_direction_right"], score["is_covered"], score["is_covered_95"])
            yield Pair(
                "log_return", row["model"], row["model_version"], baseline, error * error, off * off, abs(error), *held
            )
    volatility, predicted = score["actual_volatility"], row["predicted_volatility"]
    if volatility is None or predicted is None:
        return
    for baseline, rival in (("ewma", row["ewma_volatility"]), ("har", row["har_volatility"])):
        if rival is not None:
            yield Pair(
                "volatility",
                row["volatility_model"],
                row["volatility_model_version"],
                baseline,
                _qlike(volatility, predicted),
                _qlike(volatility, rival),
                abs(volatility - predicted),
                None,
                score["is_volatility_covered"],
                score["is_volatility_covered_95"],
            )


def _qlike(actual: float, predicted: float) -> float:
    ratio = max(actual, VOLATILITY_FLOOR) / max(predicted, VOLATILITY_FLOOR)
    return ratio * ratio - 2 * math.log(ratio) - 1 if ratio > 0 else math.inf


@dataclass
class _Share:
    known: int = 0
    right: int = 0

    def add(self, was_right: bool | None) -> None:
        self.known += was_right is not None
        self.right += bool(was_right)


@dataclass
class Day:
    """Sums over the forecasts of one line whose targets lie on one day."""

    forecasts: int = 0
    loss: float = 0.0
    baseline_loss: float = 0.0
    absolute_error: float = 0.0
    direction: _Share = field(default_factory=_Share)
    inner: _Share = field(default_factory=_Share)
    outer: _Share = field(default_factory=_Share)
    first_target_at: Decimal = Decimal("Infinity")
    last_target_at: Decimal = Decimal("-Infinity")

    def add(self, pair: Pair, target_at: Decimal) -> None:
        """Count one forecast."""
        self.forecasts += 1
        self.loss += pair.loss
        self.baseline_loss += pair.baseline_loss
        self.absolute_error += pair.absolute_error
        self.direction.add(pair.is_direction_right)
        self.inner.add(pair.is_covered)
        self.outer.add(pair.is_covered_95)
        self.first_target_at = min(self.first_target_at, target_at)
        self.last_target_at = max(self.last_target_at, target_at)


def figures(days: list[Day]) -> dict[str, Any]:
    """The figures of a line of the scoreboard, from its days in time order."""
    forecasts = sum(day.forecasts for day in days)
    loss, baseline_loss = sum(day.loss for day in days), sum(day.baseline_loss for day in days)
    ratio = loss / baseline_loss if baseline_loss else None
    skill = None if ratio is None else 1 - ratio
    margin = _margin(days, ratio, baseline_loss)
    return {
        "forecasts": forecasts,
        "days": len(days),
        "loss": loss / forecasts,
        "baseline_loss": baseline_loss / forecasts,
        "skill": skill,
        "skill_lower": None if skill is None or margin is None else skill - margin,
        "skill_upper": None if skill is None or margin is None else skill + margin,
        "mae": sum(day.absolute_error for day in days) / forecasts,
        "direction_accuracy": _share([day.direction for day in days]),
        "interval_coverage": _share([day.inner for day in days]),
        "interval_coverage_95": _share([day.outer for day in days]),
        "first_target_at": min(day.first_target_at for day in days),
        "last_target_at": max(day.last_target_at for day in days),
    }


def _margin(days: list[Day], ratio: float | None, baseline_loss: float) -> float | None:
    """Half the width of the skill's 95 % interval: of a ratio of sums over days that are correlated."""
    count = len(days)
    if count < FEWEST_DAYS or ratio is None:
        return None
    deviations = [day.loss - ratio * day.baseline_loss for day in days]
    variance = sum(each * each for each in deviations)
    for lag, weight in enumerate(WEIGHTS, start=1):
        variance += 2 * weight * sum(a * b for a, b in zip(deviations[lag:], deviations, strict=False))
    return quantile(FREEDOM * count) * math.sqrt(max(variance, 0.0) * count / (count - 1)) / baseline_loss


def _share(parts: list[_Share]) -> float | None:
    known = sum(part.known for part in parts)
    return sum(part.right for part in parts) / known if known else None


@dataclass
class Board:
    """Sums of all scores by line and day, from which the scoreboard is made again. It grows with the days."""

    newest_target_at: Decimal | None = None
    _seen: Decimal | None = None
    _lines: dict[tuple[Any, ...], dict[int, Day]] = field(default_factory=dict)

    def add(self, row: Row, score: Row) -> None:
        """Count a forecast (columns of select_scores.sql) with its recomputed score."""
        target_at: Decimal = row["target_at"]
        self.newest_target_at = row["newest_target_at"]
        if self.newest_target_at is None or not target_at.is_finite():
            return
        self._seen = target_at if self._seen is None else max(self._seen, target_at)
        days_ago = int((self.newest_target_at - target_at) // DAY_MICROSECONDS)
        series = (row["venue"], row["symbol"], row["timeframe"], row["horizon_bars"])
        for pair in pairs(row, score):
            line = (*series, pair.target, pair.model, pair.model_version, pair.baseline)
            self._lines.setdefault(line, {}).setdefault(days_ago, Day()).add(pair, target_at)

    def findings(self, served: Iterable[Row]) -> Iterator[Finding]:
        """Each line of the served scoreboard (select_scoreboard.sql) that the scores do not come to, or that lacks."""
        if self._seen != self.newest_target_at:
            detail = f"windows end at {self.newest_target_at}, the newest scored target is {self._seen}"
            yield Finding("scoreboard", detail)
        expected = self._expected()
        for line in served:
            key = tuple(line[name] for name in KEY)
            found = expected.pop(key, None)
            if found is None:
                yield _of_board(key, "no sealed forecast stands behind this line")
                continue
            for name, value in found.items():
                if not _agrees(name, line[name], value):
                    yield _of_board(key, f"{name} is {line[name]} and comes to {value}", name)
        for key, found in expected.items():
            yield _of_board(key, f"the line of {found['forecasts']} scored forecasts is not served")

    def _expected(self) -> dict[tuple[Any, ...], dict[str, Any]]:
        lines = {}
        for line, by_day in self._lines.items():
            for name, length in WINDOWS.items():
                days = [by_day[ago] for ago in sorted(by_day, reverse=True) if length is None or ago < length]
                if days:
                    lines[*line, name] = figures(days)
        return lines


def _agrees(name: str, stored: Any, expected: Any) -> bool:
    if stored is None or expected is None or name in EXACT:
        return bool(stored == expected)
    return math.isclose(float(stored), expected, rel_tol=SUM_TOLERANCE, abs_tol=SUM_TOLERANCE)


def _of_board(key: tuple[Any, ...], detail: str, column: str | None = None) -> Finding:
    venue, symbol, timeframe, horizon_bars, target, model, version, baseline, window = key
    who = model if version is None else f"{model} version {version}"
    return Finding(
        "scoreboard",
        f"{target} by {who} against {baseline}, {window}: {detail}",
        Series(f"{venue}:{symbol}", timeframe, horizon_bars),
        column=column,
    )
