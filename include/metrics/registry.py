"""Every metric this product emits beside Airflow's own: name, type, labels, meaning.

Names are `crypto.<area>.<noun>_<unit>`. Times are Unix seconds of the newest thing known, never ages: an age would go
on looking fresh when its emitter dies. Labels are few-valued by nature (configured markets, fixed words).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MetricType = Literal["counter", "gauge", "timer"]


class UndeclaredMetricError(ValueError):
    """A metric, or one of its labels, is not in the registry."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A declared metric."""

    name: str
    type: MetricType
    labels: tuple[str, ...]
    help: str

    @property
    def prometheus_name(self) -> str:
        """Its name on the metrics page; a timer is a histogram of seconds with `_bucket`, `_sum` and `_count`."""
        name = self.name.replace(".", "_")
        return f"{name}_total" if self.type == "counter" else name


_DECLARED = (
    Metric(
        "crypto.venue.requests",
        "counter",
        ("venue", "outcome"),
        "HTTP requests to a source by outcome: ok, or the class of error in snake case without its `Error`.",
    ),
    Metric("crypto.venue.request_seconds", "timer", ("venue",), "How long a source took to answer."),
    Metric(
        "crypto.budget.requests",
        "counter",
        ("venue", "priority"),
        "Requests that the shared budget of a source let through, by live, repair or backfill.",
    ),
    Metric(
        "crypto.budget.weight",
        "counter",
        ("venue", "priority"),
        "Weight of these requests, in the source's own units.",
    ),
    Metric(
        "crypto.budget.waited_seconds",
        "timer",
        ("venue", "priority"),
        "How long a request waited for its tokens, where it had to.",
    ),
    Metric(
        "crypto.budget.refusals",
        "counter",
        ("venue", "priority", "reason"),
        "Requests not let through, by reason: budget, queue, blocked, circuit or database.",
    ),
    Metric(
        "crypto.circuit.state",
        "gauge",
        ("venue",),
        "The circuit of a source: 0 closed, 1 half open (one request tries), 2 open (nothing is sent).",
    ),
    Metric(
        "crypto.circuit.troubles",
        "counter",
        ("venue", "reason"),
        "Answers that blocked a source or counted against its circuit, by reason.",
    ),
    Metric(
        "crypto.ingest.rows",
        "counter",
        ("dataset", "result"),
        "Rows read from a source by what became of them: new, changed, unchanged or quarantined.",
    ),
    Metric(
        "crypto.candle.newest_close_timestamp_seconds",
        "gauge",
        ("venue", "symbol", "timeframe"),
        "Close time of the newest candle in the warehouse.",
    ),
    Metric(
        "crypto.coverage.unknown",
        "gauge",
        ("venue", "symbol", "timeframe"),
        "Candles expected that are neither held nor explained: not empty, an outage, out of reach or pending.",
    ),
    Metric(
        "crypto.coverage.held_ratio",
        "gauge",
        ("venue", "symbol", "timeframe"),
        "Share of the expected candles that the table or the archive holds; the rest is explained or unknown.",
    ),
    Metric(
        "crypto.ticker.newest_timestamp_seconds",
        "gauge",
        ("venue", "symbol"),
        "When the newest ticker snapshot was observed.",
    ),
    Metric(
        "crypto.sentiment.newest_timestamp_seconds",
        "gauge",
        (),
        "When the newest Fear & Greed value was published.",
    ),
    Metric(
        "crypto.feature.rows",
        "counter",
        ("result",),
        "Feature rows recomputed by what became of them: new, changed or unchanged.",
    ),
    Metric(
        "crypto.check.failures",
        "counter",
        ("check",),
        "Checks of the stored features that failed, by check: a column's bound, a rule of rows or a recomputed column.",
    ),
    Metric(
        "crypto.feature.newest_close_timestamp_seconds",
        "gauge",
        ("venue", "symbol", "timeframe"),
        "Close time of the newest candle that has features.",
    ),
    Metric(
        "crypto.transform.rows",
        "counter",
        ("table", "result"),
        "Rows of the schema mart by table and what became of them: new, changed or removed.",
    ),
    Metric(
        "crypto.alert.changes",
        "counter",
        ("result",),
        "Price alerts by what candles made of them: fired, corrected, reinstated or retracted.",
    ),
    Metric(
        "crypto.alert.notices",
        "counter",
        ("kind",),
        "Notices handed to the notifier: alert or retraction.",
    ),
    Metric(
        "crypto.model.trainings",
        "counter",
        ("symbol", "horizon", "target", "decision"),
        "Trainings by what was decided to serve: model or naive.",
    ),
    Metric(
        "crypto.model.trained_timestamp_seconds",
        "gauge",
        ("symbol", "horizon", "target"),
        "When a model was last trained and compared with the baselines.",
    ),
    Metric(
        "crypto.forecast.rows",
        "counter",
        ("result",),
        "Forecasts by what became of them: written, already_sealed or refused.",
    ),
    Metric(
        "crypto.forecast.refusals",
        "counter",
        ("target", "reason"),
        "Forecasts refused, or their volatility part, by class of reason.",
    ),
    Metric(
        "crypto.forecast.newest_target_timestamp_seconds",
        "gauge",
        ("symbol", "horizon"),
        "Target time of the newest sealed forecast.",
    ),
    Metric(
        "crypto.forecast.skill_ratio",
        "gauge",
        ("symbol", "horizon", "target"),
        "1 - loss / loss of the random walk (of volatility: EWMA) over 90 days, of the model served; 0 is no better.",
    ),
    Metric(
        "crypto.forecast.skill_upper_ratio",
        "gauge",
        ("symbol", "horizon", "target"),
        "Upper end of the 95 % confidence interval of crypto.forecast.skill_ratio; below 0: worse beyond luck.",
    ),
    Metric(
        "crypto.forecast.coverage_ratio",
        "gauge",
        ("symbol", "horizon", "target", "interval"),
        "Share of outcomes over 90 days that the served model's interval of 80 or 95 % held; from 10 days on.",
    ),
    Metric("crypto.archive.rows", "counter", ("dataset",), "Rows written to verified archive files."),
    Metric(
        "crypto.reconcile.candles",
        "counter",
        ("venue", "symbol", "verdict"),
        "Candles compared across venues by verdict: agree, quote_basis, outlier, missing or uncompared.",
    ),
)

REGISTRY: dict[str, Metric] = {metric.name: metric for metric in _DECLARED}


def declared(name: str, type_: MetricType, labels: set[str]) -> Metric:
    """The metric of this name. Raises UndeclaredMetricError where name, type or the set of labels is another."""
    metric = REGISTRY.get(name)
    if metric is None:
        raise UndeclaredMetricError(f"metric {name!r} is not declared in include/metrics/registry.py")
    if metric.type != type_ or set(metric.labels) != labels:
        raise UndeclaredMetricError(
            f"{name!r} is a {metric.type} with labels {sorted(metric.labels)}, not a {type_} with {sorted(labels)}"
        )
    return metric
