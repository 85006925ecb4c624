"""The DAGs as Airflow parses them: which there are, what they are made of, and the rules each keeps."""

from __future__ import annotations

import copy
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.providers.common.sql.operators.sql import BaseSQLOperator
from airflow.sdk import DAG, AssetOrTimeSchedule, CronDataIntervalTimetable, RetryAction
from airflow.sdk.exceptions import ParamValidationError
from airflow.utils.file import iter_airflow_imports
from croniter import croniter

from crypto_market.retry import VenueRetryPolicy
from crypto_market.window import WindowError
from include.collect.plan import BeforeListingError
from include.config.markets import MARKETS, TIMEFRAMES, VENUES, UnknownMarketError, market_keys
from include.forecasting.kinds import KIND_KEYS
from include.forecasting.training import RETRAINED_EVERY
from include.stack.celery_settings import VISIBILITY_SECONDS
from include.stack.layout import ROOT
from include.stack.settings_file import read_settings

# dag_id -> (task_id -> ids of the tasks it waits for, cron expression, names of the assets that wake it)
EXPECTED: dict[str, tuple[dict[str, set[str]], str, set[str]]] = {
    "ohlcv_backfill": (
        {"plan_markets": set(), **{f"load_{venue}": {"plan_markets"} for venue in VENUES}},
        "0 0 1 * *",
        set(),
    ),
    "ohlcv_hourly": ({f"load_{venue}": set() for venue in VENUES}, "2 * * * *", set()),
    "spot_sentiment_hourly": (
        {
            **{f"tickers.{venue}": set() for venue in VENUES},
            "coins.coingecko": set(),
            "coins.daily_history": set(),
            "sentiment.fear_greed": set(),
        },
        "3 * * * *",
        set(),
    ),
    "ticker_snapshots": (
        {**{f"tickers.{venue}": set() for venue in VENUES}, "coins.coingecko": set()},
        "*/5 * * * *",
        set(),
    ),
    "coverage_repair": (
        {
            **{f"repair_{venue}": set() for venue in VENUES},
            "close_months": set(),
            "reconcile": {*(f"repair_{venue}" for venue in VENUES), "close_months"},
            "publish_facts": {"reconcile"},
        },
        "40 0 * * *",
        set(),
    ),
    "feature_upsert": (
        {
            "upsert_features": set(),
            "check_ranges": {"upsert_features"},
            "check_rows": {"upsert_features"},
            "cross_check_indicators": {"check_ranges", "check_rows"},
        },
        "15 * * * *",
        {"candles"},
    ),
    "market_transforms": (
        {
            "transform_markets": set(),
            "notify_alerts": {"transform_markets"},
            "check_mart": {"transform_markets"},
        },
        "20 * * * *",
        {"candles"},
    ),
    "price_forecast": (
        {"score_matured": set(), "make_forecasts": set(), "publish_facts": {"score_matured", "make_forecasts"}},
        "25 * * * *",
        {"features"},
    ),
    "model_retraining": ({"train_models": set()}, "0 4 * * 0", set()),
    "archival": ({"archive_candles": set(), "archive_tickers": set(), "export_views": set()}, "0 5 1 * *", set()),
    "warehouse_maintenance": (
        {
            "remove_old_files": set(),
            "clean_metadata": set(),
            "remove_models": set(),
            "trim_rows": set(),
            "report_tables": {"trim_rows"},
        },
        "30 3 * * *",
        set(),
    ),
}
# Tasks that ask a source: they obey its Retry-After and wait in its pool, which no other source's tasks use.
ASKING = {
    **{f"ohlcv_backfill.load_{venue}": venue for venue in VENUES},
    **{f"ohlcv_hourly.load_{venue}": venue for venue in VENUES},
    **{f"spot_sentiment_hourly.tickers.{venue}": venue for venue in VENUES},
    **{f"ticker_snapshots.tickers.{venue}": venue for venue in VENUES},
    **{f"coverage_repair.repair_{venue}": venue for venue in VENUES},
    "coverage_repair.close_months": "binance_archive",
    "spot_sentiment_hourly.coins.coingecko": "coingecko",
    "spot_sentiment_hourly.coins.daily_history": "coingecko",
    "ticker_snapshots.coins.coingecko": "coingecko",
    "spot_sentiment_hourly.sentiment.fear_greed": "alternative_me",
}
WINDOWED = {"ohlcv_backfill", "ohlcv_hourly", "spot_sentiment_hourly", "ticker_snapshots", "archival"}
# What a StatsD tag may hold without being changed on its way to Prometheus.
PLAIN_NAME = re.compile(r"[A-Za-z0-9_.-]+")


@pytest.fixture(scope="module")
def bag() -> DagBag:
    return DagBag(dag_folder=str(ROOT / "dags"))


@pytest.fixture
def dag(bag: DagBag, request: pytest.FixtureRequest) -> DAG:
    return bag.dags[request.param]


EACH = pytest.mark.parametrize("dag", sorted(EXPECTED), indirect=True)


