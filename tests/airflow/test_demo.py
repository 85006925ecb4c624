"""The main job through the real scheduler, and what a user may do to it. The order counts: the last tests stop it."""

from __future__ import annotations

import csv
import io
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest
import requests

from include.clock import RemoteClock
from include.metrics.dashboard import BOARDS
from include.metrics.registry import REGISTRY
from include.stack.demo import history_from
from include.stack.metric_check import ONLY_WHEN
from tests.airflow.panel_queries import LiveCheck
from tests.airflow.running import ROOT, RunningStack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1200)]

COLUMNS = {
    "open": "open",
    "high": "high",
    "low": "low",
    "close": "close",
    "volume": "base_volume",
    "quote_volume": "quote_volume",
    "taker_buy_base": "taker_buy_base_volume",
    "taker_buy_quote": "taker_buy_quote_volume",
}


def table_hash(stack: RunningStack) -> tuple[object, ...]:
    """Everything the pipeline may not change by running again, to the byte."""
    with stack.warehouse() as warehouse:
        row = warehouse.execute("""
            select
                (select md5(string_agg(c::text, '' order by instrument_id, timeframe, opened_at))
                 from market.candle as c),
                (select md5(string_agg(f::text, '' order by instrument_id, timeframe, opened_at))
                 from features.candle_feature as f),
                (select count(*) from market.candle_revision),
                (select count(*) from ops.change_range)
        """).fetchone()
    assert row is not None
    assert row[0]
    return row


def months(stack: RunningStack) -> list[datetime]:
    """First days of the months the demo loads whole: begun by the clock of its world, over by the machine's."""
    now = RemoteClock(f"http://127.0.0.1:{stack.ports.replay}/clock").now()
    first, found = history_from(stack.world, now), []
    while first <= now and (following := (first + timedelta(days=31)).replace(day=1)) <= datetime.now(UTC):
        found.append(first)
        first = following
    return found


def test_every_run_of_every_dag_succeeded(stack: RunningStack) -> None:
    api = stack.api()
    dags = api.dags()
    assert set(dags) == {path.stem for path in Path("dags").glob("*.py")}
    states = {dag_id: [run["state"] for run in api.runs(dag_id)] for dag_id in dags}
    assert all(states.values()), f"a DAG without a run: {states}"
    assert {state for each in states.values() for state in each} == {"success"}
    # The newest month may have been loaded by its own schedule, before the backfill reached it.
    loaded = {datetime.fromisoformat(run["logical_date"]) for run in api.runs("ohlcv_backfill")}
    assert loaded >= set(months(stack))
    assert api.import_errors() == []


def test_report_says_what_was_done(stack: RunningStack) -> None:
    report = stack.log.read_text()
    for part in (
        "candles: expected",
        "models against the best baseline, walk-forward",
        "newest sealed forecasts",
        ", 0 failed",
    ):
        assert part in report
    assert ("SYNTHETIC" in report) == (stack.world == "synthetic")


@pytest.mark.parametrize("timeframe", ["1h", "1d"])
@pytest.mark.parametrize("coin", ["BTC", "ETH", "BNB"])
def test_candles_equal_the_recorded_ones(stack: RunningStack, market_data_dir: Path, coin: str, timeframe: str) -> None:
    with stack.warehouse() as warehouse:
        found = warehouse.execute(
            """
            select c.opened_at, trade_count, open, high, low, close, base_volume, quote_volume,
                   taker_buy_base_volume, taker_buy_quote_volume
            from market.candle as c join market.instrument as i using (instrument_id)
            where i.symbol = %s and timeframe = %s order by opened_at
            """,
            (f"{coin}/USDT", timeframe),
        ).fetchall()
    # The recording holds binary floats: the shortest decimal that names each is what the replay exchange quotes.
    recorded = pq.read_table(market_data_dir / f"binance/klines_{timeframe}/{coin}USDT.parquet").to_pylist()
    start = int(datetime(2023, 1, 1, tzinfo=UTC).timestamp() * 1000)
    newest = int(found[-1][0].timestamp() * 1000)
    expected = [
        (
            datetime.fromtimestamp(row["open_time"] / 1000, UTC),
            int(row["trades"]),
            *(Decimal(repr(row[name])) for name in COLUMNS),
        )
        for row in recorded
        if start <= row["open_time"] <= newest
    ]
    closed_until = {"1h": datetime(2025, 1, 31, 19, tzinfo=UTC), "1d": datetime(2025, 1, 30, tzinfo=UTC)}[timeframe]
    assert found[-1][0] >= closed_until
    assert found == expected


def test_the_only_hole_is_the_venues_own_and_every_equation_closes(stack: RunningStack, market_data_dir: Path) -> None:
    from include.coverage.equation import coverage
    from include.coverage.spans import Span

    with stack.warehouse() as warehouse:
        now = warehouse.execute("select max(opened_at) + interval '1 hour' from market.candle").fetchone()
        assert now is not None
        found = coverage(warehouse, now[0])
    assert [(s.venue, s.symbol, s.unknown) for s in found if s.unknown] == []
    series = {(s.symbol, s.timeframe): s.missing for s in found if s.venue == "binance"}
    assert len(series) == 6
    outage = datetime(2023, 3, 24, 13, tzinfo=UTC)
    for (_, timeframe), missing in series.items():
        assert missing == ([Span(outage, outage + timedelta(hours=1))] if timeframe == "1h" else [])


