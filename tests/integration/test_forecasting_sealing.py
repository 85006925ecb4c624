"""Forecasts in a real PostgreSQL: made in time or not at all, never changed, scored once their candle is there."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import psycopg
import pytest

from include.candles.model import Candle
from include.config.markets import MARKETS, Market
from include.features.upsert import upsert_features
from include.forecasting.dataset import load_kinds
from include.forecasting.intervals import walk as intervals
from include.forecasting.losses import qlike
from include.forecasting.recipes.listing import recipes
from include.forecasting.registry import ModelRegistry, ModelVersion
from include.forecasting.rows import ForecastRows
from include.forecasting.scoring import ScoreRun, score_matured
from include.forecasting.serving import ForecastRun, make_forecasts
from include.forecasting.stored_model import TrainedModel, UnusableModelError
from include.forecasting.targets import ForecastKind, Target
from include.stack.report import print_report
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
    "lower_price_95", "upper_price_95", "up_probability", "drift_log_return", "model_trained_until",
    "predicted_volatility", "lower_volatility", "upper_volatility", "lower_volatility_95", "upper_volatility_95",
    "volatility_model", "volatility_model_version", "volatility_trained_until", "ewma_volatility",
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


def reasons(run: ForecastRun) -> list[tuple[int, str, str]]:
    return [(each.horizon, each.target.value, each.reason_class.value) for each in run.refused]


class TestMakeForecasts:
    def test_naive_serves_by_its_name(self, filled: Connection, reader: Connection) -> None:
        run = make_forecasts(filled, NOBODY, NOW, markets=[BTC])
        assert (run.written, run.already_sealed, run.refused) == (2, 0, [])
        rows = reader.execute(
            "select crypto, timestamp, horizon, predicted_price, as_of_price, is_naive, model, model_version, made_at,"
            " as_of, world, lower_price_95 < lower_price and lower_price < predicted_price"
            " and predicted_price < upper_price and upper_price < upper_price_95, actual_price, model_age,"
            " up_probability between 0.2 and 0.8 from predictions order by timestamp"
        ).fetchall()
        close = walk()[-1].close
        for row, bars in zip(rows, (1, 24), strict=True):
            assert row == (
                "BTC", CLOSED + bars * HOUR, bars * HOUR, close, close, True, "naive", None, NOW, CLOSED, "recorded",
                True, None, None, True,
            )  # fmt: skip

    def test_har_serves_volatility_a_day_ahead(self, filled: Connection, reader: Connection) -> None:
        """The walk's hours move by 1 %, so a day by 4.9 %."""
        make_forecasts(filled, NOBODY, NOW, markets=[BTC])
        near, far = reader.execute(
            "select predicted_volatility, volatility_model, is_volatility_baseline, volatility_model_version,"
            " lower_volatility_95 < lower_volatility and lower_volatility < predicted_volatility"
            " and predicted_volatility < upper_volatility and upper_volatility < upper_volatility_95"
            " from predictions order by timestamp"
        ).fetchall()
        assert near == (None,) * 5
        assert far[0] == pytest.approx(0.049, rel=0.2)
        assert far[1:] == ("har", True, None, True)

    def test_baselines_are_sealed_with_it(self, filled: Connection) -> None:
        """Drift and the hour's mean by hand from the closes; EWMA and HAR near what the walk moves."""
        make_forecasts(filled, NOBODY, NOW, markets=[BTC])
        near, far = filled.execute(
            "select drift_log_return, seasonal_log_return, ewma_volatility, har_volatility, predicted_volatility"
            " from ml.forecast order by horizon_bars"
        ).fetchall()
        closes = [float(candle.close) for candle in walk()]
        moves = [math.log(after / before) for before, after in pairwise(closes)]
        assert near[0] == pytest.approx(sum(moves) / len(moves))
        assert near[1] is not None
        assert near[2:] == (None, None, None)
        assert far[2] == pytest.approx(0.049, rel=0.2)
        assert far[3] == far[4]

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

    def test_two_databases_say_the_same(self, filled: Connection) -> None:
        """The same candles under another name: every figure to the last bit."""
        twin = Market("binance", "TWIN/USDT", "TWINUSDT", START)
        put(filled, walk(), NOW, market=twin)
        make_forecasts(filled, NOBODY, NOW, markets=[BTC, twin])
        figures = filled.execute(
            "select horizon_bars, lower_price_95, upper_price_95, up_probability, drift_log_return,"
            " seasonal_log_return, predicted_volatility, lower_volatility_95, ewma_volatility"
            " from ml.forecast order by horizon_bars, instrument_id"
        ).fetchall()
        assert figures[0] == figures[1]
        assert figures[2] == figures[3]

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
            "select horizon_bars, lower_price, upper_price_95, predicted_volatility, lower_volatility,"
            " seasonal_log_return from ml.forecast order by horizon_bars, instrument_id"
        ).fetchall()
        assert len(bounds) == 4
        assert bounds[0] == bounds[1]
        assert bounds[2] == bounds[3]


