"""Assets that wake a DAG early. What a run then does depends on the warehouse's state alone, never on the event."""

from __future__ import annotations

from airflow.sdk import Asset

CANDLES = Asset(name="candles", uri="postgres://warehouse/warehouse/market/candle", group="market")
FEATURES = Asset(name="features", uri="postgres://warehouse/warehouse/features/candle_feature", group="market")
MART = Asset(name="mart", uri="postgres://warehouse/warehouse/mart/hourly_price", group="market")
