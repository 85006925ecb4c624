"""What is broken for each alert, and mended again: one line per alert of the rule files."""

from __future__ import annotations

import time

from benchmarks.prove_alerts import rows
from benchmarks.prove_alerts.kinds import Injection, ago, going_on, once, row, silence
from benchmarks.prove_alerts.packets import GB
from benchmarks.prove_alerts.stage import Stage
from include.stack.postgres import SETTINGS

CONNECTIONS = int(SETTINGS["max_connections"]) * 82 // 100


def _task(alert: str, cause: str, state: str) -> Injection:
    return Injection(
        alert,
        cause,
        lambda s: rows.task(s.databases, state, ago(minutes=20)),
        lambda s: s.databases.run("airflow", f"delete from task_instance where state = '{state}'"),
    )


def _fill(stage: Stage) -> None:
    began = time.monotonic()
    stage.node.free["/"] = lambda: max(0.0, 25 * GB - 0.1 * GB * (time.monotonic() - began))


def _bloat(stage: Stage) -> None:
    stage.databases.run("warehouse", "create table public.bloat as select generate_series(1, 300000) as n")
    stage.databases.run("warehouse", "delete from public.bloat where n <= 200000")


DROP_BLOAT = "drop table public.bloat"
KRAKEN = "instrument_id = 1"