def test_every_file_is_parsed_without_an_error(bag: DagBag) -> None:
    assert bag.import_errors == {}
    assert set(bag.dags) == set(EXPECTED) == {path.stem for path in (ROOT / "dags").glob("*.py")}


@EACH
def test_a_dag_is_named_by_its_file(dag: DAG) -> None:
    assert Path(dag.fileloc).stem == dag.dag_id


@EACH
def test_tasks_and_what_they_wait_for(dag: DAG) -> None:
    assert {task.task_id: set(task.upstream_task_ids) for task in dag.tasks} == EXPECTED[dag.dag_id][0]


@EACH
def test_schedule_is_an_explicit_data_interval(dag: DAG) -> None:
    _, cron, assets = EXPECTED[dag.dag_id]
    timetable: Any = dag.timetable
    if assets:
        assert isinstance(timetable, AssetOrTimeSchedule)
        assert {asset.name for asset in timetable.asset_condition.objects} == assets
        timetable = timetable.timetable
    assert type(timetable) is CronDataIntervalTimetable
    assert (timetable.expression, str(timetable.timezone)) == (cron, "UTC")
    assert dag.catchup is False
    assert dag.start_date is not None
    assert dag.start_date <= min(market.listed_at for market in MARKETS), "history can be backfilled from its beginning"


def test_champions_outlast_the_time_between_two_trainings_that_the_schedule_has(bag: DagBag) -> None:
    schedule = bag.dags["model_retraining"].schedule
    assert isinstance(schedule, CronDataIntervalTimetable)
    runs = croniter(schedule.expression, datetime(2024, 1, 3, tzinfo=UTC))
    first, second = (runs.get_next(datetime) for _ in range(2))
    assert second - first == RETRAINED_EVERY


def test_assets_wake_who_waits_for_them(bag: DagBag) -> None:
    tasks = [(f"{d.dag_id}.{t.task_id}", t) for d in bag.dags.values() for t in d.tasks]
    candles = {name for name, task in tasks if "candles" in {asset.name for asset in outlets_of(task)}}
    assert candles == {name for name in ASKING if re.match(r"ohlcv_hourly|coverage_repair", name)}
    assert [name for name, task in tasks if "features" in {asset.name for asset in outlets_of(task)}] == [
        "feature_upsert.cross_check_indicators"
    ], "unchecked features wake nobody"


def test_what_the_checks_are_derived_from_is_loaded_before_the_dag_processor_forks() -> None:
    assert BaseSQLOperator.__module__ in set(iter_airflow_imports(str(ROOT / "dags" / "feature_upsert.py")))


def outlets_of(task: Any) -> list[Any]:
    return list(task.partial_kwargs.get("outlets", [])) if task.is_mapped else list(task.outlets)


@EACH
def test_a_dag_says_what_it_is_and_how_long_it_may_take(dag: DAG) -> None:
    assert dag.doc_md is not None
    assert dag.doc_md.lstrip().startswith("### ")
    assert len(dag.doc_md) > 150
    assert dag.tags
    assert dag.max_active_runs in (1, 2, 3)
    assert dag.dagrun_timeout is not None
    assert timedelta(minutes=10) <= dag.dagrun_timeout <= timedelta(hours=3)
    for task in dag.tasks:
        assert task.execution_timeout is not None
        assert task.execution_timeout <= dag.dagrun_timeout


def test_an_hourly_run_gives_up_before_the_next_begins(bag: DagBag) -> None:
    for dag_id, (_, cron, assets) in EXPECTED.items():
        if cron.endswith("* * * *") and not assets:
            timeout = bag.dags[dag_id].dagrun_timeout
            assert timeout is not None
            assert timeout < timedelta(hours=1)


@EACH
def test_tasks_are_retried_with_growing_patience_and_owned(dag: DAG) -> None:
    for task in dag.tasks:
        assert task.owner == "market-data"
        assert (task.retries or 0) >= 1
        assert task.retry_delay >= timedelta(seconds=10)
        assert task.retry_exponential_backoff == 2.0
        assert task.max_retry_delay is not None


@EACH
def test_no_task_runs_longer_than_redis_waits_for_its_worker(dag: DAG) -> None:
    # Redis would hand the message to a second worker.
    for task in dag.tasks:
        assert task.execution_timeout is not None
        assert task.execution_timeout < timedelta(seconds=VISIBILITY_SECONDS)


def test_a_wrong_choice_of_markets_fails_at_once_and_a_lost_worker_does_not(bag: DagBag) -> None:
    policy = bag.dags["ohlcv_backfill"].get_task("plan_markets").retry_policy
    assert policy is not None
    for error in (BeforeListingError("none"), UnknownMarketError("none"), WindowError("none")):
        assert policy.evaluate(error, 1, 3).action is RetryAction.FAIL
    assert policy.evaluate(ConnectionError("lost"), 1, 3).action is RetryAction.DEFAULT


def test_tasks_that_ask_a_source_obey_it_and_wait_in_its_pool(bag: DagBag) -> None:
    pools = {}
    for dag in bag.dags.values():
        for task in dag.tasks:
            policy = task.partial_kwargs.get("retry_policy") if task.is_mapped else task.retry_policy
            if isinstance(policy, VenueRetryPolicy):
                pools[f"{dag.dag_id}.{task.task_id}"] = task.pool
    assert pools == ASKING


