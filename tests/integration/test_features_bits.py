"""A year and a half of recorded candles with its outages: however the work arrives, every column's bytes agree.

Hours one by one, one recompute of everything, months in any order, a repair, revisions taken back, an index that comes
late: each ends in the bytes that one backfill gave. And what comes after a time leaves the rows up to it untouched.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import psycopg
import pytest

from include.candles.batch import CandleBatch
from include.candles.model import Candle
from include.candles.timeframes import EPOCH
from include.config.markets import MARKETS
from include.features import upsert
from include.features.blocks import BLOCK_BARS, bar_number
from include.features.compute import compute_features
from include.features.registry import NAMES
from include.features.upsert import FeatureRun, upsert_features
from include.stack.postgres import PostgresCluster
from include.venues.model import FearGreed
from include.warehouse.bootstrap import bootstrap
from include.warehouse.candles import upsert_candles
from include.warehouse.connection import Connection, connect
from include.warehouse.fear_greed import upsert_fear_greed
from include.warehouse.instruments import ensure_instrument
from tests.conftest import WarehouseTemplate

START, END = datetime(2018, 1, 1, tzinfo=UTC), datetime(2019, 7, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KNOWN = END + DAY
LATER = KNOWN + DAY
HOURS_ONE_BY_ONE = 400
FLOATS = ["open", "high", "low", "close", "volume", "quote_volume"]
TAKER = ["taker_buy_base", "taker_buy_quote"]
# NULL and NaN are told apart: no column is ever infinite.
STORED = ", ".join(f"coalesce({name}, '-Infinity')" for name in NAMES)
ROWS = (
    f"copy (select extract(epoch from opened_at)::float8, {STORED} from features.candle_feature "
    "where timeframe = '{}' order by opened_at) to stdout (format binary)"
)


class Recorded(NamedTuple):
    """Candles of BTC/USDT by timeframe, and the index with drawn times of publication."""

    hours: CandleBatch
    days: CandleBatch
    fear_greed: list[FearGreed]


def batch(file: Path) -> CandleBatch:
    """Recorded candles; figures in units of 10^-8."""
    recorded = pd.read_parquet(file)
    opened = recorded["open_time"]
    recorded = recorded.loc[(opened >= START.timestamp() * 1000) & (opened < END.timestamp() * 1000)]
    scaled = {name: np.rint(recorded[name].to_numpy() * 1e8).astype(np.int64) for name in FLOATS + TAKER}
    columns = [recorded["open_time"], *(scaled[name] for name in FLOATS), recorded["trades"]]
    return CandleBatch(np.array([*columns, *(scaled[name] for name in TAKER)], np.int64))


def published_at(day: datetime, drawn: random.Random) -> datetime:
    """Mostly minutes into the day, at times on the hour, in fractions of a second after it, or days late."""
    kind = drawn.random()
    if kind < 0.7:
        return day + timedelta(minutes=drawn.randrange(10, 300))
    if kind < 0.8:
        return day + drawn.randrange(1, 20) * HOUR
    if kind < 0.97:
        return day + drawn.randrange(1, 20) * HOUR + timedelta(milliseconds=400)
    return day + drawn.randrange(2, 6) * DAY + timedelta(minutes=7)


@pytest.fixture(scope="module")
def recorded(market_data_dir: Path) -> Recorded:
    drawn = random.Random(11)
    index = []
    for line in pd.read_csv(market_data_dir / "alternative_me" / "fng_daily.csv").itertuples():
        day = EPOCH + timedelta(seconds=line.timestamp)
        if day < END:
            index.append(FearGreed(day.date(), int(line.value), line.classification, published_at(day, drawn)))
    klines = market_data_dir / "binance"
    hours, days = (batch(klines / f"klines_{each}" / "BTCUSDT.parquet") for each in ("1h", "1d"))
    return Recorded(hours, days, sorted(index))


@contextmanager
def database(cluster: PostgresCluster, template: str, passwords: dict[str, str]) -> Iterator[tuple[str, Connection]]:
    """A copy of a database, its name, and a connection to it as the role that loads; dropped in the end."""
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(cluster.dsn(), autocommit=True) as administrator:
        administrator.execute(f'create database "{name}" template "{template}"')
        try:
            with connect(bootstrap(cluster.dsn(), name, passwords).writer) as connection:
                yield name, connection
        finally:
            administrator.execute(f'drop database "{name}" with (force)')


def put(
    connection: Connection, candles: Sequence[Candle], timeframe: str = "1h", recorded_at: datetime = KNOWN
) -> None:
    instrument_id = ensure_instrument(connection, MARKETS[0])
    upsert_candles(
        connection, instrument_id, timeframe, candles, source="test", world="recorded", recorded_at=recorded_at
    )


def put_index(connection: Connection, days: Sequence[FearGreed], recorded_at: datetime = KNOWN) -> None:
    upsert_fear_greed(connection, days, source="test", world="recorded", recorded_at=recorded_at)


def stored(connection: Connection, timeframe: str = "1h") -> npt.NDArray[np.int64]:
    """All rows of a timeframe in order of time: open time and every column, as the 8 bytes that the server holds."""
    with connection.cursor() as cursor, cursor.copy(ROWS.format(timeframe)) as copy:
        content = b"".join(copy)
    fields = [("count", ">i2"), *(x for n in ("opened_at", *NAMES) for x in ((f"{n}_bytes", ">i4"), (n, ">i8")))]
    rows = np.frombuffer(content[19:-2], dtype=fields)
    return np.column_stack([rows[name] for name in ("opened_at", *NAMES)]).astype(np.int64)


def differing(left: npt.NDArray[np.int64], right: npt.NDArray[np.int64]) -> dict[str, int]:
    """In how many rows each column differs, where it does."""
    if left.shape != right.shape:
        return {"rows": abs(len(left) - len(right))}
    counts = (left != right).sum(axis=0)
    return {name: int(n) for name, n in zip(("opened_at", *NAMES), counts, strict=True) if n}


def dsn_of(connection: Connection) -> str:
    return f"{connection.info.dsn} password={connection.info.password}"


def compute_afresh(connection: Connection) -> FeatureRun:
    connection.execute("delete from features.candle_feature")
    connection.execute("delete from features.definition")
    return upsert_features(connection, LATER)


class Whole(NamedTuple):
    """A warehouse loaded at once, and its features."""

    database: str
    passwords: dict[str, str]
    hours: npt.NDArray[np.int64]
    days: npt.NDArray[np.int64]


@pytest.fixture(scope="module")
def whole(cluster: PostgresCluster, warehouse_template: WarehouseTemplate, recorded: Recorded) -> Iterator[Whole]:
    with database(cluster, *warehouse_template) as (name, connection):
        put_index(connection, recorded.fear_greed)
        put(connection, recorded.hours)
        put(connection, recorded.days, "1d")
        upsert_features(connection, KNOWN)
        hours, days = stored(connection), stored(connection, "1d")
        connection.close()
        yield Whole(name, warehouse_template.passwords, hours, days)


@pytest.fixture
def loaded(cluster: PostgresCluster, whole: Whole) -> Iterator[Connection]:
    """A copy of that warehouse."""
    with database(cluster, whole.database, whole.passwords) as (_, connection):
        yield connection


def between(candles: CandleBatch, start: datetime, end: datetime) -> CandleBatch:
    opened = candles.opened_ms
    return candles[slice(*np.searchsorted(opened, [each.timestamp() * 1000 for each in (start, end)]))]


def changed(candles: CandleBatch, places: Sequence[int], factor: int) -> CandleBatch:
    """The candles at some places with prices times and volumes divided by a whole number."""
    columns = candles.columns[:, list(places)].copy()
    columns[1:5] *= factor
    columns[[5, 6, 8, 9]] //= factor
    return CandleBatch(columns)


def test_the_record_is_what_the_test_is_about(recorded: Recorded, whole: Whole) -> None:
    holes = np.diff(recorded.hours.opened_ms) // 3_600_000
    assert sorted(holes[holes > 1] - 1) == [1, 1, 3, 6, 7, 7, 10, 10, 33]
    assert (len(whole.hours), len(whole.days)) == (13_026, 546)
    no_value = np.array(-np.inf).view(np.int64)
    for rows in (whole.hours, whole.days):
        assert (rows != no_value).sum(axis=0).min() > len(rows) // 2, "no column is compared that is hardly there"
        assert not np.isnan(rows.view(np.float64)).any()


def stretches(hours: CandleBatch, drawn: random.Random) -> list[range]:
    """Places of 400 hours: over ends of blocks, over outages, and anywhere."""
    bars = hours.opened_ms // 3_600_000
    ends = np.flatnonzero(bars // BLOCK_BARS != np.roll(bars // BLOCK_BARS, 1))[2:].tolist()
    outages = (np.flatnonzero(np.diff(bars) > 1) + 1).tolist()
    found: list[range] = []
    for places, wanted in ((outages, 6), (ends, 12), (range(900, len(bars) - 30), 16)):
        while len(found) < wanted:
            start = drawn.choice(places) - drawn.randrange(2, 20)
            if all(abs(start - each.start) > 60 for each in found):
                found.append(range(start, start + HOURS_ONE_BY_ONE // 16))
    return sorted(found, key=lambda each: each.start)


def test_400_hours_one_by_one_end_in_the_bytes_of_one_backfill(
    cluster: PostgresCluster, warehouse_template: WarehouseTemplate, recorded: Recorded, whole: Whole
) -> None:
    hours, index = recorded.hours, sorted(recorded.fear_greed, key=lambda each: each.published_at)
    with database(cluster, *warehouse_template) as (_, connection):

        def arrive(places: range) -> None:
            """Hours; what of the index is published by the last one's close, and the days that are over by then."""
            batch = hours[places.start : places.stop]
            since, closes_at = (
                (START if not places.start else hours[places.start - 1].opened_at + HOUR),
                batch[-1][0] + HOUR,
            )
            put_index(connection, [each for each in index if since < each.published_at <= closes_at])
            days = between(recorded.days, since - DAY + timedelta(seconds=1), closes_at - DAY + timedelta(seconds=1))
            put(connection, days, "1d")
            put(connection, batch)
            run = upsert_features(connection, KNOWN)
            assert run.rows_new == len(batch) + len(days)
            assert run.rows_changed == 0, "what is new changes no row there is"

        done, alone = 0, 0
        for stretch in stretches(hours, random.Random(3)):
            arrive(range(done, stretch.start))
            for place in stretch:
                arrive(range(place, place + 1))
                alone += 1
            done = stretch.stop
        arrive(range(done, len(hours)))
        assert alone == HOURS_ONE_BY_ONE
        assert differing(stored(connection), whole.hours) == {}
        assert differing(stored(connection, "1d"), whole.days) == {}


