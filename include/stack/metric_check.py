"""Whether every metric that dashboards and alerts rely on really comes: asked of Prometheus, or of the metrics page."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from include.metrics.airflow_series import AIRFLOW_SERIES
from include.metrics.metric import MetricType
from include.metrics.registry import REGISTRY
from include.stack.layout import Layout, Ports, StackError
from include.stack.monitoring import running

# Of these nothing can be said before something has happened that a healthy demo has no part in: they are gauges of what
# does not exist yet, or durations of what did not happen. Counters never stand here: they are born at zero.
ONLY_WHEN = {
    "crypto_backup_last_success_timestamp_seconds": "a backup was made",
    "crypto_dag_last_failure_timestamp_seconds": "a run has failed",
    "crypto_dag_oldest_unfinished_run_timestamp_seconds": "a run is under way",
    "crypto_forecast_coverage_ratio": "forecasts have met ten days of outcomes",
    "crypto_forecast_skill_ratio": "forecasts have met their outcomes",
    "crypto_forecast_skill_upper_ratio": "forecasts have met their outcomes",
    "airflow_dagrun_duration_failed": "a run has failed",
}
# Two scrapes, and the time in which facts of the databases are read again.
PATIENCE_SECONDS = 90.0
PAUSE_SECONDS = 2.0

Names = Callable[[], set[str]]


@dataclass(frozen=True, slots=True)
class Found:
    """Which metrics have samples: of our own, of Airflow's, and those of either that have not."""

    ours: tuple[str, ...]
    airflows: tuple[str, ...]
    missing: tuple[str, ...]
    not_yet: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        return not self.missing

    def lines(self, where: str) -> list[str]:
        """For the report: how many have samples, and what has not."""
        of_ours = len(self.ours) + sum(name.startswith("crypto_") for name in self.missing)
        of_airflows = len(self.airflows) + sum(name.startswith("airflow_") for name in self.missing)
        lines = [
            f"metrics: {len(self.ours)} of {of_ours} of our own and {len(self.airflows)} of {of_airflows} of Airflow's"
            f" have samples ({where})"
        ]
        if self.not_yet:
            reasons = ", ".join(f"{name} ({ONLY_WHEN[name]})" for name in self.not_yet)
            lines.append(f"  {len(self.not_yet)} more come once: {reasons}")
        if self.missing:
            lines.append(f"  MISSING: {', '.join(self.missing)}")
        return lines


def found(names: Iterable[str]) -> Found:
    """What these names of samples amount to; a timer is there with its `_count`."""
    seen = set(names)
    ours = {metric.prometheus_name: metric.type for metric in REGISTRY.values()}
    airflows = {series.name: series.type for series in AIRFLOW_SERIES.values()}
    absent = {name for name, type_ in (ours | airflows).items() if _sample(name, type_) not in seen}
    return Found(
        ours=tuple(sorted(ours.keys() - absent)),
        airflows=tuple(sorted(airflows.keys() - absent)),
        missing=tuple(sorted(absent - ONLY_WHEN.keys())),
        not_yet=tuple(sorted(absent & ONLY_WHEN.keys())),
    )


def await_metrics(
    names: Names,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    patience_seconds: float = PATIENCE_SECONDS,
) -> Found:
    """Look until nothing is missing or patience ends. Raises StackError where nobody answers."""
    deadline = monotonic() + patience_seconds
    while True:
        try:
            verdict = found(names())
            if verdict.is_complete or monotonic() > deadline:
                return verdict
        except OSError as error:
            if monotonic() > deadline:
                raise StackError(f"the metrics of this demo cannot be read: {error}") from error
        sleep(PAUSE_SECONDS)


def metrics_of_stack(layout: Layout, ports: Ports, since: float) -> tuple[Found, str]:
    """What this stack has shown since a Unix time, and where that was looked up."""
    if "prometheus" in running(layout, ports):
        url = f"http://127.0.0.1:{ports.prometheus}"
        return await_metrics(lambda: names_in_prometheus(url, since)), f"Prometheus at {url}"
    page = f"http://127.0.0.1:{ports.metrics}/metrics"
    return await_metrics(lambda: names_on_page(page)), f"the page {page}"


def names_in_prometheus(url: str, since: float) -> set[str]:
    """Names of samples of ours and Airflow's that Prometheus has taken since this Unix time. Raises OSError."""
    seconds = max(60, int(time.time() - since))
    query = f'count by (__name__) (last_over_time({{__name__=~"(airflow|crypto)_.+"}}[{seconds}s]))'
    body = urllib.parse.urlencode({"query": query}).encode()
    with urllib.request.urlopen(f"{url}/api/v1/query", data=body, timeout=30) as answer:  # noqa: S310 - our own
        return {series["metric"]["__name__"] for series in json.load(answer)["data"]["result"]}


def names_on_page(url: str) -> set[str]:
    """Names of samples on a metrics page. Raises OSError."""
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - our own
        lines = answer.read().decode().splitlines()
    return {line.partition("{")[0].partition(" ")[0] for line in lines if line and not line.startswith("#")}


def _sample(name: str, type_: MetricType) -> str:
    return f"{name}_count" if type_ == "timer" else name