class TestRefusals:
    def test_target_that_was_reached_is_refused_and_the_other_made(self, filled: Connection) -> None:
        run = make_forecasts(filled, NOBODY, CLOSED + HOUR, markets=[BTC])
        assert run.written == 1
        assert reasons(run) == [(1, "log_return", "late")]
        assert run.refused[0].reason == "the target 2024-03-17 17:00 UTC is not ahead of now any more"
        assert column(filled, "select horizon_bars from ml.forecast") == [24]

    def test_stale_features_are_refused(self, filled: Connection) -> None:
        assert make_forecasts(filled, NOBODY, CLOSED + 2 * HOUR, markets=[BTC], horizons=[24]).written == 1
        late = make_forecasts(filled, NOBODY, CLOSED + 2 * HOUR + timedelta(seconds=1), markets=[BTC])
        assert late.written == 0
        assert reasons(late) == [(1, "log_return", "stale"), (24, "log_return", "stale")]
        assert {each.reason for each in late.refused} == {
            "features are stale: the newest are as of 2024-03-17 16:00 UTC"
        }

    def test_market_without_features_does_not_hold_up_the_others(self, filled: Connection) -> None:
        run = make_forecasts(filled, NOBODY, NOW, markets=[MARKETS[1], BTC])
        assert run.written == 2
        assert reasons(run) == [(1, "log_return", "no_features"), (24, "log_return", "no_features")]
        assert {each.market for each in run.refused} == {MARKETS[1].key}

    def test_too_little_history_for_an_interval(self, writer: Connection) -> None:
        put(writer, walk(60), START + 60 * HOUR)
        run = make_forecasts(writer, NOBODY, START + 60 * HOUR, markets=[BTC])
        assert run.written == 0
        assert reasons(run) == [(1, "log_return", "short_history"), (24, "log_return", "short_history")]
        assert "outcomes are known; 240 are needed for an interval" in run.refused[0].reason

    def test_a_day_with_holes(self, writer: Connection) -> None:
        """A few hours of the last day are missing: made all the same; more than that: refused."""
        for hole, expected in ((range(-9, -6), []), (range(-12, -6), ["incomplete", "incomplete"])):
            market = Market("binance", f"HOLE{len(hole)}/USDT", f"HOLE{len(hole)}USDT", START)
            gone = {walk()[place].opened_at for place in hole}
            put(writer, [candle for candle in walk() if candle.opened_at not in gone], NOW, market=market)
            run = make_forecasts(writer, NOBODY, NOW, markets=[market])
            assert [each.reason_class for each in run.refused] == expected
            assert run.written == 2 - len(expected)

    def test_features_that_are_being_rewritten(self, filled: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
        """The newest row goes between two reads."""

        def gone(*given: Any, **more: Any) -> dict[ForecastKind, ForecastRows]:
            return {kind: rows.part(slice(0, -1)) for kind, rows in load_kinds(*given, **more).items()}

        monkeypatch.setattr("include.forecasting.serving.load_kinds", gone)
        run = make_forecasts(filled, NOBODY, NOW, markets=[BTC])
        assert reasons(run) == [(1, "log_return", "rewriting"), (24, "log_return", "rewriting")]

    def test_the_same_reason_only_counts(self, filled: Connection, writer: Connection) -> None:
        for minutes in (0, 20, 40):
            make_forecasts(filled, NOBODY, CLOSED + 3 * HOUR + timedelta(minutes=minutes), markets=[BTC])
        assert filled.execute(
            "select horizon_bars, target, reason_class, times, last_refused_at - refused_at from ml.refusal order by 1"
        ).fetchall() == [(bars, "log_return", "stale", 3, timedelta(minutes=40)) for bars in (1, 24)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            writer.execute("delete from ml.refusal")

    def test_the_view_says_why_until_it_is_over(self, filled: Connection, reader: Connection) -> None:
        def status() -> list[tuple[Any, ...]]:
            return reader.execute(
                "select horizon, state, reason_class, refused_at, volatility_state, timestamp, is_naive"
                " from forecast_status order by horizon"
            ).fetchall()

        assert status() == []
        make_forecasts(filled, NOBODY, NOW, markets=[BTC])
        assert status() == [
            (HOUR, "served", None, None, "none", CLOSED + HOUR, True),
            (24 * HOUR, "served", None, None, "served", CLOSED + 24 * HOUR, True),
        ]
        stale = CLOSED + 3 * HOUR
        make_forecasts(filled, NOBODY, stale, markets=[BTC])
        assert status() == [
            (bars * HOUR, "refused", "stale", stale, "refused", CLOSED + bars * HOUR, True) for bars in (1, 24)
        ]
        put(filled, [candle_at(CLOSED + place * HOUR, "61000") for place in range(3)], stale)
        make_forecasts(filled, NOBODY, stale + timedelta(minutes=1), markets=[BTC])
        assert [row[1:3] for row in status()] == [("served", None)] * 2

    def test_nobody_forecasts_any_more(self, filled: Connection, owner: Connection, reader: Connection) -> None:
        """In the live world the newest target has passed, and the database's clock says so."""
        make_forecasts(filled, NOBODY, NOW, markets=[BTC])
        owner.execute("update ops.world set world = 'live'")
        assert column(reader, "select distinct state from forecast_status") == ["none"]


class Champions(ModelRegistry):
    """A registry that has champions of some kinds, by the end of their names, and what loading one gives."""

    def __init__(self, by_end: dict[str, TrainedModel | UnusableModelError]) -> None:
        super().__init__("unused")
        self.by_end = by_end

    def champion(self, name: str) -> ModelVersion | None:
        return ModelVersion(name, "4", "run") if any(name.endswith(end) for end in self.by_end) else None

    def load(self, version: ModelVersion) -> TrainedModel:
        (found,) = (found for end, found in self.by_end.items() if version.name.endswith(end))
        if isinstance(found, UnusableModelError):
            raise found
        return found


def trained(connection: Connection, kind: ForecastKind, days: int = 1) -> TrainedModel:
    """A model of all but the newest day, or said to be so many days old."""
    rows = load_kinds(connection, ensure_instrument(connection, BTC), "1h", [kind], now=CLOSED - 24 * HOUR)[kind]
    past = rows.matured()
    fitted = recipes(kind.target)[0].fit(past)
    _, calibration = intervals(*kind, past.as_of, past.outcome, fitted.predict(past), past.volatility)
    return TrainedModel(fitted, calibration, CLOSED - timedelta(days=days), "r", "d", "c")


class TestChampions:
    def test_each_kind_by_its_own(self, filled: Connection, reader: Connection) -> None:
        near, far = ForecastKind(Target.LOG_RETURN, 1), ForecastKind(Target.VOLATILITY, 24)
        registry = Champions({".1h.1": trained(filled, near), ".volatility": trained(filled, far)})
        assert make_forecasts(filled, registry, NOW, markets=[BTC]).written == 2
        rows = reader.execute(
            "select is_naive, model, model_version, model_age, volatility_model, volatility_model_version,"
            " volatility_model_age, is_volatility_baseline from predictions order by timestamp"
        ).fetchall()
        name, age = "recorded.binance.BTC-USDT.1h", timedelta(days=1, minutes=1)
        assert rows == [
            (False, f"{name}.1", "4", age, None, None, None, None),
            (True, "naive", None, None, f"{name}.24.volatility", "4", age, False),
        ]
        assert reader.execute(
            "select model_age, volatility_model_age, is_volatility_baseline from forecast_status order by horizon"
        ).fetchall() == [(age, None, None), (None, age, False)]

    def test_refused_volatility_leaves_the_return(self, filled: Connection, reader: Connection) -> None:
        old = Champions({".volatility": trained(filled, ForecastKind(Target.VOLATILITY, 24), days=90)})
        run = make_forecasts(filled, old, NOW, markets=[BTC])
        assert (run.written, run.rows_refused) == (2, 0)
        assert reasons(run) == [(24, "volatility", "old_model")]
        assert column(filled, "select num_nonnulls(predicted_volatility, volatility_model, har_volatility)"
                      " from ml.forecast where horizon_bars = 24") == [0]  # fmt: skip
        status = "select state, reason, volatility_state, volatility_reason from forecast_status where horizon > '2h'"
        (row,) = reader.execute(status).fetchall()
        assert row[:3] == ("served", None, "refused")
        assert "days ago; the limit is 90" in row[3]

        put(filled, [candle_at(CLOSED, "61000")], CLOSED + HOUR)
        assert make_forecasts(filled, NOBODY, CLOSED + HOUR + timedelta(minutes=1), markets=[BTC]).refused == []
        assert reader.execute(status).fetchall() == [("served", None, "served", None)]

    def test_refused_return_is_no_row(self, filled: Connection, reader: Connection) -> None:
        broken = Champions({".1h.24": UnusableModelError("the file is gone")})
        run = make_forecasts(filled, broken, NOW, markets=[BTC])
        assert (run.written, run.rows_refused) == (1, 1)
        assert reasons(run) == [(24, "log_return", "unusable_model")]
        assert reader.execute(
            "select state, reason, volatility_state, timestamp from forecast_status order by horizon"
        ).fetchall() == [
            ("served", None, "none", CLOSED + HOUR),
            ("refused", "the file is gone", "refused", None),
        ]

    def test_nobody_knows_who_serves(self, filled: Connection) -> None:
        """A registry that does not answer is no reason to say naive."""

        class Gone(ModelRegistry):
            def champion(self, name: str) -> ModelVersion | None:
                raise ConnectionError("no answer")

        with pytest.raises(ConnectionError):
            make_forecasts(filled, Gone("unused"), NOW, markets=[BTC])
        assert column(filled, "select count(*) from ml.forecast") == [0]


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
            ("lower_price_95", "lower_price + 1", "forecast_wide_holds_the_narrow"),
            ("upper_price_95", "upper_price - 1", "forecast_wide_holds_the_narrow"),
            ("upper_price_95", "null", "forecast_wide_holds_the_narrow"),
            ("upper_price_95", "'Infinity'", "forecast_wide_holds_the_narrow"),
            ("up_probability", "1.01", "forecast_up_probability_is_one"),
            ("drift_log_return", "'NaN'", "forecast_baselines_are_finite"),
            ("ewma_volatility", "0", "forecast_baselines_are_finite"),
            ("model_trained_until", "as_of", "forecast_naive_is_not_trained"),
            ("predicted_volatility", "null", "forecast_volatility_is_whole"),
            ("predicted_volatility", "'NaN'", "forecast_volatility_is_whole"),
            ("lower_volatility", "upper_volatility", "forecast_volatility_is_whole"),
            ("volatility_model", "'m'", "forecast_names_its_volatility_model"),
            ("volatility_model_version", "'1'", "forecast_names_its_volatility_model"),
            ("volatility_trained_until", "as_of", "forecast_names_its_volatility_model"),
        ]
        for changed, value, constraint in refused:
            values = ", ".join(value if name == changed else name for name in FORECAST_COLUMNS)
            with pytest.raises(psycopg.errors.CheckViolation) as error:
                sealed.execute(
                    f"insert into ml.forecast ({', '.join(FORECAST_COLUMNS)})"
                    f" select {values} from ml.forecast where horizon_bars = 24"
                )
            assert error.value.diag.constraint_name == constraint

    def test_no_clock_dates_a_live_forecast_back(self, writer: Connection) -> None:
        """The clock handed in says 2024, the database's own says that the target was reached long ago."""
        put(writer, walk(), NOW, world="live")
        with pytest.raises(psycopg.errors.CheckViolation, match="cannot be sealed"):
            make_forecasts(writer, NOBODY, NOW, markets=[BTC])
        assert column(writer, "select count(*) from ml.forecast") == [0]


def test_the_demos_report_shows_both_intervals(
    sealed: Connection, reader: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    print_report(reader, NOW, 5.0)
    text = capsys.readouterr().out
    (head, near, far) = text[text.index("newest sealed forecasts") :].splitlines()[1:4]
    assert "80 % interval" in head
    assert "95 % interval" in head
    assert re.search(r"BTC +\+1 h .* \d+\.\d\d to \d+\.\d\d +\d+\.\d\d to \d+\.\d\d +naive +- ", near)
    assert re.search(r"BTC +\+24 h .* naive +\d\.\d% \(\d\.\d% to \d+\.\d%\), har ", far)


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
        assert reader.execute(
            "select model, baseline, time_window, forecasts, skill, mae from ml.scoreboard"
            " where baseline = 'random_walk' order by time_window"
        ).fetchall() == [
            ("naive", "random_walk", window, 1, 0.0, pytest.approx(abs(move)))
            for window in ("30 days", "7 days", "90 days", "all")
        ]

    def test_direction_and_coverage_of_a_model(self, sealed: Connection) -> None:
        """Forecasts of a rise, one after another, whose outcome is a rise, a fall and a leap."""
        outcomes = ["60500", "59000", "90000"]
        for place, _ in enumerate(outcomes):
            sealed.execute(
                "insert into ml.forecast (instrument_id, timeframe, horizon_bars, as_of, target_at, made_at,"
                " as_of_price, predicted_log_return, predicted_price, lower_price, upper_price, coverage, model,"
                " model_version, lower_price_95, upper_price_95)"
                " select instrument_id, '1h', 1, %(at)s, %(at)s + interval '1 hour', %(at)s, 60000, 0.01, 60603, 59500,"
                " 61800, 0.8, 'm', '1', 58000, 62000 from ml.forecast where horizon_bars = 1 and model = 'naive'",
                {"at": CLOSED + (place + 1) * HOUR},
            )
        put(
            sealed,
            [candle_at(CLOSED + (place + 1) * HOUR, close) for place, close in enumerate(outcomes)],
            CLOSED + 5 * HOUR,
        )
        assert score_matured(sealed, CLOSED + 5 * HOUR).new == 3
        assert sealed.execute(
            "select is_direction_right, is_covered, is_covered_95 from ml.forecast_score order by forecast_id"
        ).fetchall() == [(True, True, True), (False, False, True), (True, False, False)]

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


DAY = [candle_at(CLOSED + place * HOUR, "61000" if place % 2 else "61610") for place in range(24)]


class TestScoresOfVolatility:
    def test_by_hand(self, sealed: Connection, reader: Connection) -> None:
        put(sealed, DAY, CLOSED + 24 * HOUR)
        score_matured(sealed, CLOSED + 24 * HOUR)
        first = math.log(61_610 / float(walk()[-1].close))
        actual = math.sqrt(first**2 + 23 * math.log(1.01) ** 2)
        row = reader.execute(
            "select actual_volatility, is_volatility_covered = (%(actual)s between lower_volatility and"
            " upper_volatility), is_volatility_covered_95 = (%(actual)s between lower_volatility_95 and"
            " upper_volatility_95), predicted_volatility, ewma_volatility from ml.forecast_score"
            " join ml.forecast using (forecast_id) where horizon_bars = 24",
            {"actual": actual},
        ).fetchone()
        assert row is not None
        assert row[:3] == (pytest.approx(actual), True, True)
        assert column(reader, "select actual_volatility from predictions order by timestamp") == [None, row[0]]
        ewma, har = reader.execute(
            "select model, forecasts, loss, baseline_loss, mae from ml.scoreboard"
            " where target = 'volatility' and time_window = 'all' order by baseline"
        ).fetchall()
        losses = [float(qlike(np.array([actual]), np.array([each]))[0]) for each in row[3:]]
        assert ewma == ("har", 1, *(pytest.approx(each) for each in losses), pytest.approx(abs(actual - row[3])))
        assert har[2] == har[3] == ewma[2]

    def test_waits_for_every_candle_and_follows_each(self, sealed: Connection) -> None:
        def scores() -> list[tuple[Any, ...]]:
            return sealed.execute(
                "select actual_price, actual_volatility from ml.forecast_score join ml.forecast using (forecast_id)"
                " where horizon_bars = 24"
            ).fetchall()

        put(sealed, [*DAY[:9], *DAY[10:]], CLOSED + 24 * HOUR)
        score_matured(sealed, CLOSED + 24 * HOUR)
        assert scores() == [(61_000, None)]
        put(sealed, DAY[9:10], CLOSED + 60 * HOUR)
        assert score_matured(sealed, CLOSED + 60 * HOUR) == ScoreRun(0, 1)
        ((price, volatility),) = scores()
        assert (price, volatility > 0) == (61_000, True)
        assert score_matured(sealed, CLOSED + 61 * HOUR) == ScoreRun(0, 0)
        put(sealed, [candle_at(CLOSED + 5 * HOUR, "70000")], CLOSED + 90 * HOUR)
        assert score_matured(sealed, CLOSED + 90 * HOUR) == ScoreRun(0, 1)
        ((price, higher),) = scores()
        assert (price, higher > volatility) == (61_000, True)

    def test_an_archived_candle_takes_nothing_away(self, sealed: Connection, owner: Connection) -> None:
        put(sealed, DAY, CLOSED + 24 * HOUR)
        score_matured(sealed, CLOSED + 24 * HOUR)
        before = sealed.execute("select * from ml.forecast_score order by 1").fetchall()
        owner.execute("delete from market.candle where opened_at = %s", (CLOSED + 3 * HOUR,))
        assert score_matured(sealed, CLOSED + 25 * HOUR) == ScoreRun(0, 0)
        assert sealed.execute("select * from ml.forecast_score order by 1").fetchall() == before