def test_pools_and_connections_are_in_the_settings_file(bag: DagBag) -> None:
    settings = read_settings(ROOT / "airflow_settings.yaml")
    used = {task.pool for dag in bag.dags.values() for task in dag.tasks} - {"default_pool"}
    assert used == set(settings.pools)
    assert {market.venue for market in MARKETS} <= set(settings.connections)
    text = "".join(path.read_text() for path in (ROOT / "dags").glob("*.py"))
    assert set(re.findall(r"var\.value\.(\w+)", text)) == set(settings.variables)


@EACH
def test_names_reach_the_metrics_unchanged(dag: DAG) -> None:
    for name in (dag.dag_id, *dag.task_ids, *(task.pool for task in dag.tasks)):
        assert PLAIN_NAME.fullmatch(name), name


@EACH
def test_every_param_has_a_type_and_its_default_fits(dag: DAG) -> None:
    for name in dag.params:
        assert dag.params.get_param(name).schema.get("type"), name
    dag.params.validate()
    assert ({"start", "end"} <= set(dag.params)) == (dag.dag_id in WINDOWED)


def refused(dag: DAG, **given: object) -> bool:
    """Whether Airflow refuses a run with these params."""
    params = copy.deepcopy(dag.params)
    try:
        params.update(given)
        params.validate()
    except ParamValidationError:
        return True
    return False


@pytest.mark.parametrize("dag", ["ohlcv_backfill", "model_retraining"], indirect=True)
def test_an_unknown_market_is_refused_when_a_run_is_triggered(dag: DAG) -> None:
    assert not refused(dag, markets=[MARKETS[0].key])
    for wrong in (["binance:DOGE/USDT"], [], "binance:BTC/USDT", [7], None):
        assert refused(dag, markets=wrong), wrong


@pytest.mark.parametrize("dag", ["ohlcv_backfill"], indirect=True)
def test_a_wrong_window_or_timeframe_is_refused_too(dag: DAG) -> None:
    assert not refused(dag, start="2024-06-01T00:00:00Z", end="2024-07-01T00:00:00+02:00", timeframes=["1d"])
    assert not refused(dag, start=None, end=None)
    for right in ("2024-06-01", "2024-06-01T00:00", "2024-06-01T00:00:00.000Z", "2024-06-01 00:00:00+00:00"):
        assert not refused(dag, start=right), right
        datetime.fromisoformat(right)
    for wrong in ("yesterday", "2024-13-01T00:00:00Z", "2024-06-01T25:00:00Z", "2024-06", "", 20240601):
        assert refused(dag, start=wrong), wrong
    for wrong_frames in (["3h"], "1h", ["1h", 1]):
        assert refused(dag, timeframes=wrong_frames), wrong_frames


@pytest.mark.parametrize("dag", ["archival"], indirect=True)
def test_archiving_is_a_dry_run_unless_told(dag: DAG) -> None:
    assert dag.params["dry_run"] is True
    assert dag.params["drop_rows"] is False
    assert (dag.params["keep_ticker_months"], dag.params["export_views"]) == (6, [])
    for wrong in (
        {"dry_run": "yes"},
        {"drop_rows": 1},
        {"keep_ticker_months": 0},
        {"keep_ticker_months": "6"},
        {"export_views": ["market.candle"]},
        {"export_views": "ohlcv"},
    ):
        assert refused(dag, **wrong), wrong
    assert not refused(dag, export_views=["ohlcv", "daily_rankings"])


def test_mapped_tasks_cover_the_configuration(bag: DagBag) -> None:
    def expanded(task_id: str) -> Any:
        dag_id, name = task_id.split(".")
        task: Any = bag.dags[dag_id].get_task(name)
        return task.expand_input.value

    for venue in VENUES:
        load: Any = bag.dags["ohlcv_hourly"].get_task(f"load_{venue}")
        assert (load.venue, load.markets, load.purpose) == (venue, market_keys(venue), "live")
    assert expanded("model_retraining.train_models") == {"kind": list(KIND_KEYS)}
    defaults = bag.dags["ohlcv_backfill"].params
    assert defaults["markets"] == [market.key for market in MARKETS]
    assert defaults["timeframes"] == list(TIMEFRAMES)


def test_live_work_goes_before_history_where_both_wait_for_a_pool(bag: DagBag) -> None:
    def weight(dag_id: str, task_id: str) -> int:
        return int(bag.dags[dag_id].get_task(task_id).priority_weight)

    for venue in VENUES:
        live, repair = weight("ohlcv_hourly", f"load_{venue}"), weight("coverage_repair", f"repair_{venue}")
        assert live > repair > weight("ohlcv_backfill", f"load_{venue}")
    assert weight("price_forecast", "make_forecasts") > weight("model_retraining", "train_models")


def test_facts_are_published_also_after_a_failure(bag: DagBag) -> None:
    assert bag.dags["price_forecast"].get_task("publish_facts").trigger_rule == "all_done"
