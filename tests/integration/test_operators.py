"""Operators executed with a plain context: connections in, replayed venue to warehouse, an account of it out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from crypto_market.hooks.warehouse import warehouse as open_warehouse
from crypto_market.operators.archive import ArchiveCandlesOperator, ArchiveTickersOperator, ExportViewsOperator
from crypto_market.operators.candles import CandlesToPostgresOperator
from crypto_market.operators.facts import PublishFactsOperator
from crypto_market.operators.features import UpsertFeaturesOperator
from crypto_market.operators.forecasting import ScoreForecastsOperator
from crypto_market.operators.snapshots import (
    CoinHistoryToPostgresOperator,
    CoinSnapshotsToPostgresOperator,
    FearGreedToPostgresOperator,
    TickersToPostgresOperator,
)
from crypto_market.window import WindowError
from include.config.markets import COINGECKO_IDS, MARKETS, VENUES, UnknownMarketError, market_keys
from include.metrics import emit
from include.replay.synthetic import SyntheticWorld
from include.venues.errors import GeoBlockedError
from include.warehouse.connection import Connection
from tests.integration.archived import put_tickers, tickers

HOUR = timedelta(hours=1)
NOW = datetime(2024, 6, 1, 12, 2, 30, tzinfo=UTC)
SCHEDULED = NOW.replace(minute=2, second=0)
BTC = MARKETS[0].key

Serve = Callable[..., AbstractContextManager[str]]


@pytest.fixture
def exchange(serve: Serve, exchange_at: Any, airflow_at: Callable[[str], None]) -> Iterator[Any]:
    """A replay exchange at NOW, to which Airflow is connected."""
    with serve(SyntheticWorld(7, datetime(2024, 1, 1, tzinfo=UTC)), NOW) as url:
        airflow_at(url)
        yield exchange_at(url)


def context(start: datetime | None = SCHEDULED - HOUR, end: datetime | None = SCHEDULED, **more: Any) -> Any:
    """What an operator reads of Airflow's context."""
    task = SimpleNamespace(dag_id="a_dag", run_id="a_run", task_id="a_task", map_index=None, try_number=2)
    run = SimpleNamespace(run_after=SCHEDULED)
    return {"ti": task, "dag_run": run, "params": {}, "data_interval_start": start, "data_interval_end": end, **more}


def candles(**given: Any) -> CandlesToPostgresOperator:
    usual = {"task_id": "a_task", "venue": "binance", "markets": [BTC], "timeframes": ["1h"]}
    return CandlesToPostgresOperator(**{**usual, **given})


def test_the_warehouse_connection_is_in_utc_and_closed_afterwards(exchange: Any) -> None:
    with open_warehouse() as connection:
        assert connection.execute("show timezone").fetchone() == ("UTC",)
        assert connection.autocommit
    assert connection.closed


def test_candles_of_the_interval_with_an_account_of_the_run(exchange: Any, reader: Connection) -> None:
    done = candles(timeframes=["1h", "1d"]).execute(context())
    counts = [(line["what"], line["new"], line["rejected"]) for line in done]
    assert counts == [("binance:BTC/USDT 1h", 1, 0), ("binance:BTC/USDT 1d", 0, 0)]
    assert json.loads(json.dumps(done)) == done, "what goes to XCom is plain JSON"
    assert reader.execute("select opened_at, world from ohlcv").fetchall() == [
        (SCHEDULED.replace(minute=0) - HOUR, "synthetic")
    ]
    account = reader.execute(
        "select dag_id, run_id, task_id, map_index, try_number, window_starts_at, window_ends_at, rows_new, "
        "finished_at from ops.pipeline_run"
    ).fetchall()
    assert account == [("a_dag", "a_run", "a_task", -1, 2, SCHEDULED - HOUR, SCHEDULED, 1, NOW)]
    assert candles().execute(context())[0]["unchanged"] == 1


