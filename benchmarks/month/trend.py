"""What samples taken hour by hour say of a whole month: a straight line that single jumps do not bend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby
from statistics import median

HOURS_OF_A_MONTH = 720
TICKERS_OF_A_MONTH = 12 * HOURS_OF_A_MONTH
AXES = ("hour", "sitting")


@dataclass(frozen=True, slots=True)
class Trend:
    """first, last, most: of what was seen. per_hour: the median of all slopes (Theil and Sen). month: at its end."""

    first: float
    last: float
    most: float
    per_hour: float
    month: float


def trend(
    hours: Sequence[float],
    values: Sequence[float],
    sittings: Sequence[float] | None = None,
    at: float = HOURS_OF_A_MONTH,
) -> Trend:
    """Line through the samples, carried on to hour `at`, never below the most that was seen.

    sittings: samples of different ones are not compared, since a process that was started anew has shrunk.
    Raises ValueError for fewer than three samples: two make any line.
    """
    if len(hours) < 3 or len(hours) != len(values):
        raise ValueError(f"{len(values)} samples at {len(hours)} hours: at least three of each are needed")
    points = list(zip(sittings or [0] * len(hours), hours, values, strict=True))
    per_hour = median(
        (y2 - y1) / (x2 - x1) for (s1, x1, y1), (s2, x2, y2) in combinations(points, 2) if s1 == s2 and x2 > x1
    )
    level = median(y - per_hour * x for _, x, y in points)
    return Trend(values[0], values[-1], max(values), per_hour, max(level + per_hour * at, max(values)))


def trends(samples: Sequence[Mapping[str, float]]) -> dict[str, Trend]:
    """Of every figure the samples share, by name; each sample holds its `hour` and `sitting`.

    The first third of each sitting is warming up, and left out.
    """
    settled: list[Mapping[str, float]] = []
    for _, sitting in groupby(samples, key=lambda sample: sample["sitting"]):
        seen = list(sitting)
        settled += seen[len(seen) // 3 :]
    names = [name for name in settled[-1] if name not in AXES and all(name in each for each in settled)]
    hours, sittings = ([each[axis] for each in settled] for axis in AXES)
    return {name: trend(hours, [each[name] for each in settled], sittings) for name in names}


def month(found: Mapping[str, Trend], ticker: Mapping[str, float]) -> dict[str, int]:
    """Every figure at the end of a month. ticker: what each run of ticker_snapshots adds, which no sample holds."""
    return {name: round(each.month + TICKERS_OF_A_MONTH * ticker.get(name, 0)) for name, each in found.items()}
