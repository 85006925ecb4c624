"""The main job from end to end, through the real scheduler: history in, forecast out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from include.clock import RemoteClock
from include.stack.launcher import Stack
from include.stack.layout import ROOT, StackError
from include.stack.metric_check import Found, metrics_of_stack
from include.stack.report import print_report
from include.stack.status import addresses
from include.warehouse.connection import connect

RECORDED_FROM = datetime(2023, 1, 1, tzinfo=UTC)
HOURS_BY_BACKFILL = 6
HOURLY = ("ohlcv_hourly", "spot_sentiment_hourly")
STEP_SECONDS = 900.0


def logical_date(run: dict[str, Any]) -> datetime:
    """Start of the run's data interval, by which a backfill names it; the end of time where it has none."""
    given = run["logical_date"]
    return datetime.fromisoformat(given) if given else datetime.max.replace(tzinfo=UTC)


def history_from(world: str, now: datetime) -> datetime:
    """First month the demo loads: of a recorded world all there is; of one without end the last year, so that the
    demo stays as long as it is."""
    if world == "recorded":
        return RECORDED_FROM
    return datetime(now.year - 1, now.month, 1, tzinfo=UTC)


def _is_run(run_id: str, run: dict[str, Any]) -> bool:
    return bool(run["dag_run_id"] == run_id)


