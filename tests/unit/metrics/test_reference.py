"""The reference page names every metric there is, as the code does."""

from __future__ import annotations

from include.metrics.airflow_series import AIRFLOW_SERIES
from include.metrics.reference import PAGE, render
from include.metrics.registry import REGISTRY


def test_the_page_is_what_the_registry_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "run python -m include.metrics.reference"


def test_every_metric_and_every_series_of_airflows_is_on_it() -> None:
    page = render()
    names = {metric.prometheus_name for metric in REGISTRY.values()} | AIRFLOW_SERIES.keys()
    assert {name for name in names if f"| `{name}` |" not in page} == set()
