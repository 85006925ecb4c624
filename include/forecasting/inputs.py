"""What a model sees: features of a closed candle, made independent of the price level.

Trees cannot extrapolate: a moving average in USDT of 2021 says nothing at the prices of 2025, its distance from the
close does. Every input is known when the candle closes; what is not known is NaN, which the model understands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

# Taken as they are; already free of the price level.
AS_THEY_ARE: tuple[str, ...] = (
    "log_return",
    "log_return_24h",
    "log_return_7d",
    "range_percent",
    "realised_volatility_24h",
    "realised_volatility_7d",
    "taker_buy_share",
    "rsi_14",
    "stoch_rsi_k",
    "stoch_rsi_d",
    "adx_14",
    "bollinger_percent_b",
    "bollinger_width",
    "fear_greed",
    "hour_of_day",
    "day_of_week",
)
# Logarithm of the close over the column.
DISTANCES: tuple[str, ...] = ("sma_7", "sma_14", "sma_30", "ema_12", "ema_26")
# The column over the close.
SHARES_OF_PRICE: tuple[str, ...] = ("macd", "macd_histogram", "atr_14")
# Logarithm of the bar's base volume over the column.
VOLUME_RATIOS: tuple[str, ...] = ("volume_avg_7d", "volume_avg_30d")
# The first column less the second.
DIFFERENCES: dict[str, tuple[str, str]] = {
    "di_balance": ("di_plus_14", "di_minus_14"),
    "fear_greed_change": ("fear_greed", "fear_greed_30d"),
}

# Columns of features.candle_feature that the inputs are made of.
FEATURES_USED: tuple[str, ...] = tuple(
    dict.fromkeys(
        (
            *AS_THEY_ARE,
            *DISTANCES,
            *SHARES_OF_PRICE,
            *VOLUME_RATIOS,
            *(column for pair in DIFFERENCES.values() for column in pair),
        )
    )
)
INPUTS: tuple[str, ...] = (
    *AS_THEY_ARE,
    *(f"{name}_distance" for name in DISTANCES),
    *(f"{name}_share" for name in SHARES_OF_PRICE),
    *(f"{name}_ratio" for name in VOLUME_RATIOS),
    *DIFFERENCES,
)


def model_inputs(rows: pd.DataFrame) -> pd.DataFrame:
    """Inputs, in the order of INPUTS, of rows with the columns close, base_volume and FEATURES_USED (float64)."""
    import pandas as pd

    columns: dict[str, Any] = {name: rows[name] for name in AS_THEY_ARE}
    volume = rows["base_volume"].where(rows["base_volume"] > 0)
    for name in DISTANCES:
        columns[f"{name}_distance"] = np.log(rows["close"] / rows[name])
    for name in SHARES_OF_PRICE:
        columns[f"{name}_share"] = rows[name] / rows["close"]
    for name in VOLUME_RATIOS:
        columns[f"{name}_ratio"] = np.log(volume / rows[name].where(rows[name] > 0))
    for name, (minuend, subtrahend) in DIFFERENCES.items():
        columns[name] = rows[minuend] - rows[subtrahend]
    return pd.DataFrame(columns, columns=list(INPUTS))
