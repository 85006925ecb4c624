"""Features in a real PostgreSQL: any order of work ends in the same rows, and a repeat writes nothing at all."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from include.candles.model import Candle
from include.candles.timeframes import step
from include.config.markets import MARKETS, Market
from include.features import upsert
from include.features.blocks import BLOCK_BARS, WARM_UP_BARS, BarRange, bar_number, block_start, opening
from include.features.registry import NAMES
from include.features.upsert import CONSUMER, FeatureRun, upsert_features
from include.venues.model import FearGreed
from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.candles import upsert_candles
from include.warehouse.changes import pending_changes
from include.warehouse.connection import Connection, connect
from include.warehouse.fear_greed import upsert_fear_greed
from include.warehouse.instruments import ensure_instrument

START = datetime(2024, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
KNOWN = datetime(2024, 12, 1, tzinfo=UTC)
LATER = KNOWN + HOUR
COLUMNS = ", ".join(NAMES)


def walk(length: int, *, timeframe: str = "1h", start: datetime = START, seed: int = 5) -> list[Candle]:
    """A random walk of closed candles with a hole of three bars."""
    drawn, close, candles = random.Random(seed), Decimal(42_000), []
    for place in range(length):
        opened, close = close, (close * Decimal(str(round(1 + drawn.gauss(0, 0.01), 6)))).quantize(Decimal("0.01"))
        volume = Decimal(str(round(drawn.uniform(1, 900), 5)))
        high, low = max(opened, close) + drawn.randrange(50), min(opened, close) - drawn.randrange(50)
        at = start + place * step(timeframe)
        candles.append(Candle(at, opened, high, low, close, volume, taker_buy_base_volume=volume / 2))
    return candles[:200] + candles[203:]


def put(
    connection: Connection, candles: Sequence[Candle], *, timeframe: str = "1h", market: Market = MARKETS[0],
    recorded_at: datetime = KNOWN,
) -> int:  # fmt: skip
    instrument_id = ensure_instrument(connection, market)
    upsert_candles(
        connection, instrument_id, timeframe, candles, source="test", world="recorded", recorded_at=recorded_at
    )
    return instrument_id


def put_fear_greed(connection: Connection, values: dict[datetime, int], recorded_at: datetime = KNOWN) -> None:
    """Index values, each published ten minutes into its day."""
    index = [FearGreed(day.date(), value, "Fear", day + timedelta(minutes=10)) for day, value in values.items()]
    upsert_fear_greed(connection, index, source="test", world="recorded", recorded_at=recorded_at)


def rows(connection: Connection) -> list[tuple[object, ...]]:
    """All features without when they were recorded; floats compare to the bit."""
    return connection.execute(
        f"select instrument_id, timeframe, opened_at, {COLUMNS} from features.candle_feature "
        "order by instrument_id, timeframe, opened_at"
    ).fetchall()


def physical(connection: Connection) -> list[tuple[object, ...]]:
    """Where each row version lies and which transaction wrote it: any rewrite shows."""
    return connection.execute("select ctid, xmin from features.candle_feature order by ctid").fetchall()


def computed_afresh(connection: Connection) -> list[tuple[object, ...]]:
    """The rows that a full recompute of everything gives."""
    connection.execute("delete from features.candle_feature")
    connection.execute("delete from features.definition")
    upsert_features(connection, LATER)
    return rows(connection)


def test_every_candle_gets_a_row_and_a_repeat_writes_nothing(writer: Connection) -> None:
    candles = walk(900)
    put(writer, candles)
    assert upsert_features(writer, KNOWN) == FeatureRun(1, len(candles), 0, 0, 2)
    assert len(rows(writer)) == len(candles)
    before = physical(writer)
    assert upsert_features(writer, LATER) == FeatureRun(0, 0, 0, 0, 0)
    writer.execute("delete from ops.change_receipt")
    assert upsert_features(writer, LATER) == FeatureRun(1, 0, 0, len(candles), 2)
    assert physical(writer) == before


def test_not_defined_is_null_and_never_nan_or_zero(writer: Connection) -> None:
    put(writer, walk(900))
    upsert_features(writer, KNOWN)
    first = writer.execute(f"select {COLUMNS} from features.candle_feature order by opened_at limit 1").fetchone()
    calendar = {"hour_of_day", "day_of_week", "month"}
    known = {"range_percent", "taker_buy_share", *calendar, "history_bars", "missing_bars_30d"}
    assert first is not None
    assert {name for name, value in zip(NAMES, first, strict=True) if value is not None} == known
    tests = " or ".join(f"{name} = 'NaN'" for name in NAMES)
    assert writer.execute(f"select count(*) from features.candle_feature where {tests}").fetchone() == (0,)


def test_hour_by_hour_equals_one_backfill_to_the_bit(writer: Connection) -> None:
    # The block ends within the hours that arrive one by one.
    boundary = opening(block_start(bar_number(START, "1h")) + 2 * BLOCK_BARS, "1h")
    candles = walk(int((boundary - START) / HOUR) + 12)
    put(writer, candles[:-24])
    put_fear_greed(writer, {START + timedelta(days=day): 20 + day % 60 for day in range(90)})
    upsert_features(writer, KNOWN)
    for candle in candles[-24:]:
        put(writer, [candle])
        assert upsert_features(writer, KNOWN)[1:4] == (1, 0, 0)
    one_by_one = rows(writer)
    assert len(one_by_one) == len(candles)
    assert one_by_one == computed_afresh(writer)


def test_backfill_in_any_order_ends_in_the_same_rows(writer: Connection) -> None:
    candles = walk(3300)
    pages = [candles[start : start + 500] for start in range(0, len(candles), 500)]
    random.Random(1).shuffle(pages)
    for page in pages:
        put(writer, page)
        upsert_features(writer, KNOWN)
    shuffled = rows(writer)
    assert shuffled == computed_afresh(writer)


def test_a_corrected_candle_changes_what_it_reaches_and_nothing_else(writer: Connection) -> None:
    candles = walk(4200)
    put(writer, candles)
    upsert_features(writer, KNOWN)
    corrected = candles[700]._replace(high=candles[700].high * 2, close=candles[700].high * 2)
    put(writer, [corrected], recorded_at=LATER)
    run = upsert_features(writer, LATER)
    touched = writer.execute(
        "select min(opened_at), max(opened_at), count(*) from features.candle_feature where recorded_at = %s", (LATER,)
    ).fetchone()
    assert touched is not None
    assert touched[0] == corrected.opened_at
    assert touched[1] < corrected.opened_at + 2 * BLOCK_BARS * HOUR
    assert run.rows_changed == touched[2] >= 720
    assert run.rows_unchanged > 0, "far from the correction its traces are gone"
    incremental = rows(writer)
    assert incremental == computed_afresh(writer)


def test_days_are_computed_beside_hours(writer: Connection) -> None:
    put(writer, walk(400))
    put(writer, walk(60, timeframe="1d"), timeframe="1d")
    assert upsert_features(writer, KNOWN) == FeatureRun(1, 397 + 60, 0, 0, 3)
    held = writer.execute(
        "select timeframe::text, count(*), count(sma_30) from features.candle_feature group by 1 order by 1"
    ).fetchall()
    assert held == [("1d", 60, 60 - 28), ("1h", 397, 0)]


def test_an_index_value_reaches_the_candles_that_knew_it(writer: Connection) -> None:
    put(writer, walk(1200))
    days = {START + timedelta(days=day): 50 for day in range(50)}
    put_fear_greed(writer, days)
    upsert_features(writer, KNOWN)
    day = START + timedelta(days=10)
    put_fear_greed(writer, {day: 90}, LATER)
    run = upsert_features(writer, LATER)
    assert run.rows_changed > 0
    assert run.changes == 1
    touched = writer.execute(
        "select min(opened_at), max(opened_at) from features.candle_feature where recorded_at = %s", (LATER,)
    ).fetchone()
    # Published at 00:10, so the hour that closes at 01:00 knew it first; the last mean with it is of day 39.
    assert touched == (day, day + timedelta(days=30) - HOUR)
    at_noon = writer.execute(
        "select fear_greed, fear_greed_7d from features.candle_feature where opened_at = %s",
        (day + 12 * HOUR,),
    ).fetchone()
    assert at_noon == (90.0, (6 * 50 + 90) / 7)
    incremental = rows(writer)
    assert incremental == computed_afresh(writer)


def test_a_changed_formula_makes_every_row_be_computed_again(
    writer: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(writer, walk(400))
    upsert_features(writer, KNOWN)
    correct = rows(writer)
    writer.execute("update features.candle_feature set rsi_14 = 1 where opened_at = %s", (START + 100 * HOUR,))
    assert upsert_features(writer, LATER).instruments == 0, "nothing says that anything changed"
    monkeypatch.setattr(upsert, "definition_sha256", lambda: "other")
    assert upsert_features(writer, LATER) == FeatureRun(1, 0, 1, 396, 0)
    assert rows(writer) == correct
    assert upsert_features(writer, LATER).instruments == 0


def test_rows_whose_candles_were_dropped_keep_their_values(writer: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    instrument_id = put(writer, walk(2600))
    put_fear_greed(writer, {START + timedelta(days=day): 40 + day % 9 for day in range(108)})
    upsert_features(writer, KNOWN)
    before = rows(writer)
    kept_from = START + 800 * HOUR
    writer.execute("delete from market.candle where opened_at < %s", (kept_from,))
    writer.execute(
        "insert into ops.archive_manifest (instrument_id, timeframe, month, path, row_count, first_opened_at, "
        "last_opened_at, file_sha256, content_sha256, archived_at, dropped_at) "
        "values (%s, '1h', '2024-01-01', 'p', 797, %s, %s, 'f', 'c', %s, %s)",
        (instrument_id, START, kept_from - HOUR, KNOWN, KNOWN),
    )
    recomputable = 2600 - 800 - WARM_UP_BARS - BLOCK_BARS
    with monkeypatch.context() as other:
        other.setattr(upsert, "definition_sha256", lambda: "other")
        assert upsert_features(writer, LATER) == FeatureRun(1, 0, 0, recomputable, 0)
    assert rows(writer) == before
    upsert_features(writer, LATER)
    # An index value of a time near the drop, and a revision there, reach rows that cannot be computed any more.
    put_fear_greed(writer, {START + timedelta(days=34): 99}, LATER)
    revised = walk(2600)[1000]
    put(writer, [revised._replace(base_volume=revised.base_volume + 1)], recorded_at=LATER)
    assert upsert_features(writer, LATER).rows_changed < recomputable
    untouched = next(place for place, row in enumerate(before) if row[2] == kept_from) + WARM_UP_BARS + BLOCK_BARS
    assert rows(writer)[:untouched] == before[:untouched]


def test_a_series_that_cannot_be_computed_stops_no_other(writer: Connection) -> None:
    absurd = [candle._replace(base_volume=Decimal(10) ** 18, taker_buy_base_volume=None) for candle in walk(800)]
    first = put(writer, absurd)
    second = put(writer, walk(800), market=MARKETS[1])
    with pytest.raises(ValueError, match="too large for an exact sum") as raised:
        upsert_features(writer, KNOWN)
    assert raised.value.__notes__ == [f"instrument {first} 1h"]
    assert {row[0] for row in rows(writer)} == {second}
    assert {change.instrument_id for change in pending_changes(writer, CONSUMER)} == {first}


def test_a_row_is_computed_from_its_anchored_slice(writer: Connection) -> None:
    first = bar_number(START, "1h")
    series = upsert.Series(put(writer, walk(4500)), "1h")
    row = block_start(first) + 3 * BLOCK_BARS + 17
    loaded = upsert._candles(writer, series, BarRange(row, row + 1))["bar"]
    assert (loaded[0], loaded[-1]) == (row - 17 - WARM_UP_BARS, row)


def test_a_run_that_dies_keeps_what_was_finished_and_the_next_does_the_rest(
    writer: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(writer, walk(300))
    second = put(writer, walk(300, seed=6), market=MARKETS[1])
    put_fear_greed(writer, {START: 40})
    store = upsert._store

    def dying(connection: Connection, series: upsert.Series, *rest: object) -> object:
        counts = store(connection, series, *rest)  # type: ignore[arg-type]
        if series.instrument_id == second:
            raise KeyboardInterrupt
        return counts

    with monkeypatch.context() as patch:
        patch.setattr(upsert, "_store", dying)
        with pytest.raises(KeyboardInterrupt):
            upsert_features(writer, KNOWN)
    assert len(rows(writer)) == 297
    assert {change.instrument_id for change in pending_changes(writer, CONSUMER)} == {second}
    assert len(pending_changes(writer, CONSUMER, "fear_greed")) == 1
    assert upsert_features(writer, KNOWN) == FeatureRun(2, 297, 0, 297, 3)
    assert pending_changes(writer, CONSUMER) == pending_changes(writer, CONSUMER, "fear_greed") == []


def test_two_runs_at_once_end_in_the_same_rows(writer: Connection, warehouse: WarehouseDsns) -> None:
    put(writer, walk(900))
    put(writer, walk(900, seed=6), market=MARKETS[1])
    runs: list[FeatureRun] = []

    def run() -> None:
        with connect(warehouse.writer) as connection:
            runs.append(upsert_features(connection, KNOWN))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(each.rows_new for each in runs) == 2 * 897
    assert sum(each.rows_changed for each in runs) == 0
    together = rows(writer)
    assert together == computed_afresh(writer)


def test_nothing_to_do_in_an_empty_warehouse(writer: Connection) -> None:
    assert upsert_features(writer, KNOWN) == FeatureRun(0, 0, 0, 0, 0)
