"""What a model sees does not depend on the price level, and what is not known is NaN."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from include.features.registry import FEATURES, NAMES
from include.forecasting.inputs import (
    AS_THEY_ARE,
    DIFFERENCES,
    DISTANCES,
    FEATURES_USED,
    INPUTS,
    SHARES_OF_PRICE,
    VOLUME_RATIOS,
    model_inputs,
)


@pytest.fixture
def rows() -> pd.DataFrame:
    names = ["close", "base_volume", *FEATURES_USED]
    return pd.DataFrame(np.random.default_rng(1).uniform(1, 2, (50, len(names))), columns=names)


def test_every_input_is_made_of_a_registered_feature() -> None:
    assert set(FEATURES_USED) <= set(NAMES)
    assert (
        len(INPUTS)
        == len(set(INPUTS))
        == len(AS_THEY_ARE) + len(DISTANCES) + len(SHARES_OF_PRICE) + len(VOLUME_RATIOS) + len(DIFFERENCES)
    )


def test_nothing_in_quote_units_is_taken_as_it_is() -> None:
    in_quote = {feature.name for feature in FEATURES if feature.unit in ("quote", "base per bar")}
    assert in_quote
    assert not in_quote & set(AS_THEY_ARE)


def test_price_level_does_not_show(rows: pd.DataFrame) -> None:
    dearer = rows.copy()
    for name in ("close", *DISTANCES, *SHARES_OF_PRICE):
        dearer[name] *= 1_000
    for name in ("base_volume", *VOLUME_RATIOS):
        dearer[name] *= 7
    pd.testing.assert_frame_equal(model_inputs(rows), model_inputs(dearer))


def test_by_hand(rows: pd.DataFrame) -> None:
    found = model_inputs(rows)
    assert list(found.columns) == list(INPUTS)
    first = rows.iloc[0]
    assert found["rsi_14"][0] == first["rsi_14"]
    assert found["sma_7_distance"][0] == pytest.approx(np.log(first["close"] / first["sma_7"]))
    assert found["atr_14_share"][0] == pytest.approx(first["atr_14"] / first["close"])
    assert found["volume_avg_7d_ratio"][0] == pytest.approx(np.log(first["base_volume"] / first["volume_avg_7d"]))
    assert found["di_balance"][0] == pytest.approx(first["di_plus_14"] - first["di_minus_14"])


def test_unknown_and_idle_hours_are_nan_never_infinite(rows: pd.DataFrame) -> None:
    rows.loc[0, "base_volume"] = 0.0
    rows.loc[1, "volume_avg_7d"] = 0.0
    rows.loc[2, FEATURES_USED] = np.nan
    found = model_inputs(rows)
    assert np.isnan(found["volume_avg_7d_ratio"][:2]).all()
    assert found.loc[2].isna().all()
    assert not np.isinf(found.to_numpy()).any()
