"""Every column of `features.candle_feature`: what it means, how it is computed, when it is NULL.

The registry is the one list: the table's columns, the view `crypto_prices`, the computation, the upsert, the checks and
the reference page come from it. No heavy import here: a DAG file or a command line may read it.
"""

from __future__ import annotations

from include.features import columns_price
from include.features.columns_indicators import indicator_columns
from include.features.model import Feature

FEATURES: tuple[Feature, ...] = (
    *columns_price.price_columns(),
    *columns_price.mean_columns(),
    *indicator_columns(),
    *columns_price.sentiment_columns(),
    *columns_price.calendar_columns(),
    *columns_price.quality_columns(),
    *columns_price.retracement_columns(),
)
NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
