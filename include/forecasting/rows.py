"""Rows to learn from and to forecast on: what was known at each candle's close, and what came of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from include.forecasting.significance import FloatArray
from include.forecasting.targets import Target

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ForecastRows:
    """One series in time order, one row per closed candle that has features.

    as_of: close time of the candle, UTC; everything in the row but the outcome was known then.
    inputs: model inputs (include/forecasting/inputs.py), NaN where unknown.
    volatility: past volatility (include/forecasting/volatility.py, COLUMNS), NaN where unknown.
    outcome: the target over the `horizon_bars` bars after as_of; NaN where that is not known (yet).
    """

    target: Target
    horizon_bars: int
    as_of: npt.NDArray[np.datetime64]
    inputs: pd.DataFrame
    volatility: pd.DataFrame
    outcome: FloatArray

    def __len__(self) -> int:
        return len(self.as_of)

    def matured(self) -> ForecastRows:
        """Only rows whose outcome is known."""
        return self.part(np.isfinite(self.outcome))

    def part(self, chosen: slice | npt.NDArray[np.bool_]) -> ForecastRows:
        """Only some of the rows, in the same order."""
        return ForecastRows(
            self.target,
            self.horizon_bars,
            self.as_of[chosen],
            self.inputs[chosen].reset_index(drop=True),
            self.volatility[chosen].reset_index(drop=True),
            self.outcome[chosen],
        )

    def sha256(self) -> str:
        """Digest of every value a training uses; equal digests train equal models."""
        columns = " ".join([*self.inputs.columns, *self.volatility.columns])
        digest = hashlib.sha256(f"{self.target} {self.horizon_bars} {columns}".encode())
        digest.update(self.as_of.astype("<M8[us]").tobytes())
        # One NaN has many bit patterns; adding zero also makes -0.0 and 0.0 one.
        for values in (self.inputs.to_numpy(np.float64), self.volatility.to_numpy(np.float64), self.outcome):
            digest.update(np.ascontiguousarray(np.where(np.isnan(values), np.nan, values + 0.0), "<f8").tobytes())
        return digest.hexdigest()