ROWS = (
    Injection(
        "CandlesStale",
        "the last three hours of a market's candles deleted",
        lambda s: s.databases.run(
            "warehouse",
            f"delete from market.candle where {KRAKEN} and opened_at > now() - interval '3 hours 59 minutes'",
        ),
        lambda s: rows.candles(s.databases, 1),
    ),
    row(
        "TickerStale",
        "a market's newest ticker dated 40 minutes back",
        f"update market.ticker set observed_at = now() - interval '40 minutes' where {KRAKEN}",
        f"update market.ticker set observed_at = now() where {KRAKEN}",
    ),
    row(
        "CoverageUncounted",
        "the count of coverage dated 4 hours back",
        "update ops.coverage_count set counted_at = now() - interval '4 hours'",
        "update ops.coverage_count set counted_at = now()",
    ),
    row(
        "CandlesUnknown",
        "the count of coverage has 3 unknown candles",
        f"update ops.coverage_count set unknown = 3 where {KRAKEN}",
        f"update ops.coverage_count set unknown = 0 where {KRAKEN}",
    ),
    row(
        "SentimentStale",
        "the newest Fear & Greed value dated 60 hours back",
        "update market.fear_greed set published_at = now() - interval '60 hours'",
        "update market.fear_greed set published_at = now()",
    ),
    row(
        "FeaturesBehind",
        "the last three hours of a market's features dated a day back",
        "update features.candle_feature set opened_at = opened_at - interval '1 day' where instrument_id = 2",
        "update features.candle_feature set opened_at = opened_at + interval '1 day' where instrument_id = 2",
    ),
    row(
        "CircuitOpen",
        "the circuit of a venue opened in ops.circuit",
        "update ops.circuit set state = 'open', opened_at = now(), retry_at = now() + interval '1 hour'",
        "update ops.circuit set state = 'closed', opened_at = null, retry_at = null",
    ),
    Injection(
        "ForecastsStale",
        "a market's newest forecast deleted, one of two days ago is left",
        lambda s: s.databases.run("warehouse", "delete from ml.forecast where instrument_id = 3 and target_at > now()"),
        lambda s: rows.forecast(s.databases, 3, rows.this_hour()),
    ),
    row(
        "ModelOld",
        "the last training dated 15 days back",
        "update ml.training_run set trained_at = now() - interval '15 days'",
        "update ml.training_run set trained_at = now()",
    ),
    row(
        "ForecastWorseThanNaive",
        "the kept skill of a market below zero with its whole interval",
        "update ops.served_skill set skill_upper = -0.01 where instrument_id = 2",
        "update ops.served_skill set skill_upper = 0.2 where instrument_id = 2",
    ),
    row(
        "IntervalsMiscalibrated",
        "80 % intervals of a market that held 65 %",
        "update ops.served_skill set interval_coverage = 0.65 where instrument_id = 3",
        "update ops.served_skill set interval_coverage = 0.8 where instrument_id = 3",
    ),
    row(
        "BackupOld",
        "the backup of one database dated 27 hours back",
        "update ops.backup set started_at = now() - interval '28 hours', finished_at = now() - interval '27 hours'"
        " where database = 'mlflow'",
        "update ops.backup set finished_at = now() where database = 'mlflow'",
    ),
    Injection(
        "TableBloated",
        "200,000 of 300,000 rows of a table deleted, no vacuum",
        _bloat,
        lambda s: s.databases.run("warehouse", DROP_BLOAT),
    ),
    Injection(
        "TransactionLong",
        "a transaction begun and left open",
        lambda s: s.databases.hold(1, "select pg_current_xact_id()"),
        lambda s: s.databases.let_go(),
    ),
    Injection(
        "DatabaseGrowing",
        "a sparse file of 2.2 GiB laid into the database's folder",
        lambda s: s.grow(int(2.2 * 1024**3)),
        lambda s: s.shrink(),
    ),
    Injection(
        "DiskFilling",
        "the disk's free bytes fall by 100 MB a second (node exporter imitated)",
        _fill,
        lambda s: s.node.free.update({"/": lambda: 80.0 * GB}),
    ),
    Injection(
        "DiskFull",
        "4 % of another disk free (node exporter imitated)",
        lambda s: s.node.free.update({"/data": lambda: 4.0 * GB}),
        lambda s: s.node.free.update({"/data": lambda: 80.0 * GB}),
    ),
    row(
        "RunLate",
        "the next run of a DAG dated 20 minutes back",
        "update dag set next_dagrun_create_after = now() - interval '20 minutes' where dag_id = 'price_forecast'",
        "update dag set next_dagrun_create_after = now() + interval '1 hour' where dag_id = 'price_forecast'",
        "airflow",
    ),
    row(
        "DagWithoutSuccess",
        "the last success of a DAG dated 4 hours back",
        "update dag_run set end_date = now() - interval '4 hours' where dag_id = 'feature_upsert'",
        "update dag_run set end_date = now() where dag_id = 'feature_upsert'",
        "airflow",
    ),
    Injection(
        "DeadlineMissed",
        "a missed deadline of a run in Airflow's table",
        lambda s: s.miss_deadline("ohlcv_hourly"),
        lambda s: None,
    ),
    Injection(
        "RunUnfinished",
        "a run in the state running for 5 hours",
        lambda s: rows.run(s.databases, "market_transforms", "running", start_date=ago(hours=5)),
        lambda s: s.databases.run("airflow", "delete from dag_run where state = 'running'"),
    ),
    _task("QueueStuck", "a task queued for 20 minutes while none runs", "queued"),
)
PACKETS = (
    once(
        "DagRunFailed",
        "a run fails",
        "airflow.dagrun.duration.failed,dag_id=ohlcv_hourly,run_type=scheduled:10787.001|ms",
    ),
    once(
        "NoticesFailing",
        "notify_alerts fails",
        "airflow.ti.finish,dag_id=market_transforms,task_id=notify_alerts,state=failed:1|c",
    ),
    once("RowsQuarantined", "three rows are rejected", "crypto.ingest.rows,dataset=candle,result=quarantined:3|c"),
    once("VenueRefuses", "a venue bans us", "crypto.venue.requests,venue=binance,outcome=banned:1|c"),
    once(
        "VenuesDisagree",
        "a candle stands apart",
        "crypto.reconcile.candles,venue=kraken,symbol=BTC/USD,verdict=outlier:1|c",
    ),
    once("ChecksFailing", "a check of stored features fails", "crypto.check.failures,check=rsi_14:1|c"),
    going_on(
        "LiveRequestsRefused",
        "live requests are put off",
        "budget",
        "crypto.budget.refusals,venue=binance,priority=live,reason=budget:1|c",
    ),
    going_on(
        "BudgetUnreadable",
        "the budget's table cannot be read",
        "unreadable",
        "crypto.budget.refusals,venue=kraken,priority=live,reason=database:1|c",
    ),
    going_on(
        "ForecastsRefused",
        "forecasts are refused",
        "refused",
        "crypto.forecast.refusals,target=log_return,reason=stale:1|c",
    ),
    Injection(
        "DagImportErrors",
        "a DAG file with an import that fails, read by a real DAG processor",
        lambda s: s.airflow.break_a_file(),
        lambda s: s.airflow.mend_the_file(),
    ),
    going_on("PoolStarved", "three tasks wait for a pool", "pool", "airflow.pool.starving_tasks,pool_name=binance:3|g"),
)
SILENCES = (
    silence("SchedulerSilent", "scheduler"),
    silence("DagProcessorSilent", "dag-processor"),
    silence("TriggererSilent", "triggerer"),
)
ALONE = (
    Injection(
        "CandleFreshnessUnknown",
        "all hourly candles deleted",
        lambda s: s.databases.run("warehouse", "delete from market.candle"),
        lambda s: rows.candles(s.databases, *rows.MARKETS),
    ),
    row(
        "FactQueriesFailing",
        "the role monitor may no longer read a table",
        "revoke select (day, published_at) on market.fear_greed from monitor",
        "grant select (day, published_at) on market.fear_greed to monitor",
    ),
    _task("PoolSlotsLeaked", "a running task without a heartbeat for 20 minutes", "running"),
    Injection(
        "ConnectionsExhausted",
        f"{CONNECTIONS} connections opened",
        lambda s: s.databases.hold(CONNECTIONS, "rollback"),
        lambda s: s.databases.let_go(),
    ),
)
FACTS = (
    Injection(
        "FactsUnknown",
        "the exporter of the facts knows no address of the warehouse",
        lambda s: s.facts_without_warehouse(),
        lambda s: s.facts_with_all(),
    ),
)
TARGET = (
    Injection(
        "TargetDown",
        "kill -9 of the StatsD receiver, restart withheld",
        lambda s: s.receiver.kill(),
        lambda s: s.receiver.start(),
    ),
)
DATABASE = (
    Injection(
        "DatabaseDown",
        "PostgreSQL stopped (Airflow's heartbeats imitated meanwhile)",
        lambda s: s.stop_database(),
        lambda s: s.databases.start(),
        series=2,
    ),
)
WATCHDOG = Injection(
    "Watchdog", "fires always; then kill -9 of Prometheus", lambda s: s.prometheus.kill(), lambda s: None
)

# What can be broken side by side is; a wave begins when all alerts of the one before are over.
WAVES: tuple[tuple[Injection, ...], ...] = ((*ROWS, *PACKETS), SILENCES, ALONE, FACTS, TARGET, DATABASE)
ALL = (*(each.alert for wave in WAVES for each in wave), WATCHDOG.alert)