def test_the_coverage_command_certifies_it(stack: RunningStack, tmp_path: Path) -> None:
    environment = stack.run("env", seconds=240)
    exports = dict(line.removeprefix("export ").split("=", 1) for line in environment.stdout.splitlines())
    given = {name: shlex.split(exports[name])[0] for name in ("WAREHOUSE_DSN", "MARKET_CLOCK_URL")}

    def coverage(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "include.cli", "coverage", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env={**os.environ, **given}, capture_output=True, text=True, check=False
        )

    certificate = tmp_path / "certificate.json"
    done = coverage("--certificate", str(certificate))
    assert done.returncode == 0, done.stdout + done.stderr
    assert coverage("--check", str(certificate)).returncode == 0


def test_features_and_forecasts_are_there(stack: RunningStack) -> None:
    with stack.warehouse("warehouse_reader") as warehouse:
        prices = warehouse.execute(
            "select crypto, count(*), count(rsi_14) from crypto_prices group by crypto"
        ).fetchall()
        forecasts = warehouse.execute(
            "select count(distinct (crypto, horizon)), bool_and(made_at < timestamp), count(*) from predictions"
        ).fetchone()
    assert {row[0] for row in prices} == {"BTC", "ETH", "BNB"}
    assert all(0 < with_rsi < rows for _, rows, with_rsi in prices), "warm-up rows are NULL, the others are not"
    assert forecasts is not None
    assert forecasts[0] == 6
    assert forecasts[1] is True


def test_public_views_name_their_world(stack: RunningStack) -> None:
    with stack.warehouse("warehouse_reader") as warehouse:
        for view in ("ohlcv", "crypto_prices", "predictions", "fear_greed_index", "ticker_snapshots"):
            assert warehouse.execute(f"select distinct world from {view}").fetchall() == [(stack.world,)]


def test_metrics_page_shows_airflow_and_our_own(stack: RunningStack) -> None:
    page = requests.get(f"http://127.0.0.1:{stack.ports.metrics}/metrics", timeout=10).text
    for name in ("airflow_task_finish_total", "airflow_scheduler_heartbeat", "crypto_ingest_rows_total"):
        assert name in page
    assert "crypto_candle_newest_close_timestamp_seconds{" in page


def test_every_metric_came(stack: RunningStack) -> None:
    line = re.search(
        r"metrics: (\d+) of (\d+) of our own and (\d+) of (\d+) of Airflow's have samples \((.*)\)",
        stack.log.read_text(),
    )
    assert line
    came, ours, airflows_came, airflows, where = line.groups()
    assert (came, airflows_came) == (ours, airflows)
    assert int(ours) > len(REGISTRY) - len(ONLY_WHEN)
    assert where.startswith("Prometheus at" if shutil.which("prometheus") else "the page")


@pytest.fixture
def live(stack: RunningStack) -> LiveCheck:
    """The stack's own Prometheus, and the hour in which the demo ran."""
    if not shutil.which("prometheus"):
        pytest.skip("prometheus is not installed (Debian: prometheus): nobody to ask the dashboards' queries of")
    now = time.time()
    return LiveCheck(f"http://127.0.0.1:{stack.ports.prometheus}", now - 3600, now)


def test_every_panel_has_data(live: LiveCheck) -> None:
    for board in BOARDS:
        live.board(board)
    print(f"{live.queries} queries, {len(live.not_yet)} of what has not happened yet: {live.not_yet}")
    assert live.problems == []
    assert live.queries > 80
    assert len(live.not_yet) < 12


def test_every_rule_is_evaluated(live: LiveCheck) -> None:
    """A rule whose sides match more than once is an error that only real series show."""
    groups = requests.get(f"{live.url}/api/v1/rules", timeout=10).json()["data"]["groups"]
    rules = {rule["name"]: (rule["health"], rule.get("lastError")) for group in groups for rule in group["rules"]}
    assert {name: found for name, found in rules.items() if found[0] != "ok"} == {}
    assert len(rules) > 20


@pytest.mark.parametrize(
    ("expression", "legend", "problem"),
    [
        ("crypto_circuit_states", "{{venue}}", "no data"),
        ('crypto_circuit_state{exchange="kraken"}', "{{venue}}", "no data"),
        ("rate(crypto_circuit_state)", "{{venue}}", "refused"),
        ("crypto_circuit_state", "{{exchange}}", "the legend's exchange is in no answer"),
    ],
)
def test_a_planted_error_leaves_a_panel_empty(live: LiveCheck, expression: str, legend: str, problem: str) -> None:
    for instant in (True, False):
        live.query("planted", {"expr": expression, "legendFormat": legend, "instant": instant}, [])
    assert [problem in each for each in live.problems] == [True, True]