def test_one_full_recompute_gives_the_same_bytes(
    loaded: Connection, whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert compute_afresh(loaded).rows_new == len(whole.hours) + len(whole.days)
    assert differing(stored(loaded), whole.hours) == {}
    assert differing(stored(loaded, "1d"), whole.days) == {}
    monkeypatch.setattr(upsert, "BLOCKS_AT_ONCE", 3)
    compute_afresh(loaded)
    assert differing(stored(loaded), whole.hours) == {}


@pytest.mark.parametrize("timeframe", ["1h", "1d"])
def test_the_computation_without_a_database_gives_the_same_bytes(
    recorded: Recorded, whole: Whole, timeframe: str
) -> None:
    held, candles = (whole.hours, recorded.hours) if timeframe == "1h" else (whole.days, recorded.days)
    columns = dict(zip(("bar", "open", "high", "low", "close", "base_volume"), candles.columns, strict=False))
    # Decimals become the nearest float8, as PostgreSQL does it; 10^8 is one, so that one division rounds once.
    frame = pd.DataFrame({name: values / 1e8 for name, values in columns.items()})
    frame["taker_buy_base_volume"] = candles.columns[8] / 1e8
    frame["bar"] = candles.opened_ms // (3_600_000 if timeframe == "1h" else 86_400_000)
    known = [(each, np.ceil((each.published_at - EPOCH) / timedelta(seconds=1))) for each in recorded.fear_greed]
    index = pd.DataFrame(
        {
            "day": [(each.day - EPOCH.date()).days for each, _ in known],
            "value": [float(each.value) for each, _ in known],
            "published_at": [seconds for _, seconds in known],
        }
    )
    features = compute_features(frame, index, timeframe)[list(NAMES)].to_numpy()
    here = np.ascontiguousarray(np.where(np.isnan(features), -np.inf, features)).view(np.int64)
    assert differing(np.column_stack([held[:, 0], here]), held) == {}


def test_months_in_any_order_end_in_the_same_bytes(
    cluster: PostgresCluster, warehouse_template: WarehouseTemplate, recorded: Recorded, whole: Whole
) -> None:
    drawn = random.Random(1)
    firsts = [datetime(2018 + month // 12, month % 12 + 1, 1, tzinfo=UTC) for month in range(19)]
    months = [(kind, *span) for kind in ("1h", "1d") for span in pairwise(firsts)]
    drawn.shuffle(months)
    index = drawn.sample(recorded.fear_greed, len(recorded.fear_greed))
    with database(cluster, *warehouse_template) as (_, connection):
        for timeframe, start, end in months:
            put(connection, between(recorded.hours if timeframe == "1h" else recorded.days, start, end), timeframe)
            days, index = index[: len(recorded.fear_greed) // 20], index[len(recorded.fear_greed) // 20 :]
            put_index(connection, days)
            if drawn.random() < 0.6:
                upsert_features(connection, KNOWN)
        put_index(connection, index)
        upsert_features(connection, KNOWN)
        assert differing(stored(connection), whole.hours) == {}
        assert differing(stored(connection, "1d"), whole.days) == {}


def test_a_repaired_history_has_the_bytes_of_a_whole_one(
    cluster: PostgresCluster, warehouse_template: WarehouseTemplate, recorded: Recorded, whole: Whole
) -> None:
    drawn = random.Random(5)
    gone = {*drawn.sample(range(len(recorded.hours)), 60)}
    for _ in range(8):
        start = drawn.randrange(len(recorded.hours))
        gone |= {*range(start, min(start + drawn.randrange(2, 90), len(recorded.hours)))}
    there = np.array([place not in gone for place in range(len(recorded.hours))])
    with database(cluster, *warehouse_template) as (_, connection):
        put_index(connection, recorded.fear_greed)
        put(connection, CandleBatch(recorded.hours.columns[:, there]))
        upsert_features(connection, KNOWN)
        holed = stored(connection)
        assert set(differing(holed, whole.hours[there])) >= {"sma_30", "rsi_14", "atr_14", "history_bars", "log_return"}
        lost = np.array(drawn.sample(sorted(gone), len(gone)))
        for part in np.array_split(lost, 5):
            put(connection, list(CandleBatch(recorded.hours.columns[:, part])), recorded_at=LATER)
            upsert_features(connection, LATER)
        assert differing(stored(connection), whole.hours) == {}


def test_lost_candles_that_are_repaired_as_they_were_write_nothing(
    loaded: Connection, recorded: Recorded, whole: Whole
) -> None:
    loaded.execute("delete from market.candle where timeframe = '1h' and opened_at between %s and %s",
                   (START + 100 * DAY, START + 103 * DAY))  # fmt: skip
    before = physical(loaded)
    put(loaded, recorded.hours, recorded_at=LATER)
    assert upsert_features(loaded, LATER)[1:3] == (0, 0)
    assert physical(loaded) == before


def test_revisions_and_taking_them_back_end_where_they_began(
    loaded: Connection, recorded: Recorded, whole: Whole
) -> None:
    places = random.Random(6).sample(range(len(recorded.hours)), 40)
    revised = changed(recorded.hours, places, 3)
    for part in (revised[:13], revised[13:14], revised[14:]):
        put(loaded, list(part), recorded_at=LATER)
        upsert_features(loaded, LATER)
    by_parts = stored(loaded)
    assert set(differing(by_parts, whole.hours)) >= {"sma_30", "rsi_14", "atr_14", "macd", "volume_avg_7d"}
    compute_afresh(loaded)
    assert differing(stored(loaded), by_parts) == {}
    original = CandleBatch(recorded.hours.columns[:, places])
    for part in (original[25:], original[:25]):
        put(loaded, list(part), recorded_at=LATER + HOUR)
        upsert_features(loaded, LATER + HOUR)
    assert differing(stored(loaded), whole.hours) == {}


def test_an_index_that_comes_late_and_out_of_order_ends_in_the_same_bytes(
    cluster: PostgresCluster, warehouse_template: WarehouseTemplate, recorded: Recorded, whole: Whole
) -> None:
    drawn = random.Random(8)
    days = drawn.sample(recorded.fear_greed, len(recorded.fear_greed))
    wrong = [
        each._replace(value=100 - each.value, published_at=each.published_at + drawn.choice([-3, 5, 50]) * HOUR)
        for each in days[:200]
    ]
    with database(cluster, *warehouse_template) as (_, connection):
        put(connection, recorded.hours)
        put(connection, recorded.days, "1d")
        upsert_features(connection, KNOWN)
        for part in (wrong, days[150:400], days[:1], days[1:300], days[400:]):
            put_index(connection, part)
            upsert_features(connection, KNOWN)
        assert differing(stored(connection), whole.hours) == {}
        assert differing(stored(connection, "1d"), whole.days) == {}


def physical(connection: Connection, until: datetime = END) -> list[tuple[object, ...]]:
    """Where each row that is known by a time lies and which transaction wrote it: any rewrite shows."""
    return connection.execute(
        "select timeframe::text, opened_at, ctid, xmin from features.candle_feature "
        "where opened_at + market.step(timeframe) <= %s order by timeframe, opened_at", (until,),
    ).fetchall()  # fmt: skip


@pytest.mark.parametrize("cut", [START + 38 * DAY + HOUR, START + 380 * DAY + 13 * HOUR, END - HOUR])
def test_what_comes_after_a_time_leaves_the_rows_up_to_it_untouched(
    loaded: Connection, recorded: Recorded, whole: Whole, cut: datetime
) -> None:
    before, rows = physical(loaded, cut), stored(loaded)
    # Every candle that closes after the cut, and every value published after it, is another one.
    for timeframe, candles, length in (("1h", recorded.hours, HOUR), ("1d", recorded.days, DAY)):
        later = between(candles, cut - length + timedelta(seconds=1), END)
        put(loaded, changed(later, range(len(later)), 3), timeframe, recorded_at=LATER)
    unpublished = [each for each in recorded.fear_greed if each.published_at > cut]
    put_index(loaded, [each._replace(value=each.value // 3) for each in unpublished], recorded_at=LATER)
    # Days that nobody knew of so far, published just after it.
    moment = cut + timedelta(milliseconds=1)
    put_index(loaded, [FearGreed(date(2018, 4, day), 99, "Greed", moment) for day in (14, 15, 16)], LATER)
    run = upsert_features(loaded, LATER)
    assert len(before) > 800
    assert physical(loaded, cut) == before
    bars = bar_number(cut, "1h") * 3600
    past = rows[:, 0].view(np.float64) < bars
    assert differing(stored(loaded)[past], rows[past]) == {}
    assert run.rows_changed >= (~past).sum()


def test_a_slice_that_begins_elsewhere_does_not_pass(
    loaded: Connection, whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the comparison is worth: recursions that begin elsewhere differ in their last bits, and it tells."""
    monkeypatch.setattr(upsert, "lookback_bars", lambda timeframe: 300)
    monkeypatch.setattr(upsert, "BLOCKS_AT_ONCE", 2)
    compute_afresh(loaded)
    assert set(differing(stored(loaded), whole.hours)) >= {"sma_30", "adx_14"}


def test_a_run_that_another_overtakes_does_not_bring_back_an_older_index(
    loaded: Connection, recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between a run's look at what is pending and its turn at the series, another run deals with a newer value."""
    early, late = (
        each._replace(value=100 - each.value, published_at=datetime.combine(each.day, time(1), UTC))
        for each in recorded.fear_greed[200:202]
    )
    put_index(loaded, [early], LATER)
    lock, overtaken = upsert.lock, []

    def overtaking(connection: Connection, name: str) -> None:
        if not overtaken:
            overtaken.append(name)
            with connect(dsn_of(connection)) as other:
                put_index(other, [late], LATER)
                upsert_features(other, LATER)
        lock(connection, name)

    with monkeypatch.context() as patch:
        patch.setattr(upsert, "lock", overtaking)
        upsert_features(loaded, LATER)
    assert overtaken
    upsert_features(loaded, LATER)
    hours, days = stored(loaded), stored(loaded, "1d")
    compute_afresh(loaded)
    assert differing(hours, stored(loaded)) == {}
    assert differing(days, stored(loaded, "1d")) == {}