class Demo:
    """Drives the DAGs of a started stack and reports; running it again goes on from what is there."""

    def __init__(self, stack: Stack, say: Callable[[str], None]) -> None:
        self.stack, self.say = stack, say
        self.api = stack.api()
        self.now = RemoteClock(stack.environment["MARKET_CLOCK_URL"]).now()

    def run(self) -> bool:
        """True where every run succeeded and every metric came. Raises StackError for a step that does not end."""
        began = datetime.now(UTC)
        self.say(f"{self.stack.layout.world} world, whose clock says {self.now:%Y-%m-%d %H:%M} UTC")
        if self.stack.layout.world == "synthetic":
            self.say("SYNTHETIC DATA: seeded random walks, no real prices (MARKET_DATA_DIR names recorded ones)")
        self.stack.load_settings()
        self._wait_for_dags()
        for dag_id in ("ohlcv_backfill", *HOURLY):
            self.api.set_paused(dag_id, False)
        first = history_from(self.stack.layout.world, self.now)
        self._backfill(("ohlcv_backfill",), first, self.now)
        hour = self.now.replace(minute=0, second=0, microsecond=0)
        # A run is named by the start of its interval; the newest one ended some minutes after the full hour.
        self._backfill(HOURLY, hour - timedelta(hours=HOURS_BY_BACKFILL), hour - timedelta(minutes=50))
        # For what coverage_repair announces, as a schedule would have it.
        self.api.set_paused("market_transforms", False)
        self._trigger({"coverage_repair": None})
        self._trigger({"feature_upsert": None})
        second = (first + timedelta(days=31)).replace(day=1)
        self._trigger(
            {
                "market_transforms": None,
                "model_retraining": None,
                "ticker_snapshots": self._last_minutes(),
                "archival": {"dry_run": False, "start": first.isoformat(), "end": second.isoformat()},
                "warehouse_maintenance": None,
            }
        )
        self._trigger({"price_forecast": None})
        self._wait_until_idle()
        self.say("looking for every metric that dashboards and alerts rely on")
        metrics = metrics_of_stack(self.stack.layout, self.stack.ports, began.timestamp())
        self._leave()
        return self._report(began, *metrics)

    def _last_minutes(self) -> dict[str, object]:
        """The last full five minutes of the world's time, which a run that is triggered by hand does not know."""
        now = self.now
        end = now.replace(minute=now.minute - now.minute % 5, second=0, microsecond=0)
        return {"start": (end - timedelta(minutes=5)).isoformat(), "end": end.isoformat()}

    def _wait_for_dags(self) -> None:
        """Until Airflow has parsed every DAG file; an import error ends the wait."""
        expected = {path.stem for path in (ROOT / "dags").glob("*.py")}
        deadline = time.monotonic() + 120
        while not expected <= self.api.dags().keys():
            errors = self.api.import_errors()
            if errors:
                raise StackError(f"{errors[0]['filename']} cannot be imported:\n{errors[0]['stack_trace']}")
            if time.monotonic() > deadline:
                raise StackError(f"Airflow has not found the DAGs {sorted(expected - self.api.dags().keys())}")
            time.sleep(0.5)

    def _backfill(self, dag_ids: Sequence[str], start: datetime, end: datetime) -> None:
        """What `airflow backfill create` does, for DAGs side by side; an earlier backfill is waited for first."""
        for dag_id in dag_ids:
            self._wait_for_backfills(dag_id)
            self.say(f"airflow backfill create --dag-id {dag_id} --from-date {start:%FT%T} --to-date {end:%FT%T}")
            self.api.create_backfill(dag_id, start, end, max_active_runs=4)
        for dag_id in dag_ids:
            self._wait(dag_id, lambda r: r["run_type"] == "backfill" and start <= logical_date(r) <= end, "backfill")

    def _wait_for_backfills(self, dag_id: str) -> None:
        deadline = time.monotonic() + STEP_SECONDS
        while any(b["completed_at"] is None for b in self.api.backfills(dag_id)):
            if time.monotonic() > deadline:
                raise StackError(f"an earlier backfill of {dag_id} does not end: see the Backfills tab of the DAG")
            time.sleep(1)

    def _trigger(self, runs: Mapping[str, dict[str, object] | None]) -> None:
        """One run of each of the DAGs, with what it is to know, side by side."""
        run_ids = {}
        for dag_id, conf in runs.items():
            self.say(f"{dag_id}: triggered")
            self.api.set_paused(dag_id, False)
            run_ids[dag_id] = self.api.trigger(dag_id, conf, note="make demo")
        for dag_id, run_id in run_ids.items():
            self._wait(dag_id, partial(_is_run, run_id), "run")

    def _wait(self, dag_id: str, wanted: Callable[[dict[str, Any]], bool], what: str) -> None:
        """Until the wanted runs have ended, with a line whenever the count moves. Raises StackError on a failure."""
        deadline = time.monotonic() + STEP_SECONDS
        shown = ""
        while True:
            runs = [run for run in self.api.runs(dag_id) if wanted(run)]
            states = [run["state"] for run in runs]
            line = f"{dag_id}: {what} {states.count('success')}/{len(runs)}"
            if line != shown:
                self.say(line)
                shown = line
            if "failed" in states:
                run_id = next(run["dag_run_id"] for run in runs if run["state"] == "failed")
                tasks = ", ".join(self.api.failed_tasks(dag_id, run_id)) or "see the UI"
                raise StackError(f"{dag_id} run {run_id} failed ({tasks}); its logs: {self.stack.layout.task_logs}")
            if runs and all(state == "success" for state in states):
                return
            if time.monotonic() > deadline:
                raise StackError(f"{dag_id}: not done after {STEP_SECONDS:.0f} s: {states}")
            time.sleep(1)

    def _wait_until_idle(self) -> None:
        """Until nothing runs or waits any more: events may have woken a DAG while the last one ended."""
        deadline = time.monotonic() + STEP_SECONDS
        while self.api.unfinished_runs():
            if time.monotonic() > deadline:
                raise StackError(f"runs are still waiting after {STEP_SECONDS:.0f} s; see the Dag Runs page")
            time.sleep(1)

    def _leave(self) -> None:
        """A synthetic world lives on; a recorded one ends at its clock, and its DAGs are left paused."""
        if self.stack.layout.world == "synthetic":
            self.say("every DAG is left running by its own schedule: the synthetic world goes on with the real clock")
            return
        for dag_id in self.api.dags():
            self.api.set_paused(dag_id, True)
        self.say("every DAG is left paused: the recorded world ends at its clock, a schedule would find nothing to do")

    def _report(self, began: datetime, metrics: Found, looked_up: str) -> bool:
        """Print what there is now. Failures of an earlier, interrupted demo are history and not counted."""
        runs = [run for dag_id in self.api.dags() for run in self.api.runs(dag_id)]
        runs = [run for run in runs if not run["end_date"] or datetime.fromisoformat(run["end_date"]) >= began]
        failed = [f"\n  {run['dag_id']} {run['dag_run_id']}" for run in runs if run["state"] == "failed"]
        running = sum(run["state"] in ("queued", "running") for run in runs)
        with connect(self.stack.warehouse_dsn()) as connection:
            print_report(connection, self.now, (datetime.now(UTC) - began).total_seconds())
        begun = f", {running} begun by their schedule just now" if running else ""
        print(f"\n{len(runs)} DAG runs, {len(failed)} failed{begun}{''.join(failed)}")
        print("\n".join(metrics.lines(looked_up)))
        print(addresses(self.stack.layout, self.stack.ports), flush=True)
        return not failed and metrics.is_complete
