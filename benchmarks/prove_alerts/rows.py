"""What the databases of a pipeline that is well hold, in as few rows as the facts need."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256

from benchmarks.prove_alerts.databases import Databases
from include.stack.layout import ROOT

HOUR = timedelta(hours=1)
MARKETS = {1: ("kraken", "BTC/USD"), 2: ("binance", "BTC/USDT"), 3: ("binance", "ETH/USDT")}


def this_hour() -> datetime:
    """The start of the current hour, UTC."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def fill(databases: Databases) -> None:
    """Everything as it is a moment after the hourly runs."""
    now = datetime.now(UTC)
    for each in {now.date().replace(day=1), (now - HOUR).date().replace(day=1)}:
        databases.run("warehouse", "select market.add_ticker_month(%(month)s)", month=each)
    for number, (venue, symbol) in MARKETS.items():
        series = {"instrument_id": number, "timeframe": "1h"}
        market = {"venue": venue, "symbol": symbol, "venue_symbol": symbol.replace("/", "")}
        databases.run(
            "warehouse",
            "insert into market.instrument (instrument_id, venue, symbol, venue_symbol, listed_at)"
            " overriding system value values (%(number)s, %(venue)s, %(symbol)s, %(venue_symbol)s, '2020-01-01')",
            number=number,
            **market,
        )
        candles(databases, number)
        for hours in range(1, 5):
            opened_at = this_hour() - hours * HOUR
            databases.insert("warehouse", "features.candle_feature", **series, opened_at=opened_at)
        databases.insert("warehouse", "market.ticker", instrument_id=number, observed_at=now)
        counted = {"expected": 100, "observed": 100, "unknown": 0, "is_configured": True, "counted_at": now}
        databases.insert("warehouse", "ops.coverage_count", **series, **counted)
        skill = {"skill": 0.1, "skill_upper": 0.2, "interval_coverage": 0.8, "interval_coverage_95": 0.95}
        kind = {**series, "horizon_bars": 24, "target": "log_return"}
        databases.insert("warehouse", "ops.served_skill", **kind, days=30, **skill)
        forecast(databases, number, this_hour() - 48 * HOUR)
        forecast(databases, number, this_hour())
    model(databases, now)
    databases.insert("warehouse", "market.fear_greed", value=50, published_at=now)
    databases.insert("warehouse", "ops.circuit", source="kraken")
    for database in ("warehouse", "airflow", "mlflow"):
        times = {"started_at": now - HOUR, "finished_at": now}
        databases.insert("warehouse", "ops.backup", database=database, sha256="0" * 64, **times)
    databases.insert("airflow", "dag_bundle", name="dags")
    databases.insert("airflow", "slot_pool", pool="binance", slots=4)
    for path in (ROOT / "dags").glob("*.py"):
        dag = {"dag_id": path.stem, "bundle_name": "dags", "is_paused": False, "is_stale": False}
        databases.insert("airflow", "dag", **dag, next_dagrun_create_after=now + 2 * HOUR)
        run(databases, path.stem, "success", start_date=now, end_date=now)


def candles(databases: Databases, *instrument_ids: int) -> None:
    """The last four closed hours of each market, anew."""
    for number in instrument_ids:
        databases.run("warehouse", "delete from market.candle where instrument_id = %(number)s", number=number)
        for hours in range(1, 5):
            key = {"instrument_id": number, "timeframe": "1h", "opened_at": this_hour() - hours * HOUR}
            databases.insert("warehouse", "market.candle", **key)


def forecast(databases: Databases, instrument_id: int, as_of: datetime) -> None:
    """A forecast of the price in a day."""
    times = {"as_of": as_of, "made_at": as_of, "target_at": as_of + 24 * HOUR}
    of_the_row = sha256(f"{instrument_id} {as_of}".encode()).hexdigest()
    chain = {"chain_position": int(as_of.timestamp()), "previous_sha256": of_the_row, "row_sha256": of_the_row}
    kind = {"instrument_id": instrument_id, "timeframe": "1h", "horizon_bars": 24, "model": "naive"}
    databases.insert("warehouse", "ml.forecast", **kind, **times, **chain)


def model(databases: Databases, trained_at: datetime) -> None:
    """One training."""
    day = timedelta(days=1)
    edges = ("training_starts_at", "training_ends_at", "test_starts_at", "test_ends_at")
    times = {name: trained_at - (4 - number) * day for number, name in enumerate(edges)}
    kind = {"instrument_id": 2, "timeframe": "1h", "horizon_bars": 24, "target": "log_return"}
    databases.insert("warehouse", "ml.training_run", **kind, trained_at=trained_at, known_at=trained_at, **times)


def run(databases: Databases, dag_id: str, state: str, **times: datetime) -> None:
    """A run of a DAG; the id of the run is its state, so that it can be named."""
    databases.insert("airflow", "dag_run", dag_id=dag_id, run_id=state, state=state, run_type="scheduled", **times)


def task(databases: Databases, state: str, since: datetime, **more: object) -> None:
    """A task instance of market_transforms in a state since then."""
    of_run = {"dag_id": "market_transforms", "run_id": "success", "task_id": state, "pool": "binance"}
    times = {"scheduled_dttm": since, "start_date": since, "last_heartbeat_at": since}
    databases.insert("airflow", "task_instance", **of_run, state=state, pool_slots=1, **times, **more)