def test_sql_prints_csv(stack: RunningStack) -> None:
    done = stack.run(
        "sql",
        "select symbol, count(*) as n from ohlcv where venue = 'binance' and timeframe = '1d' group by 1 order by 1",
    )
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert done.returncode == 0
    assert [row["symbol"] for row in rows] == ["BNB/USDT", "BTC/USDT", "ETH/USDT"]
    refused = stack.run("sql", "delete from market.candle returning 1")
    assert refused.returncode == 1
    assert "cannot execute DELETE" in refused.stderr


def test_second_start_is_refused_and_harmless(stack: RunningStack) -> None:
    for action in (("demo",), ("up",)):
        second = stack.run(*action)
        assert second.returncode == 1
        assert "already running" in second.stderr
    status = stack.run("status")
    assert status.returncode == 0, status.stdout
    assert "NOT healthy" not in status.stdout


def test_same_backfill_again_changes_nothing(stack: RunningStack) -> None:
    """Not a row, not a revision, not a change range, not a dead tuple."""
    api, before = stack.api(), table_hash(stack)
    dead = "select n_dead_tup, n_tup_ins, n_tup_upd from pg_stat_user_tables where relname = 'candle'"
    with stack.warehouse() as warehouse:
        warehouse.execute("select pg_stat_force_next_flush()")
        counted = warehouse.execute(dead).fetchone()
    api.set_paused("ohlcv_backfill", False)
    chosen = months(stack)[2:5]
    again = ["--from-date", f"{chosen[0]:%F}", "--to-date", f"{chosen[-1]:%F}", "--reprocess-behavior", "completed"]
    deadline = time.monotonic() + 120
    while True:  # the earlier backfill is closed by a sweep of the scheduler
        created = stack.airflow("backfill", "create", "--dag-id", "ohlcv_backfill", *again)
        if created.returncode == 0 or time.monotonic() > deadline:
            break
        time.sleep(3)
    assert created.returncode == 0, created.stdout + created.stderr
    while True:
        runs = [r for r in api.runs("ohlcv_backfill") if datetime.fromisoformat(r["logical_date"]) in chosen]
        if {run["state"] for run in runs} <= {"success", "failed"}:
            break
        assert time.monotonic() < deadline + 240
        time.sleep(1)
    assert len(runs) == 3
    assert {run["state"] for run in runs} == {"success"}
    with stack.warehouse() as warehouse:
        repeated = warehouse.execute(
            "select sum(rows_unchanged), sum(rows_new + rows_changed) from ops.pipeline_run "
            "where dag_id = 'ohlcv_backfill' and run_id = any(%s) and try_number > 1",
            ([run["dag_run_id"] for run in runs],),
        ).fetchone()
        assert warehouse.execute(dead).fetchone() == counted
    assert repeated is not None
    assert repeated[0] > 6000
    assert repeated[1] == 0
    assert table_hash(stack) == before


@pytest.mark.parametrize("dag_id", ["ohlcv_backfill", "feature_upsert"])
def test_dags_test_by_hand(stack: RunningStack, dag_id: str) -> None:
    before = table_hash(stack)
    exports = stack.run("env", seconds=240)
    assert exports.returncode == 0, exports.stderr
    assert "airflow_dev" in exports.stdout
    done = stack.airflow("dags", "test", dag_id, f"{months(stack)[-2]:%F}", database="airflow_dev")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert table_hash(stack) == before


def test_killed_scheduler_comes_back_and_works(stack: RunningStack) -> None:
    api = stack.api()
    assert stack.process
    launcher = psutil.Process(stack.process.pid)
    schedulers = [p for p in launcher.children() if "airflow scheduler" in " ".join(p.cmdline())]
    assert len(schedulers) == 1
    api.set_paused("feature_upsert", False)
    schedulers[0].kill()
    run_id = api.trigger("feature_upsert")
    deadline = time.monotonic() + 180
    while api.run("feature_upsert", run_id)["state"] not in ("success", "failed") and time.monotonic() < deadline:
        time.sleep(1)
    assert api.run("feature_upsert", run_id)["state"] == "success"
    assert "airflow-scheduler ended (status -9)" in stack.log.read_text()


def test_ctrl_c_leaves_nothing_behind_and_the_next_start_goes_on(stack: RunningStack) -> None:
    before = table_hash(stack)
    assert stack.stop() == 0
    assert stack.processes() == []
    down = stack.run("sql", "select count(*) from market.candle")
    assert down.returncode == 0
    assert "the stack is down" in down.stderr
    stack.start_demo()
    after = table_hash(stack)
    if stack.world == "recorded":  # a synthetic world has gone on meanwhile
        assert after == before
    assert ", 0 failed" in stack.log.read_text().rsplit("=" * 100, 1)[-1]


def test_killed_launcher_takes_everything_with_it(stack: RunningStack) -> None:
    assert stack.process is not None
    assert stack.processes()
    stack.process.send_signal(signal.SIGKILL)
    stack.process.wait(10)
    _, alive = psutil.wait_procs(stack.processes(), timeout=60)
    assert alive == []
