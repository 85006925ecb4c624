"""Forecasts in a real PostgreSQL: made in time or not at all, never changed, scored once their candle is there."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg
import pytest

from include.candles.model import Candle
from include.config.markets import MARKETS, Market
from include.features.upsert import upsert_features
from include.forecasting.registry import ModelRegistry, ModelVersion
from include.forecasting.scoring import ScoreRun, score_matured
from include.forecasting.serving import Refusal, make_forecasts
from include.warehouse.candles import upsert_candles
from include.warehouse.connection import Connection
from include.warehouse.instruments import ensure_instrument

HOUR = timedelta(hours=1)
START = datetime(2024, 3, 1, tzinfo=UTC)
BARS = 400
CLOSED = START + BARS * HOUR  # close of the newest candle
NOW = CLOSED + timedelta(minutes=1)
BTC = MARKETS[0]
FORECAST_COLUMNS = (
    "instrument_id", "timeframe", "horizon_bars", "as_of", "target_at", "made_at", "as_of_price",
    "predicted_log_return", "predicted_price", "lower_price", "upper_price", "coverage", "model", "model_version",
)  # fmt: skip


class NoChampion(ModelRegistry):
    """A registry in which nothing was ever promoted."""

    def champion(self, name: str) -> ModelVersion | None:
        return None


NOBODY = NoChampion("unused")


def walk(bars: int = BARS, start: datetime = START) -> list[Candle]:
    """A random walk of closed hourly candles."""
    drawn, close, candles = random.Random(3), Decimal(60_000), []
    for place in range(bars):
        opened, close = close, (close * Decimal(str(round(1 + drawn.gauss(0, 0.01), 6)))).quantize(Decimal("0.01"))
        high, low = max(opened, close) + 1, min(opened, close) - 1
        candles.append(Candle(start + place * HOUR, opened, high, low, close, Decimal(7), None, 5, None, Decimal(3)))
    return candles


def put(connection: Connection, candles: Sequence[Candle], at: datetime, *, world: str = "recorded",
        market: Market = BTC) -> None:  # fmt: skip
    instrument_id = ensure_instrument(connection, market)
    upsert_candles(connection, instrument_id, "1h", candles, source="test", world=world, recorded_at=at)
    upsert_features(connection, at)


def column(connection: Connection, query: str) -> list[object]:
    return [row[0] for row in connection.execute(query)]


def candle_at(at: datetime, close: str) -> Candle:
    price = Decimal(close)
    return Candle(at, price, price, price, price, Decimal(1))


@pytest.fixture
def filled(writer: Connection) -> Connection:
    """A warehouse of the recorded world with 400 hours of one market and its features."""
    put(writer, walk(), NOW)
    return writer


class TestMakeForecasts:
    def test_naive_serves_by_its_name(self, filled: Connection, reader: Connection) -> None:
        run = make_forecasts(filled, NOBODY, NOW, markets=[BTC])
        assert (run.written, run.already_sealed, run.refused) == (2, 0, [])
        rows = reader.execute(
            "select crypto, timestamp, horizon, predicted_price, as_of_price, is_naive, model, model_version, made_at,"
            " as_of, world, lower_price < predicted_price and predicted_price < upper_price, actual_price"
            " from predictions order by timestamp"
        ).fetchall()
        close = walk()[-1].close
        for row, bars in zip(rows, (1, 24), strict=True):
            assert row == (
                "BTC", CLOSED + bars * HOUR, bars * HOUR, close, close, True, "naive", None, NOW, CLOSED, "recorded",
                True, None,
            )  # fmt: skip

    def test_longer_horizon_is_less_certain(self, filled: Connection) -> None:
        make_forecasts(filled, NOBODY, NOW, markets=[BTC])
        near, far = column(filled, "select upper_price - lower_price from ml.forecast order by horizon_bars")
        assert float(str(far)) > 2 * float(str(near))

    def test_repeat_writes_nothing(self, filled: Connection) -> None:
        make_forecasts(filled, NOBODY, NOW, markets=[BTC])
        before = filled.execute("select * from ml.forecast order by 1").fetchall()
        again = make_forecasts(filled, NOBODY, NOW + timedelta(minutes=20), markets=[BTC])
        assert (again.written, again.already_sealed, again.refused) == (0, 2, [])
        assert filled.execute("select * from ml.forecast order by 1").fetchall() == before

    def test_target_that_was_reached_is_refused_and_the_other_made(self, filled: Connection) -> None:
        run = make_forecasts(filled, NOBODY, CLOSED + HOUR, markets=[BTC])
        assert run.written == 1
        assert run.refused == [
            Refusal(BTC.key, 1, "the target 2024-03-17 17:00 UTC is not ahead of now any more")
        ]  # fmt: skip
        assert column(filled, "select horizon_bars from ml.forecast") == [24]

    def test_stale_features_are_refused(self, filled: Connection) -> None:
        assert make_forecasts(filled, NOBODY, CLOSED + 2 * HOUR, markets=[BTC], horizons=[24]).written == 1
        late = make_forecasts(filled, NOBODY, CLOSED + 2 * HOUR + timedelta(seconds=1), markets=[BTC])
        assert late.written == 0
        assert [each.reason for each in late.refused] == [
            "features are stale: the newest are as of 2024-03-17 16:00 UTC"
        ] * 2

    def test_market_without_features_does_not_hold_up_the_others(self, filled: Connection) -> None:
        run = make_forecasts(filled, NOBODY, NOW, markets=[MARKETS[1], BTC])
        assert run.written == 2
        assert run.refused == [Refusal(MARKETS[1].key, bars, "no features of 1h yet") for bars in (1, 24)]

    def test_too_little_history_for_an_interval_is_refused(self, writer: Connection) -> None:
        put(writer, walk(60), START + 60 * HOUR)
        run = make_forecasts(writer, NOBODY, START + 60 * HOUR, markets=[BTC])
        assert run.written == 0
        assert all("100 are needed" in each.reason for each in run.refused)

    def test_uses_nothing_that_closed_after_now(self, filled: Connection) -> None:
        """As of an earlier now, with later candles already there: as if they were not."""
        earlier = NOW - 50 * HOUR
        make_forecasts(filled, NOBODY, earlier, markets=[BTC])
        with_later = filled.execute("select as_of, as_of_price, lower_price, upper_price from ml.forecast").fetchall()
        assert {row[0] for row in with_later} == {CLOSED - 50 * HOUR}
        assert {row[1] for row in with_later} == {walk()[-51].close}

    def test_what_came_later_moves_nothing(self, filled: Connection) -> None:
        """The same candles under another name, followed by a crash and a boom that lay ahead of the forecast."""
        twin = Market("binance", "TWIN/USDT", "TWINUSDT", START)
        later = [candle_at(CLOSED, "1"), candle_at(CLOSED + HOUR, "90000")]
        put(filled, [*walk(), *later], NOW + 2 * HOUR, market=twin)
        make_forecasts(filled, NOBODY, NOW, markets=[BTC, twin])
        bounds = filled.execute(
            "select horizon_bars, lower_price, upper_price from ml.forecast order by horizon_bars, instrument_id"
        ).fetchall()
        assert len(bounds) == 4
        assert bounds[0] == bounds[1]
        assert bounds[2] == bounds[3]


@pytest.fixture
def sealed(filled: Connection) -> Connection:
    """Forecasts over 1 and 24 hours as of the newest of 400 candles."""
    make_forecasts(filled, NOBODY, NOW, markets=[BTC])
    return filled


class TestSeal:
    def test_nobody_changes_it(self, sealed: Connection, owner: Connection) -> None:
        """The owner runs into the triggers; the role that loads may not even try."""
        changes = ["update ml.forecast set predicted_price = 1", "delete from ml.forecast"]
        for change in [*changes, "truncate ml.forecast cascade"]:
            with pytest.raises(psycopg.errors.RestrictViolation, match="is sealed"):
                owner.execute(change)
        for change in changes:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                sealed.execute(change)

    def test_table_refuses_what_cannot_be(self, sealed: Connection) -> None:
        refused = [
            ("made_at", "target_at", "forecast_is_made_before_its_target"),
            ("made_at", "as_of - interval '1 second'", "forecast_uses_the_past"),
            ("horizon_bars", "2", "forecast_target_is_the_horizon"),
            ("lower_price", "0", "forecast_prices_are_sane"),
            ("upper_price", "'NaN'", "forecast_prices_are_sane"),
            ("lower_price", "upper_price", "forecast_prices_are_sane"),
            ("model_version", "'1'", "forecast_names_its_model"),
            ("model", "'a model'", "forecast_names_its_model"),
        ]
        for changed, value, constraint in refused:
            values = ", ".join(value if name == changed else name for name in FORECAST_COLUMNS)
            with pytest.raises(psycopg.errors.CheckViolation) as error:
                sealed.execute(
                    f"insert into ml.forecast ({', '.join(FORECAST_COLUMNS)})"
                    f" select {values} from ml.forecast where horizon_bars = 1"
                )
            assert error.value.diag.constraint_name == constraint

    def test_no_clock_dates_a_live_forecast_back(self, writer: Connection) -> None:
        """The clock handed in says 2024, the database's own says that the target was reached long ago."""
        put(writer, walk(), NOW, world="live")
        with pytest.raises(psycopg.errors.CheckViolation, match="cannot be sealed"):
            make_forecasts(writer, NOBODY, NOW, markets=[BTC])
        assert column(writer, "select count(*) from ml.forecast") == [0]


