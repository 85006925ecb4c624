"""The rows behind a failed check, in words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from include.features.registry import FEATURES
from include.features_check.rules import ROUNDING

AT_MOST = 20  # lines of a failed check


def range_parameters() -> dict[str, Any]:
    """What sql/checks/out_of_range.sql is asked with: the registry's bounds, widened as the check widens them."""
    lowest = [-math.inf if f.lowest is None else f.lowest - abs(f.lowest) * ROUNDING for f in FEATURES]
    highest = [math.inf if f.highest is None else f.highest + abs(f.highest) * ROUNDING for f in FEATURES]
    return {"lowest": lowest, "highest": highest, "at_most": AT_MOST}


def range_lines(rows: Iterable[Sequence[Any]]) -> list[str]:
    """A line for each row of sql/checks/out_of_range.sql."""
    return [
        f"{market} {timeframe} {opened_at} {name} = {value!r}, allowed {_bounds(lowest, highest)}"
        for market, timeframe, opened_at, name, value, lowest, highest, *_ in rows
    ]


def _bounds(lowest: float, highest: float) -> str:
    if math.isinf(lowest) and math.isinf(highest):
        return "any finite number"
    return f"from {lowest:g} to {highest:g}"


def row_lines(rows: Iterable[Sequence[Any]]) -> list[str]:
    """A line for each row of sql/checks/broken_rows.sql."""
    return [f"{market} {timeframe} {opened_at} {rule}: {what}" for market, timeframe, opened_at, rule, what, *_ in rows]


def summary(what: str, lines: Sequence[str], total: int) -> str:
    """The error of a failed check: how many are wrong, and the first of them."""
    rest = [f"... and {total - len(lines)} more"] if total > len(lines) else []
    return "\n".join([f"{total} {what}", *lines, *rest])
