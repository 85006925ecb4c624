"""Features of candles: no look-ahead, the same bits from a slice as from the whole, and holes told honestly."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from include.features.blocks import BLOCK_BARS, BarRange, block_start, lookback_bars, reach
from include.features.compute import INDEX_COLUMNS, compute_features
from include.features.model import LONGEST_BRIDGED_HOLE
from include.features.registry import FEATURES, NAMES

NO_INDEX = pd.DataFrame(columns=list(INDEX_COLUMNS), dtype=float)


def differing(left: pd.DataFrame, right: pd.DataFrame) -> list[str]:
    """Columns that are not the same to the bit."""
    return [name for name in left.columns if left[name].to_numpy().tobytes() != right[name].to_numpy().tobytes()]


@pytest.fixture(scope="session")
def whole(bitcoin: pd.DataFrame, fear_greed: pd.DataFrame) -> pd.DataFrame:
    return compute_features(bitcoin, fear_greed, "1h")


@pytest.mark.parametrize("place", [0, 700, 2500, 6001, 9000, 11_999])
def test_an_update_from_a_slice_equals_the_full_history_to_the_bit(
    bitcoin: pd.DataFrame, fear_greed: pd.DataFrame, whole: pd.DataFrame, place: int
) -> None:
    bar = int(bitcoin["bar"][place])
    start = block_start(bar) - lookback_bars("1h")
    known = bitcoin.loc[(bitcoin["bar"] >= start) & (bitcoin["bar"] <= bar)].reset_index(drop=True)
    update = compute_features(known, fear_greed, "1h", first_bar=bar)
    assert len(update) == 1
    assert differing(update, whole.iloc[[place]]) == []


@pytest.mark.parametrize("place", [15, 1000, 5000])
def test_the_future_does_not_move_the_past_by_a_bit(
    bitcoin: pd.DataFrame, fear_greed: pd.DataFrame, whole: pd.DataFrame, place: int
) -> None:
    changed = bitcoin.copy()
    later = changed.index >= place
    changed.loc[later, ["open", "high", "low", "close", "base_volume"]] *= np.array([3.0, 3.0, 3.0, 3.0, 0.5])
    closes = bitcoin["bar"][place] * 3600  # the last untouched candle's close
    index = fear_greed.copy()
    index.loc[index["published_at"] > closes, "value"] = 0.0
    perturbed = compute_features(changed, index, "1h")
    assert differing(perturbed.iloc[:place], whole.iloc[:place]) == []
    assert differing(perturbed.iloc[place:], whole.iloc[place:]) != []


def test_the_index_is_the_one_known_at_the_close(walk: pd.DataFrame) -> None:
    days = np.arange(19_900, 20_300)
    index = pd.DataFrame({"day": days, "value": days - 19_900.0, "published_at": days * 86400 + 600})
    features = compute_features(walk, index, "1h")
    hour = walk["bar"] % 24
    day = walk["bar"] // 24 - 19_900
    # The hour from 23:00 closes at midnight, ten minutes before the next value; the hour from 00:00 knows it.
    np.testing.assert_array_equal(features.loc[hour == 23, "fear_greed"], day[hour == 23])
    np.testing.assert_array_equal(features.loc[hour == 0, "fear_greed"], day[hour == 0])


@pytest.mark.parametrize("place", [100, 3000, 7777])
def test_a_corrected_candle_reaches_no_further_than_said(
    bitcoin: pd.DataFrame, fear_greed: pd.DataFrame, whole: pd.DataFrame, place: int
) -> None:
    corrected = bitcoin.copy()
    corrected.loc[place, ["high", "close"]] *= 1.5
    bar = int(bitcoin["bar"][place])
    touched = reach(BarRange(bar, bar + 1), "1h")
    outside = ~bitcoin["bar"].between(touched.start, touched.end - 1)
    features = compute_features(corrected, fear_greed, "1h")
    assert differing(features.loc[outside], whole.loc[outside]) == []


def test_no_seam_shows_between_blocks(walk: pd.DataFrame) -> None:
    shifted = walk.assign(bar=walk["bar"] + BLOCK_BARS // 2)
    here, there = (compute_features(each, NO_INDEX, "1h") for each in (walk, shifted))
    for name in ("rsi_14", "stoch_rsi", "macd", "macd_signal", "adx_14", "di_plus_14", "atr_14", "ema_26"):
        scale = here[name].abs().median()
        np.testing.assert_allclose(here[name], there[name], rtol=1e-9, atol=1e-9 * scale, err_msg=name)


def test_warm_up_is_null_exactly_as_the_registry_says(walk: pd.DataFrame) -> None:
    index = pd.DataFrame({"day": range(19_900, 20_300), "value": 50.0})
    features = compute_features(walk, index.assign(published_at=index["day"] * 86400), "1h")
    for feature in FEATURES:
        missing = features[feature.name].isna().to_numpy()
        expected = np.arange(len(walk)) < feature.warm_up_bars("1h")
        np.testing.assert_array_equal(missing, expected, err_msg=feature.name)


def test_days_have_the_same_columns_over_days(walk: pd.DataFrame) -> None:
    days = walk.assign(bar=np.arange(17_000, 21_000))
    features = compute_features(days, NO_INDEX, "1d")
    assert features["sma_7"][100] == pytest.approx(days["close"][94:101].mean(), rel=1e-13)
    assert features["log_return_7d"][100] == pytest.approx(math.log(days["close"][100] / days["close"][93]), rel=1e-12)
    assert features["log_return_24h"][100] == features["log_return"][100]
    assert features["realised_volatility_24h"][100] == abs(features["log_return"][100])
    assert (features["hour_of_day"] == 0).all()


def test_plain_columns_mean_what_they_say(walk: pd.DataFrame) -> None:
    row = 900
    features = compute_features(walk, NO_INDEX, "1h").iloc[row]
    close, volume, bought = (walk[name].to_numpy() for name in ("close", "base_volume", "taker_buy_base_volume"))
    returns = np.diff(np.log(close), prepend=math.nan)
    expected = {
        "change_percent": 100 * (close[row] - close[row - 1]) / close[row - 1],
        "log_return": returns[row],
        "log_return_24h": math.log(close[row] / close[row - 24]),
        "log_return_7d": math.log(close[row] / close[row - 168]),
        "range_percent": 100 * (walk["high"][row] - walk["low"][row]) / close[row],
        "realised_volatility_24h": math.sqrt((returns[row - 23 : row + 1] ** 2).sum()),
        "realised_volatility_7d": math.sqrt((returns[row - 167 : row + 1] ** 2).sum()),
        "sma_7": close[row - 167 : row + 1].mean(),
        "sma_14": close[row - 335 : row + 1].mean(),
        "sma_30": close[row - 719 : row + 1].mean(),
        "volume_avg_7d": volume[row - 167 : row + 1].mean(),
        "volume_avg_14d": volume[row - 335 : row + 1].mean(),
        "volume_avg_30d": volume[row - 719 : row + 1].mean(),
        "taker_buy_share": bought[row] / volume[row],
        "missing_bars_30d": 0,
        "history_bars": 720,
    }
    assert features[list(expected)].to_dict() == pytest.approx(expected, rel=1e-10)


def test_calendar_is_of_the_open_time_in_utc(walk: pd.DataFrame) -> None:
    features = compute_features(walk, NO_INDEX, "1h")
    opened = pd.to_datetime(walk["bar"] * 3600, unit="s", utc=True)
    np.testing.assert_array_equal(features["hour_of_day"], opened.dt.hour)
    np.testing.assert_array_equal(features["day_of_week"], opened.dt.isocalendar().day)


def test_a_short_hole_is_bridged_by_indicators_and_told_by_clocks(walk: pd.DataFrame) -> None:
    holed = walk.drop(index=range(2000, 2003)).reset_index(drop=True)
    after = compute_features(holed, NO_INDEX, "1h").iloc[2000]
    assert math.isnan(after["log_return"])
    assert math.isnan(after["realised_volatility_24h"]), "4 of 24 returns are not there"
    assert after["missing_bars_30d"] == 3
    assert not math.isnan(after["sma_7"])
    assert not math.isnan(after["rsi_14"])
    assert after["history_bars"] == 720


def test_a_mean_over_a_hole_is_of_the_bars_that_were_there(walk: pd.DataFrame) -> None:
    holed = walk.drop(index=range(2000, 2003)).reset_index(drop=True)
    mean = compute_features(holed, NO_INDEX, "1h")["sma_7"][2100]
    assert mean == pytest.approx(holed["close"].iloc[2100 - 164 : 2101].mean(), rel=1e-13)


def test_a_long_hole_begins_a_new_run(walk: pd.DataFrame) -> None:
    gone = range(2000, 2000 + LONGEST_BRIDGED_HOLE + 1)
    features = compute_features(walk.drop(index=gone).reset_index(drop=True), NO_INDEX, "1h")
    for feature in FEATURES:
        if feature.warm_up and feature.hours is None:
            missing = features[feature.name].iloc[2000:2060].isna().to_numpy()
            np.testing.assert_array_equal(missing, np.arange(60) < feature.warm_up, err_msg=feature.name)
    assert features["history_bars"][2000] == 0
    assert math.isnan(features["sma_7"][2000])
    shorter = walk.drop(index=gone[:-1]).reset_index(drop=True)
    assert not math.isnan(compute_features(shorter, NO_INDEX, "1h")["rsi_14"][2000])


def test_what_the_venue_does_not_publish_is_null(walk: pd.DataFrame) -> None:
    walk.loc[5, "taker_buy_base_volume"] = np.nan
    walk.loc[6, ["base_volume", "taker_buy_base_volume"]] = 0.0
    share = compute_features(walk, NO_INDEX, "1h")["taker_buy_share"]
    assert share[[4, 5, 6, 7]].isna().tolist() == [False, True, True, False]


def test_no_candles_give_no_rows(walk: pd.DataFrame) -> None:
    assert list(compute_features(walk.iloc[:0], NO_INDEX, "1h").columns) == ["bar", *NAMES]


def test_candles_out_of_order_are_refused(walk: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="in order"):
        compute_features(walk.iloc[::-1], NO_INDEX, "1h")
