"""What is forecast of a market: its log return, and how much it will move."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from include.config.markets import FORECAST_HORIZONS


class Target(StrEnum):
    """A quantity known one horizon after a candle's close.

    LOG_RETURN: log of the close at the horizon's end over the close at its start.
    VOLATILITY: realised volatility, the root of the sum of squared log returns of the horizon's bars.
    """

    LOG_RETURN = "log_return"
    VOLATILITY = "volatility"


class ForecastKind(NamedTuple):
    """One thing that is forecast of every market."""

    target: Target
    horizon_bars: int

    def __str__(self) -> str:
        return f"{self.target} {self.horizon_bars} bars ahead"


# Volatility is forecast a day ahead, with the return of the same day.
VOLATILITY_HORIZON = 24
FORECASTS: tuple[ForecastKind, ...] = (
    *(ForecastKind(Target.LOG_RETURN, horizon) for horizon in FORECAST_HORIZONS),
    ForecastKind(Target.VOLATILITY, VOLATILITY_HORIZON),
)
