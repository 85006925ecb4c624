"""The label values every counter is known to have, so that each is born at 0.

Prometheus sees a counter's growth only from its first sample on: one that is born at 1 hides its first event.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from include.config.markets import FORECAST_MARKETS, MARKETS
from include.features.registry import NAMES
from include.features_check.rules import ROW_RULES
from include.forecasting.refusals import ReasonClass
from include.forecasting.targets import FORECASTS, Target
from include.politeness.priority import Priority
from include.transforms.checks import MART_CHECKS
from include.transforms.model import AlertCounts, RowCounts, TransformRun
from include.venues.capabilities import CAPABILITIES
from include.venues.errors import VenueError

Labels = dict[str, str]

VENUES = tuple(CAPABILITIES)
PRIORITIES = tuple(Priority)
DATASETS = ("candle", "ticker", "coin_snapshot", "fear_greed")
REFUSALS = ("budget", "queue", "blocked", "circuit", "database")
TROUBLES = ("banned", "rate_limited", "geo_blocked", "forbidden", "authentication", "unavailable", "used_weight")
VERDICTS = ("agree", "quote_basis", "outlier", "missing", "uncompared")
WITH_DEADLINE = ("ohlcv_hourly", "spot_sentiment_hourly", "ticker_snapshots", "price_forecast")


def births() -> Iterator[tuple[str, Labels]]:
    """(counter, labels) of every series that is known before anything happens."""
    yield from _each("crypto.venue.requests", venue=VENUES, outcome=("ok", *_outcomes()))
    yield from _each("crypto.budget.requests", venue=VENUES, priority=PRIORITIES)
    yield from _each("crypto.budget.weight", venue=VENUES, priority=PRIORITIES)
    yield from _each("crypto.budget.refusals", venue=VENUES, priority=PRIORITIES, reason=REFUSALS)
    yield from _each("crypto.circuit.troubles", venue=VENUES, reason=TROUBLES)
    yield from _each("crypto.ingest.rows", dataset=DATASETS, result=("new", "changed", "unchanged", "quarantined"))
    yield from _each("crypto.feature.rows", result=("new", "changed", "unchanged"))
    yield from _each("crypto.check.failures", check=_checks())
    yield from _each("crypto.transform.rows", table=_tables(), result=RowCounts._fields)
    yield from _each("crypto.alert.changes", result=AlertCounts._fields)
    yield from _each("crypto.alert.notices", kind=("alert", "retraction"))
    yield from _each("crypto.forecast.rows", result=("written", "already_sealed", "refused"))
    yield from _each("crypto.forecast.refusals", target=tuple(Target), reason=tuple(ReasonClass))
    yield from _each("crypto.archive.rows", dataset=("candle", "ticker"))
    yield from _each("crypto.deadline.missed", dag_id=WITH_DEADLINE)
    for market, kind, decision in product(FORECAST_MARKETS, FORECASTS, ("model", "naive")):
        labels = {"symbol": market.symbol, "horizon": str(kind.horizon_bars), "target": str(kind.target)}
        yield "crypto.model.trainings", {**labels, "decision": decision}
    for market, verdict in product(MARKETS, VERDICTS):
        yield "crypto.reconcile.candles", {"venue": market.venue, "symbol": market.symbol, "verdict": verdict}


def _each(name: str, **values: tuple[str, ...]) -> Iterator[tuple[str, Labels]]:
    for chosen in product(*values.values()):
        yield name, dict(zip(values, map(str, chosen), strict=True))


def _outcomes() -> tuple[str, ...]:
    found, waiting = [], [VenueError]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        found.append(kind.outcome())
    return tuple(sorted(found))


def _checks() -> tuple[str, ...]:
    bounds = (f"{name}.{end}" for name in NAMES for end in ("min", "max"))
    compared = (f"cross_check.{name}" for name in NAMES)
    return (*ROW_RULES, *bounds, *compared, *(f"mart.{name}" for name in MART_CHECKS))


def _tables() -> tuple[str, ...]:
    return tuple(TransformRun().tables)
