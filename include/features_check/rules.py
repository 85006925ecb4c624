"""What a stored feature row has to keep, taken from the registry: bounds, order, and where a value must be.

No heavy import here: the DAG file reads it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from include.candles.timeframes import SECONDS
from include.features.blocks import whole_memory_bars
from include.features.model import (
    FEAR_GREED_STALE_DAYS,
    FIBONACCI_RATIOS,
    LONGEST_BRIDGED_HOLE,
    Feature,
    hours_to_bars,
    minimum_observed,
)
from include.features.registry import FEATURES, NAMES

# A mean of values at their bound may exceed it by the rounding of its last bits.
ROUNDING = 1e-9

# Open time that is checked in each run, beside whatever changed of late.
RECENT_DAYS = 45
CHANGED_HOURS = 3  # runs are hourly: three of them see it, and a backfill is not read for a day

# Columns that rise from left to right, in every row that has them.
ORDERED: dict[str, tuple[str, ...]] = {
    "bollinger_in_order": ("bollinger_lower", "bollinger_middle", "bollinger_upper"),
    "levels_in_order": ("low_7d", *(f"fibonacci_{name}" for name in reversed(FIBONACCI_RATIOS)), "high_7d"),
}

# What a stored row has to show before an absent value is a fault; names of columns in sql/checks/judged_rows.sql.
EVIDENCE: dict[str, str] = {
    "change_percent": "is_next",
    "log_return": "is_next",
    "rsi_14": "has_moved",
    "adx_14": "has_direction",
    "di_plus_14": "has_moved",
    "di_minus_14": "has_moved",
    "stoch_rsi": "has_rsi_moved",
    "stoch_rsi_k": "has_stochastic",
    "stoch_rsi_d": "has_stochastic_k",
    "bollinger_percent_b": "has_band",
}

# NULL for reasons that no other column of the row tells: what a venue does not publish, days the index misses.
UNTOLD = ("taker_buy_share", "fear_greed_7d", "fear_greed_14d", "fear_greed_30d")

ROW_RULES = (
    "row_for_each_candle",
    "candle_for_each_row",
    "rows_are_fresh",
    "no_null_after_warm_up",
    "index_is_joined",
    *ORDERED,
)


class Presence(NamedTuple):
    """A column that may not be NULL in a row that shows `evidence`, has `seen` more than `warm_up` bars of its run,
    and, where it has an `allowance` (a column of allowances, by timeframe), misses no more bars of the last 30 days.
    """

    name: str
    warm_up: int = 0
    evidence: str = "has_row"
    allowance: str = ""


def column_bounds() -> dict[str, dict[str, dict[str, Any]]]:
    """The registry's bounds as SQLColumnCheckOperator takes them; without a bound a value has to be finite.

    PostgreSQL takes NaN for greater than all others, Python for not less than any: it fails each `max`.
    """
    return {feature.name: {"min": _lower(feature.lowest), "max": _upper(feature.highest)} for feature in FEATURES}


def _lower(bound: float | None) -> dict[str, Any]:
    return {"greater_than": -math.inf} if bound is None else {"geq_to": bound, "tolerance": ROUNDING}


def _upper(bound: float | None) -> dict[str, Any]:
    return {"less_than": math.inf} if bound is None else {"leq_to": bound, "tolerance": ROUNDING}


def row_checks() -> dict[str, dict[str, Any]]:
    """The rules of rows as SQLTableCheckOperator takes them; sql/checks/judged_rows.sql has their columns."""
    return {rule: {"check_statement": rule} for rule in ROW_RULES}


def presences() -> list[Presence]:
    """Where each column must have a value; UNTOLD ones and the index are not among them."""
    return [_presence(feature) for feature in FEATURES if feature.name not in (*UNTOLD, "fear_greed")]


def _presence(feature: Feature) -> Presence:
    if feature.hours is not None or feature.lag_hours is not None:
        return Presence(feature.name, allowance=_allowance(feature))
    if feature.bars is not None:
        return Presence(feature.name, feature.warm_up, EVIDENCE.get(feature.name, "has_row"))
    if feature.null_rule == "never":
        return Presence(feature.name)
    raise ValueError(f"nothing says when {feature.name} may be NULL: add it to EVIDENCE or UNTOLD")


def _allowance(feature: Feature) -> str:
    if feature.lag_hours is not None:
        return "none"
    return f"returns_{feature.hours}" if "log_return" in feature.inputs else f"bars_{feature.hours}"


def allowances() -> dict[str, dict[str, int]]:
    """By timeframe: how many bars may miss before a window of the clock may be NULL, by the window's name."""
    windows = {_allowance(f): f for f in FEATURES if f.hours is not None or f.lag_hours is not None}
    return {
        timeframe: {name: _missing_allowed(feature, timeframe) for name, feature in sorted(windows.items())}
        for timeframe in SECONDS
    }


def _missing_allowed(feature: Feature, timeframe: str) -> int:
    if feature.hours is None:
        return 0
    bars = hours_to_bars(feature.hours, timeframe)
    spare = bars - minimum_observed(bars)
    return spare // 2 if "log_return" in feature.inputs else spare  # a missing bar takes two returns with it


def template_names(*, is_full: bool) -> Mapping[str, object]:
    """Names for the templates of sql/checks."""
    return {
        "is_full": is_full,
        "recent_days": RECENT_DAYS,
        "changed_hours": CHANGED_HOURS,
        "memories": {timeframe: whole_memory_bars(timeframe) for timeframe in SECONDS},
        "columns": NAMES,
        "presences": [presence._asdict() for presence in presences()],
        "allowances": allowances(),
        "ordered": ORDERED,
        "broken_hole": LONGEST_BRIDGED_HOLE + 1,
        "stale_days": FEAR_GREED_STALE_DAYS,
        "rules": ROW_RULES,
    }
