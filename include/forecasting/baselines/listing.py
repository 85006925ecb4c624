"""The bars a model has to clear, and which of them serves where no model has."""

from __future__ import annotations

from include.forecasting.baselines.drift import Drift
from include.forecasting.baselines.ewma import Ewma
from include.forecasting.baselines.har import Har
from include.forecasting.baselines.random_walk import RandomWalk
from include.forecasting.baselines.seasonal_hour import SeasonalHour
from include.forecasting.forecaster import Forecaster
from include.forecasting.targets import Target

_BASELINES: dict[Target, tuple[Forecaster, ...]] = {
    Target.LOG_RETURN: (RandomWalk(), Drift(), SeasonalHour()),
    Target.VOLATILITY: (Ewma(), Har()),
}
_SERVED: dict[Target, str] = {Target.LOG_RETURN: "random_walk", Target.VOLATILITY: "har"}


def baselines(target: Target) -> tuple[Forecaster, ...]:
    """All baselines of a target."""
    return _BASELINES[target]


def baseline(target: Target, name: str) -> Forecaster:
    """One of them. Raises KeyError where there is none of that name."""
    return {each.name: each for each in baselines(target)}[name]


def served_baseline(target: Target) -> Forecaster:
    """What is served of a market without a champion: the random walk, called `naive`, or HAR."""
    return baseline(target, _SERVED[target])
