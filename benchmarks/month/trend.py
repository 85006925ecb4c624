"""What samples taken hour by hour say of a whole month: a straight line that single jumps do not bend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

HOURS_OF_A_MONTH = 720
TICKERS_OF_A_MONTH = 12 * HOURS_OF_A_MONTH


@dataclass(frozen=True, slots=True)
class Trend:
    """first, last, most: of what was seen. per_hour: the median of all slopes (Theil and Sen). month: at its end."""

    first: float
    last: float
    most: float
    per_hour: float
    month: float


def trend(hours: Sequence[float], values: Sequence[float], at: float = HOURS_OF_A_MONTH) -> Trend:
    """Line through the samples, carried on to hour `at`, never below the most that was seen.

    Raises ValueError for fewer than three samples: two make any line.
    """
    if len(hours) < 3 or len(hours) != len(values):
        raise ValueError(f"{len(values)} samples at {len(hours)} hours: at least three of each are needed")
    pairs = list(zip(hours, values, strict=True))
    per_hour = median((y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in combinations(pairs, 2) if x2 > x1)
    level = median(y - per_hour * x for x, y in pairs)
    return Trend(values[0], values[-1], max(values), per_hour, max(level + per_hour * at, max(values)))


def trends(samples: Sequence[Mapping[str, float]]) -> dict[str, Trend]:
    """Of every figure the samples share, by name; each sample holds its `hour`. The first third is warming up."""
    settled = samples[len(samples) // 3 :]
    names = [name for name in settled[-1] if name != "hour" and all(name in each for each in settled)]
    hours = [each["hour"] for each in settled]
    return {name: trend(hours, [each[name] for each in settled]) for name in names}


def month(found: Mapping[str, Trend], ticker: Mapping[str, float]) -> dict[str, int]:
    """Every figure at the end of a month. ticker: what each run of ticker_snapshots adds, which no sample holds."""
    return {name: round(each.month + TICKERS_OF_A_MONTH * ticker.get(name, 0)) for name, each in found.items()}
