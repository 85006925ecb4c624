"""What a metric of this product is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MetricType = Literal["counter", "gauge", "timer"]
# statsd: sent by the process it happens in. database: read from a database by whoever shows the metrics page.
Source = Literal["statsd", "database"]


@dataclass(frozen=True, slots=True)
class Metric:
    """A declared metric."""

    name: str
    type: MetricType
    labels: tuple[str, ...]
    help: str
    source: Source = "statsd"

    @property
    def prometheus_name(self) -> str:
        """Its name on the metrics page; a timer is a histogram of seconds with `_bucket`, `_sum` and `_count`."""
        name = self.name.replace(".", "_")
        return f"{name}_total" if self.type == "counter" else name
