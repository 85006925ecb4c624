"""Simulated hours on a stack whose world's clock is pushed on: every run an hour has, as soon as the last has ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from include.stack.launcher import Stack
from include.stack.layout import ROOT, StackError

HISTORY_MONTHS = 1
HOUR = timedelta(hours=1)
LONGEST_SECONDS = 900.0


@dataclass
class Hours:
    """now: the simulated world's time. failed: runs that did not succeed, as `dag_id run_id`.

    left: runs of the hour that has passed which were not waited for yet, as (dag_id, run_id).
    """

    stack: Stack
    now: datetime = field(init=False)
    failed: list[str] = field(default_factory=list)
    left: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.api = self.stack.api()
        self.clock = self.stack.environment["MARKET_CLOCK_URL"]
        self.now = self._clock(None)

    def prepare(self) -> None:
        """Pools and connections, HISTORY_MONTHS of candles with features and transforms, and every DAG unpaused."""
        expected = {path.stem for path in (ROOT / "dags").glob("*.py")}
        self.stack.load_settings()
        self._until(lambda: expected <= self.api.dags().keys(), "the DAGs are parsed")
        for dag_id in expected:
            self.api.set_paused(dag_id, False)
        first = self.now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        for _ in range(HISTORY_MONTHS):
            first = (first - timedelta(days=1)).replace(day=1)
        self.api.create_backfill("ohlcv_backfill", first, self.now, max_active_runs=3)
        self._until(lambda: not self.api.unfinished_runs(), "history is loaded")
        self.failed += [
            f"ohlcv_backfill {run['dag_run_id']}" for run in self.api.runs("ohlcv_backfill") if run["state"] == "failed"
        ]
        month = self.now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        self._wait([self._start("ohlcv_backfill", _window(month, self.now.replace(minute=0, second=0, microsecond=0)))])
        self._wait([self._start(dag_id) for dag_id in ("feature_upsert", "market_transforms")])
        self.settle()

    def next_hour(self) -> None:
        """Push the clock three minutes past the next full hour and do what is due then.

        Asset events wake features, transforms and forecasts besides, as they do in real time; those started here stand
        for the ones their timetables make, and end while the next hour's candles are awaited: Kraken lets one request
        pass in a second, whatever the clock says. Tickers are apart.
        """
        hour = self.now.replace(minute=0, second=0, microsecond=0) + HOUR
        self.now = self._clock(hour + timedelta(minutes=3))
        window = _window(hour - HOUR, hour)
        candles, spot = (self._start(dag_id, window) for dag_id in ("ohlcv_hourly", "spot_sentiment_hourly"))
        self._wait([candles])
        before, self.left = self.left, [self._start(dag_id) for dag_id in ("feature_upsert", "market_transforms")]
        self._wait([spot, self._start("price_forecast"), *before])

    def tickers(self, runs: int) -> None:
        """So many runs of ticker_snapshots for the five minutes that have just ended."""
        end = self.now.replace(minute=0, second=0, microsecond=0)
        ticker = _window(end - timedelta(minutes=5), end)
        self._wait([self._start("ticker_snapshots", ticker) for _ in range(runs)])

    def next_day(self) -> None:
        """What is due once a day."""
        self._wait([self._start(dag_id) for dag_id in ("coverage_repair", "warehouse_maintenance")])

    def settle(self) -> None:
        """Until nothing runs any more. Raises StackError after LONGEST_SECONDS."""
        self._wait(self.left)
        self.left = []
        self._until(lambda: not self.api.unfinished_runs(), "no run waits any more")

    def _until(self, is_so: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + LONGEST_SECONDS
        while not is_so():
            if time.monotonic() > deadline:
                raise StackError(f"after {LONGEST_SECONDS:.0f} s still not: {what}")
            time.sleep(0.5)

    def _clock(self, to: datetime | None) -> datetime:
        """Set the clock forward, or only read it."""
        if to is not None:
            requests.put(self.clock, json={"now": to.isoformat()}, timeout=10).raise_for_status()
        return datetime.fromisoformat(requests.get(self.clock, timeout=10).json()["now"]).astimezone(UTC)

    def _start(self, dag_id: str, conf: dict[str, Any] | None = None) -> tuple[str, str]:
        return dag_id, self.api.trigger(dag_id, conf, note="a simulated hour")

    def _wait(self, runs: list[tuple[str, str]]) -> None:
        deadline = time.monotonic() + LONGEST_SECONDS
        for dag_id, run_id in runs:
            while (state := self.api.run(dag_id, run_id)["state"]) not in ("success", "failed"):
                if time.monotonic() > deadline:
                    raise StackError(f"{dag_id} {run_id} is still {state} after {LONGEST_SECONDS:.0f} s")
                time.sleep(0.3)
            if state == "failed":
                self.failed.append(f"{dag_id} {run_id}")


def _window(start: datetime, end: datetime) -> dict[str, Any]:
    return {"start": start.isoformat(), "end": end.isoformat()}