class TestScoreMatured:
    def test_by_hand(self, sealed: Connection, reader: Connection) -> None:
        start = walk()[-1].close
        put(sealed, [candle_at(CLOSED, "61000")], CLOSED + HOUR)
        assert score_matured(sealed, CLOSED + HOUR) == ScoreRun(1, 0)
        (row,) = reader.execute(
            "select actual_price, actual_log_return, error_log_return, absolute_error, naive_absolute_error,"
            " is_covered, is_direction_right, scored_at from ml.forecast_score"
        ).fetchall()
        move = math.log(61_000 / float(start))
        assert row[0] == 61_000
        assert row[1:3] == (pytest.approx(move), pytest.approx(move))
        assert row[3:5] == (abs(61_000 - start),) * 2
        lower, upper = (
            reader.execute("select lower_price, upper_price from ml.forecast where horizon_bars = 1").fetchone() or ()
        )
        assert row[5:] == (lower <= 61_000 <= upper, None, CLOSED + HOUR)
        assert column(reader, "select actual_price from predictions order by timestamp") == [61_000, None]
        (score,) = reader.execute("select model, forecasts, skill, mae from ml.scoreboard").fetchall()
        assert score == ("naive", 1, 0.0, abs(61_000 - start))

    def test_direction_and_coverage_of_a_model(self, sealed: Connection) -> None:
        """Forecasts of a rise, one after another, whose outcome is a rise, a fall and a leap."""
        outcomes = ["60500", "59000", "90000"]
        for place, _ in enumerate(outcomes):
            sealed.execute(
                f"insert into ml.forecast ({', '.join(FORECAST_COLUMNS)})"
                " select instrument_id, '1h', 1, %(at)s, %(at)s + interval '1 hour', %(at)s, 60000, 0.01, 60603, 59500,"
                " 61800, 0.8, 'm', '1' from ml.forecast where horizon_bars = 1 and model = 'naive'",
                {"at": CLOSED + (place + 1) * HOUR},
            )
        put(
            sealed,
            [candle_at(CLOSED + (place + 1) * HOUR, close) for place, close in enumerate(outcomes)],
            CLOSED + 5 * HOUR,
        )
        assert score_matured(sealed, CLOSED + 5 * HOUR).new == 3
        assert sealed.execute(
            "select is_direction_right, is_covered from ml.forecast_score order by forecast_id"
        ).fetchall() == [(True, True), (False, False), (True, False)]

    def test_repeat_writes_nothing(self, sealed: Connection) -> None:
        put(sealed, [candle_at(CLOSED, "61000")], CLOSED + HOUR)
        score_matured(sealed, CLOSED + HOUR)
        before = sealed.execute("select xmin, * from ml.forecast_score").fetchall()
        assert score_matured(sealed, CLOSED + 9 * HOUR) == ScoreRun(0, 0)
        assert sealed.execute("select xmin, * from ml.forecast_score").fetchall() == before

    def test_revised_candle_is_scored_again(self, sealed: Connection) -> None:
        put(sealed, [candle_at(CLOSED, "61000")], CLOSED + HOUR)
        score_matured(sealed, CLOSED + HOUR)
        put(sealed, [candle_at(CLOSED, "61001")], CLOSED + 2 * HOUR)
        assert score_matured(sealed, CLOSED + 2 * HOUR) == ScoreRun(0, 1)
        assert column(sealed, "select actual_price from ml.forecast_score") == [61_001]

    def test_waits_for_the_candle_and_for_its_time(self, sealed: Connection) -> None:
        assert score_matured(sealed, CLOSED + 50 * HOUR) == ScoreRun(0, 0)
        put(sealed, [candle_at(CLOSED, "61000")], CLOSED + HOUR)
        assert score_matured(sealed, CLOSED + HOUR - timedelta(seconds=1)) == ScoreRun(0, 0)
        assert score_matured(sealed, CLOSED + HOUR) == ScoreRun(1, 0)
