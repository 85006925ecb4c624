"""Kinds of forecast by their names on a command line and in a DAG's params: `log_return/24`, `volatility/24`."""

from __future__ import annotations

from include.forecasting.targets import FORECASTS, ForecastKind


class UnknownKindError(ValueError):
    """A kind of forecast was named that is not made."""


def kind_key(kind: ForecastKind) -> str:
    """`TARGET/HORIZON`, the horizon in bars."""
    return f"{kind.target}/{kind.horizon_bars}"


KIND_KEYS: tuple[str, ...] = tuple(kind_key(kind) for kind in FORECASTS)


def kind_by_key(key: str) -> ForecastKind:
    """The kind of that name. Raises UnknownKindError naming those there are."""
    if key not in KIND_KEYS:
        raise UnknownKindError(f"no forecast is made of {key!r}; there are {', '.join(KIND_KEYS)}")
    return FORECASTS[KIND_KEYS.index(key)]
