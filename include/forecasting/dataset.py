"""Rows to learn from and to forecast on: what was known at each candle's close, and what the price did next."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from include.candles.timeframes import step
from include.forecasting.inputs import FEATURES_USED, INPUTS, VOLATILITY, model_inputs
from include.forecasting.significance import FloatArray
from include.forecasting.times import to_array
from include.warehouse.connection import Connection
from include.warehouse.sql import statement

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ForecastRows:
    """One series in time order, one row per closed candle that has features.

    as_of: close time of the candle, UTC; everything in the row but the outcome was known then.
    outcome: log return from as_of to the close `horizon_bars` later; NaN where that is not known (yet).
    volatility: realised volatility of the last 24 h, NaN where unknown.
    """

    horizon_bars: int
    as_of: npt.NDArray[np.datetime64]
    inputs: pd.DataFrame
    volatility: FloatArray
    outcome: FloatArray

    def __len__(self) -> int:
        return len(self.as_of)

    def matured(self) -> ForecastRows:
        """Only rows whose outcome is known."""
        return self.part(np.isfinite(self.outcome))

    def part(self, chosen: slice | npt.NDArray[np.bool_]) -> ForecastRows:
        """Only some of the rows, in the same order."""
        return ForecastRows(
            self.horizon_bars,
            self.as_of[chosen],
            self.inputs[chosen].reset_index(drop=True),
            self.volatility[chosen],
            self.outcome[chosen],
        )

    def sha256(self) -> str:
        """Digest of every value a training uses; equal digests train equal models."""
        digest = hashlib.sha256(f"{self.horizon_bars} {' '.join(INPUTS)}".encode())
        digest.update(self.as_of.astype("<M8[us]").tobytes())
        # One NaN has many bit patterns; adding zero also makes -0.0 and 0.0 one.
        for values in (self.inputs.to_numpy(np.float64), self.volatility, self.outcome):
            digest.update(np.ascontiguousarray(np.where(np.isnan(values), np.nan, values + 0.0), "<f8").tobytes())
        return digest.hexdigest()


def load_rows(
    connection: Connection,
    instrument_id: int,
    timeframe: str,
    horizon_bars: int,
    *,
    now: datetime,
    since: datetime = datetime(1970, 1, 1, tzinfo=UTC),
) -> ForecastRows:
    """Rows of candles that opened at or after `since` and had closed by `now`; outcomes that were known by `now`."""
    import pandas as pd

    # Two plain range scans joined here: right after a bulk load the server has no statistics, and its planner then
    # joins tens of thousands of rows in nested loops.
    of_series = {"instrument_id": instrument_id, "timeframe": timeframe, "since": since, "now": now}
    closes = connection.execute(statement("forecast/select_closes.sql"), of_series).fetchall()
    featured = connection.execute(
        statement("forecast/select_features.sql", features=list(FEATURES_USED)), of_series
    ).fetchall()
    bar = np.timedelta64(step(timeframe))
    prices = pd.DataFrame(
        np.array([row[1:] for row in closes], dtype=np.float64).reshape(len(closes), 2),
        columns=["close", "base_volume"],
        index=pd.Index(to_array(row[0] for row in closes)),
    )
    features = pd.DataFrame(
        np.array([row[1:] for row in featured], dtype=np.float64).reshape(len(featured), len(FEATURES_USED)),
        columns=list(FEATURES_USED),
        index=pd.Index(to_array(row[0] for row in featured)),
    )
    rows = features.join(prices, how="inner")
    opened_at = rows.index.to_numpy("datetime64[us]")
    ahead = prices["close"].reindex(pd.Index(opened_at + horizon_bars * bar)).to_numpy(np.float64)
    return ForecastRows(
        horizon_bars=horizon_bars,
        as_of=np.asarray(opened_at + bar, dtype="datetime64[us]"),
        inputs=model_inputs(rows.reset_index(drop=True)),
        volatility=rows[VOLATILITY].to_numpy(np.float64),
        outcome=np.log(ahead / rows["close"].to_numpy(np.float64)),
    )