def test_params_name_another_window_and_no_interval_the_last_full_one(exchange: Any, reader: Connection) -> None:
    params = {"start": "2024-05-01T00:00:00Z", "end": "2024-05-02T00:00:00Z"}
    assert candles().execute(context(params=params))[0]["new"] == 24
    assert candles(cadence="day").execute(context(None, None))[0]["new"] == 24
    days = reader.execute("select distinct opened_at::date from ohlcv order by 1").fetchall()
    assert days == [(date(2024, 5, 1),), (date(2024, 5, 31),)]
    with pytest.raises(WindowError, match="both or neither"):
        candles().execute(context(params={"start": "2024-05-01"}))


def test_a_window_that_can_hold_nothing_skips_with_its_reason(exchange: Any, reader: Connection) -> None:
    with pytest.raises(AirflowSkipException, match="listed since 2017-08-17 04:00 UTC"):
        candles().execute(context(datetime(2016, 1, 1, tzinfo=UTC), datetime(2016, 2, 1, tzinfo=UTC)))
    with pytest.raises(AirflowSkipException, match="after now"):
        candles().execute(context(NOW + HOUR, NOW + 2 * HOUR))
    with pytest.raises(AirflowSkipException, match="only as they are"):
        TickersToPostgresOperator(task_id="t", venue="binance", markets=[BTC]).execute(
            context(SCHEDULED - 30 * HOUR, SCHEDULED - 29 * HOUR)
        )
    past = datetime(2024, 1, 1, tzinfo=UTC)
    with pytest.raises(AirflowSkipException, match="reaches back 89 days"):
        CoinSnapshotsToPostgresOperator(task_id="t", coins=COINGECKO_IDS).execute(context(past, past + HOUR))
    assert reader.execute("select count(*) from ops.pipeline_run").fetchone() == (0,)


def test_a_venues_refusal_reaches_airflow_as_it_is(exchange: Any, reader: Connection) -> None:
    exchange.fail("binance", "geo_blocked")
    with pytest.raises(GeoBlockedError):
        candles().execute(context())
    assert reader.execute("select count(*) from ops.pipeline_run").fetchone() == (0,)
    with pytest.raises(UnknownMarketError, match="DOGE"):
        candles(markets=["binance:DOGE/USDT"]).execute(context())


def test_snapshots_of_every_source(exchange: Any, reader: Connection) -> None:
    for venue in VENUES:
        operator = TickersToPostgresOperator(task_id="t", venue=venue, markets=market_keys(venue))
        (tickers,) = operator.execute(context())
        assert tickers["new"] >= 2, venue
    (coins,) = CoinSnapshotsToPostgresOperator(task_id="c", coins=COINGECKO_IDS).execute(context())
    (index,) = FearGreedToPostgresOperator(task_id="f", cadence="day").execute(context())
    assert coins["new"] == len(COINGECKO_IDS)
    assert index["new"] > 100
    counts = "select (select count(distinct venue) from ticker_snapshots), (select count(*) from fear_greed_index)"
    assert reader.execute(counts).fetchone() == (len(VENUES), index["new"])


def test_coins_are_taken_when_the_plans_credits_allow_it(exchange: Any, reader: Connection) -> None:
    def coins() -> Any:
        return CoinSnapshotsToPostgresOperator(task_id="c", coins=COINGECKO_IDS, when_due=True).execute(context())

    assert coins()[0]["new"] == len(COINGECKO_IDS)
    with pytest.raises(AirflowSkipException, match="the keyless plan allows snapshots every"):
        coins()


def test_the_daily_history_of_coins_is_asked_for_once(exchange: Any, reader: Connection) -> None:
    def history() -> Any:
        return CoinHistoryToPostgresOperator(task_id="h", coins=COINGECKO_IDS).execute(context())

    assert history()[0]["new"] > 100 * len(COINGECKO_IDS)
    with pytest.raises(AirflowSkipException, match="has its midnights"):
        history()


def test_every_row_is_counted_as_what_became_of_it(exchange: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[Any, ...]] = []
    real = emit.count

    def count(name: str, value: int = 1, /, **labels: object) -> None:
        real(name, value, **labels)  # refuses what is not declared
        sent.append((name, value, *labels.values()))

    monkeypatch.setattr(emit, "count", count)
    candles().execute(context())
    candles().execute(context())
    rows = [line[1:] for line in sent if line[0] == "crypto.ingest.rows"]
    assert rows[:4] == [
        (1, "candle", "new"),
        (0, "candle", "changed"),
        (0, "candle", "unchanged"),
        (0, "candle", "quarantined"),
    ]
    assert rows[4:7] == [(0, "candle", "new"), (0, "candle", "changed"), (1, "candle", "unchanged")]
    assert ("crypto.venue.requests", 1, "binance", "ok") in sent


