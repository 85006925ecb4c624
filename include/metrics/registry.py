"""Every metric of this product beside Airflow's own: name, type, labels, meaning, and where its values come from.

Names are `crypto.<area>.<noun>_<unit>`. Times are Unix seconds of the newest thing known, never ages: an age would go
on looking fresh when its emitter dies. Labels are few-valued by nature (configured markets, fixed words).
"""

from __future__ import annotations

from include.metrics.emitted import EMITTED
from include.metrics.fact_queries import FACTS
from include.metrics.metric import Metric, MetricType

REGISTRY: dict[str, Metric] = {metric.name: metric for metric in (*EMITTED, *FACTS)}


class UndeclaredMetricError(ValueError):
    """A metric, or one of its labels, is not in the registry."""


def declared(name: str, type_: MetricType, labels: set[str]) -> Metric:
    """The emitted metric of this name. Raises UndeclaredMetricError where its name, type or labels are others."""
    metric = REGISTRY.get(name)
    if metric is None or metric.source != "statsd":
        raise UndeclaredMetricError(f"metric {name!r} is not declared in include/metrics/emitted.py")
    if metric.type != type_ or set(metric.labels) != labels:
        raise UndeclaredMetricError(
            f"{name!r} is a {metric.type} with labels {sorted(metric.labels)}, not a {type_} with {sorted(labels)}"
        )
    return metric
