"""Rows keep together what belongs together, and their digest sees every value."""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import pandas as pd

from include.forecasting.rows import ForecastRows
from include.forecasting.targets import Target


def made(count: int = 6) -> ForecastRows:
    draws = np.random.default_rng(1)
    return ForecastRows(
        target=Target.LOG_RETURN,
        horizon_bars=1,
        as_of=np.datetime64("2024-01-01", "us") + np.arange(count) * np.timedelta64(1, "h"),
        inputs=pd.DataFrame(draws.standard_normal((count, 2)), columns=["a", "b"]),
        volatility=pd.DataFrame(draws.uniform(0.01, 0.1, (count, 2)), columns=["day", "week"]),
        outcome=draws.standard_normal(count),
    )


def test_only_rows_whose_outcome_is_known_are_matured() -> None:
    rows = made()
    rows.outcome[[1, 5]] = np.nan
    matured = rows.matured()
    assert len(matured) == 4
    assert matured.as_of.tolist() == rows.as_of[[0, 2, 3, 4]].tolist()
    assert matured.inputs["a"].tolist() == rows.inputs["a"][[0, 2, 3, 4]].tolist()
    assert matured.volatility["week"].tolist() == rows.volatility["week"][[0, 2, 3, 4]].tolist()
    assert (matured.target, matured.horizon_bars) == (rows.target, rows.horizon_bars)


def test_parts_are_the_same_by_slice_and_by_mask() -> None:
    rows = made()
    mask = np.array([False, False, True, True, True, False])
    assert rows.part(slice(2, 5)).sha256() == rows.part(mask).sha256()
    assert rows.part(slice(2, 5)).part(slice(1, None)).sha256() == rows.part(slice(3, 5)).sha256()


def test_digest_sees_every_value() -> None:
    before = made().sha256()
    assert made().sha256() == before
    changed = []
    for part in ("inputs", "volatility"):
        rows = made()
        frame = getattr(rows, part)
        frame.iloc[3, 1] = np.nextafter(frame.iloc[3, 1], 1.0)
        changed += [rows.sha256(), replace(made(), **{part: frame.set_axis(["x", "y"], axis=1)}).sha256()]
    for array in ("as_of", "outcome"):
        rows = made()
        getattr(rows, array)[-1] += 1
        changed.append(rows.sha256())
    unknown = made()
    unknown.outcome[0] = np.nan
    changed += [unknown.sha256(), made(5).sha256()]
    changed += [replace(made(), target=Target.VOLATILITY).sha256(), replace(made(), horizon_bars=24).sha256()]
    assert len({before, *changed}) == 1 + len(changed)


def test_digest_knows_one_nan_one_zero_and_one_unit_of_time() -> None:
    first, second = made(), made()
    other_nan = struct.unpack("<d", struct.pack("<Q", 0x7FF8_0000_0000_0001))[0]
    first.outcome[0], second.outcome[0] = np.nan, other_nan
    assert first.outcome.tobytes() != second.outcome.tobytes()
    first.outcome[1], second.outcome[1] = 0.0, -0.0
    assert first.sha256() == replace(second, as_of=second.as_of.astype("datetime64[ns]")).sha256()