def test_features_facts_and_scores_need_no_window(exchange: Any, reader: Connection) -> None:
    start = SCHEDULED.replace(minute=0) - 60 * HOUR
    candles().execute(context(start, SCHEDULED))
    first = UpsertFeaturesOperator(task_id="f").execute({})
    assert first["rows_new"] == 60
    again = UpsertFeaturesOperator(task_id="f").execute({})
    assert (again["rows_new"], again["rows_changed"]) == (0, 0)
    assert json.dumps([first, again])
    assert PublishFactsOperator(task_id="p").execute({}) == 1  # series that were counted
    assert reader.execute("select expected, observed, unknown, is_configured from ops.coverage_count").fetchall() == [
        (60, 60, 0, True)
    ]
    assert json.dumps(ScoreForecastsOperator(task_id="s").execute({}))


def test_a_closed_month_is_archived_only_when_told(exchange: Any, reader: Connection, tmp_path: Path) -> None:
    may = datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC)
    candles().execute(context(*may))
    given = {"task_id": "a", "archive_uri": f"file://{tmp_path}/archive"}
    ArchiveCandlesOperator(**given).execute(context(*may))
    assert not (tmp_path / "archive").exists()
    assert reader.execute("select count(*) from ops.archive_manifest").fetchone() == (0,)
    done = ArchiveCandlesOperator(is_dry_run="False", **given).execute(context(*may))
    assert json.dumps(done)
    assert list((tmp_path / "archive").rglob("*.parquet"))
    assert reader.execute("select row_count, dropped_at from ops.archive_manifest").fetchall() == [(744, None)]
    ArchiveCandlesOperator(is_dry_run=False, drop_rows="True", **given).execute(context(*may))
    assert reader.execute("select count(*) from market.candle").fetchone() == (744,), "features may still need it"
    january = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC)
    candles().execute(context(*january))
    ArchiveCandlesOperator(is_dry_run=False, drop_rows="True", **given).execute(context(*january))
    assert reader.execute("select count(*) from market.candle where opened_at < '2024-02-01'").fetchone() == (0,)
    june = datetime(2024, 6, 1, tzinfo=UTC), datetime(2024, 7, 1, tzinfo=UTC)
    with pytest.raises(AirflowSkipException):
        ArchiveCandlesOperator(is_dry_run=False, **given).execute(context(*june))


def test_tickers_are_archived_by_age_and_views_exported_by_name(
    exchange: Any, writer: Connection, tmp_path: Path
) -> None:
    instrument_id = put_tickers(writer, MARKETS[0], tickers(5, HOUR), world="synthetic")
    given = {"task_id": "a", "archive_uri": f"file://{tmp_path}/archive"}
    (said,) = ArchiveTickersOperator(keep_months="6", **given).execute({})
    assert (said["rows"], said["path"]) == (5, None)
    assert not (tmp_path / "archive").exists()
    with pytest.raises(AirflowSkipException, match="older than 600 whole months"):
        ArchiveTickersOperator(keep_months=600, is_dry_run=False, **given).execute({})
    (done,) = ArchiveTickersOperator(keep_months=6, is_dry_run="False", drop_rows="True", **given).execute({})
    assert (done["rows"], done["dropped_rows"], done["timeframe"]) == (5, 5, None)
    assert writer.execute("select instrument_id, row_count from ops.ticker_manifest").fetchall() == [(instrument_id, 5)]
    with pytest.raises(AirflowSkipException, match="no views were chosen"):
        ExportViewsOperator(views=[], **given).execute(context())
    may = datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC)
    candles().execute(context(*may))
    paths = ExportViewsOperator(views=["ohlcv", "fear_greed_index"], **given).execute(context(*may))
    assert paths[0] == "export/ohlcv_20240501T0000_20240601T0000.csv"
    assert len((tmp_path / "archive" / paths[0]).read_text().splitlines()) == 1 + 744
