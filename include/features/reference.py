"""The reference page of the features, written from the registry: `python -m include.features.reference [FILE]`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from include.config.markets import TIMEFRAMES
from include.features.blocks import BLOCK_BARS, WARM_UP_BARS
from include.features.model import HISTORY_BARS, LONGEST_BRIDGED_HOLE, MINIMUM_SHARE, Feature
from include.features.registry import FEATURES

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "features.md"

INTRODUCTION = f"""\
<!-- Generated from include/features/registry.py by `python -m include.features.reference`; do not edit. -->

# Features

One row of `features.candle_feature` per closed candle; key (`instrument_id`, `timeframe`, `opened_at`). All columns are
`float8`. The view `crypto_prices` shows them for 1h candles, one row per `crypto` and `timestamp` (the candle's close).

What holds for every column:

- A value uses only what was known when the candle closed. Fear & Greed is joined by its publication time.
- NULL means "not defined here": warm-up, a missing bar, something the venue does not publish. It is never 0 instead.
- *Windows of the clock* (24 h, 7 days) count every bar of the span, there or not. They are NULL where fewer than
  {MINIMUM_SHARE:.0%} of the bars were observed, and use the bars that were otherwise; `missing_bars_30d` says how
  many are missing.
- *Windows of bars* (14, 20 bars) step over a hole of up to {LONGEST_BRIDGED_HOLE} missing bars. A longer hole ends
  the run, and the indicators warm up afresh. `history_bars` (up to {HISTORY_BARS}) says how long the run is;
  indicators with a memory agree with an unlimited history to 1e-9 from some 350 bars on.
- Each row is computed from bars that its time alone decides: its block of {BLOCK_BARS} bars, anchored at the Unix
  epoch, and the {WARM_UP_BARS} bars before the block. An hourly update, a backfill and a full recompute therefore
  agree to the bit.
"""


def render() -> str:
    """The page as Markdown."""
    sections = [INTRODUCTION]
    grouped = groupby(sorted(FEATURES, key=lambda feature: feature.group), key=lambda feature: feature.group)
    sections.extend(_section(group, list(features)) for group, features in grouped)
    return "\n".join(sections)


def _section(group: str, features: Sequence[Feature]) -> str:
    window = [f"window, bars of {timeframe}" for timeframe in TIMEFRAMES]
    warm_up = [f"NULL at first, bars of {timeframe}" for timeframe in TIMEFRAMES]
    said = ["bounds", "NULL where", "formula", "computed by"]
    header = ["column", "unit", "definition", "inputs", *window, *warm_up, *said]
    lines = [f"## {group.capitalize()}", "", _row(header), _row(["---"] * len(header))]
    for feature in features:
        lines.append(
            _row(
                [
                    f"`{feature.name}`",
                    feature.unit,
                    feature.definition,
                    ", ".join(f"`{name}`" for name in feature.inputs),
                    *(str(feature.window_bars(timeframe)) for timeframe in TIMEFRAMES),
                    *(str(feature.warm_up_bars(timeframe)) for timeframe in TIMEFRAMES),
                    _bounds(feature),
                    feature.null_rule,
                    feature.source,
                    feature.computed_by,
                ]
            )
        )
    return "\n".join([*lines, ""])


def _bounds(feature: Feature) -> str:
    return " to ".join("…" if bound is None else f"{bound:g}" for bound in (feature.lowest, feature.highest))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def write(page: Path = PAGE) -> None:
    """Write the page, its folder too where it is not there yet."""
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE)
