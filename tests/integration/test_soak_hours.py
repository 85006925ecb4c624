"""Simulated hours: the clock of a real replay exchange is pushed on, and each hour's runs are about that hour."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.month import hours as simulated
from benchmarks.month.hours import Hours
from include.replay.synthetic import SyntheticWorld
from include.stack.layout import ROOT, StackError
from tests.conftest import Serve

NOW = datetime(2024, 6, 1, 12, 34, tzinfo=UTC)


class Airflow:
    """Answers what Airflow's API would: every run succeeds, but for those of `failing`."""

    def __init__(self) -> None:
        self.triggered: list[tuple[str, dict[str, Any] | None]] = []
        self.backfilled: list[tuple[str, datetime, datetime]] = []
        self.unpaused: set[str] = set()
        self.failing: set[str] = set()
        self.unfinished = 0

    def trigger(self, dag_id: str, conf: dict[str, Any] | None = None, note: str | None = None) -> str:
        self.triggered.append((dag_id, conf))
        return f"run {len(self.triggered)}"

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        return {"state": "failed" if dag_id in self.failing else "success"}

    def unfinished_runs(self) -> int:
        return self.unfinished

    def dags(self) -> dict[str, Any]:
        return {path.stem: {} for path in (ROOT / "dags").glob("*.py")}

    def set_paused(self, dag_id: str, paused: bool) -> None:
        assert not paused
        self.unpaused.add(dag_id)

    def create_backfill(self, dag_id: str, start: datetime, end: datetime, max_active_runs: int) -> None:
        self.backfilled.append((dag_id, start, end))

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        return [{"state": "success"}]


@pytest.fixture
def airflow() -> Airflow:
    return Airflow()


@pytest.fixture
def hours(airflow: Airflow, serve: Serve) -> Iterator[Hours]:
    with serve(SyntheticWorld(7, datetime(2024, 5, 1, tzinfo=UTC)), NOW) as url:
        stack: Any = SimpleNamespace(
            api=lambda: airflow, environment={"MARKET_CLOCK_URL": f"{url}/clock"}, load_settings=lambda: None
        )
        yield Hours(stack)


def test_each_hour_is_the_next_one_and_its_runs_are_about_it(hours: Hours, airflow: Airflow) -> None:
    for hour in (13, 14):
        airflow.triggered.clear()
        hours.next_hour()
        assert hours.now == datetime(2024, 6, 1, hour, 3, tzinfo=UTC)
        window = {
            "start": datetime(2024, 6, 1, hour - 1, tzinfo=UTC).isoformat(),
            "end": datetime(2024, 6, 1, hour, tzinfo=UTC).isoformat(),
        }
        assert airflow.triggered == [
            ("ohlcv_hourly", window),
            ("spot_sentiment_hourly", window),
            ("feature_upsert", None),
            ("market_transforms", None),
            ("price_forecast", None),
        ]


def test_tickers_are_of_the_five_minutes_that_have_just_ended(hours: Hours, airflow: Airflow) -> None:
    hours.next_hour()
    airflow.triggered.clear()
    hours.tickers(2)
    end = datetime(2024, 6, 1, 13, tzinfo=UTC)
    window = {"start": (end - timedelta(minutes=5)).isoformat(), "end": end.isoformat()}
    assert airflow.triggered == [("ticker_snapshots", window)] * 2


def test_preparing_loads_whole_months_and_wakes_every_dag(hours: Hours, airflow: Airflow) -> None:
    hours.prepare()
    assert airflow.unpaused == set(airflow.dags())
    assert airflow.backfilled == [("ohlcv_backfill", datetime(2024, 5, 1, tzinfo=UTC), NOW)]
    assert airflow.triggered[0] == (
        "ohlcv_backfill",
        {"start": "2024-06-01T00:00:00+00:00", "end": "2024-06-01T12:00:00+00:00"},
    )


def test_a_failed_run_is_told(hours: Hours, airflow: Airflow) -> None:
    airflow.failing = {"warehouse_maintenance"}
    hours.next_day()
    assert [line.split()[0] for line in hours.failed] == ["warehouse_maintenance"]


def test_what_never_settles_ends(hours: Hours, airflow: Airflow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulated, "LONGEST_SECONDS", 0.0)
    airflow.unfinished = 1
    with pytest.raises(StackError, match="no run waits"):
        hours.settle()
