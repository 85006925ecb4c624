"""The public views that are exported; imported where a DAG file is parsed, so it imports nothing."""

from __future__ import annotations

# View -> its key, in the order of the file's rows; the time comes last. Nothing else is ever read.
VIEWS: dict[str, tuple[str, ...]] = {
    "ohlcv": ("venue", "symbol", "timeframe", "opened_at"),
    "crypto_prices": ("crypto", "timestamp"),
    "predictions": ("crypto", "horizon", "timeframe", "timestamp"),
    "ticker_snapshots": ("venue", "symbol", "observed_at"),
    "fear_greed_index": ("timestamp",),
    "hourly_prices": ("crypto", "quote", "hour_at"),
    "daily_volumes": ("crypto", "quote", "day"),
    "daily_rankings": ("crypto", "day"),
    "price_alerts": ("crypto", "venue", "symbol", "direction", "triggered_at"),
    "candle_flags": ("venue", "symbol", "timeframe", "rule", "opened_at"),
}
