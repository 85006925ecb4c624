"""Bodies of Binance's ticker and exchangeInfo endpoints."""

from __future__ import annotations

from include.replay import bars as b
from include.replay.bars import Bars, decimal_text
from include.replay.world import ReplayMarket

# Trade ids are not recorded: they are counted from the clock, one each 10 ms.
_TRADE_ID_MS = 10
_MINI = (
    "symbol",
    "openPrice",
    "highPrice",
    "lowPrice",
    "lastPrice",
    "volume",
    "quoteVolume",
    "openTime",
    "closeTime",
    "firstId",
    "lastId",
    "count",
)


def ticker_24hr(market: ReplayMarket, day: Bars, mini: bool) -> dict[str, object]:
    """One 24-hour ticker from the folded last 24 hours (one row)."""
    row: list[int] = day[0].tolist()
    opened, last = row[b.OPEN], row[b.CLOSE]
    closed_ms = row[b.CLOSE_TIME]
    last_id = closed_ms // _TRADE_ID_MS
    average = row[b.QUOTE] * b.UNIT // row[b.BASE] if row[b.BASE] else 0
    full: dict[str, object] = {
        "symbol": market.symbol,
        "priceChange": decimal_text(last - opened),
        "priceChangePercent": f"{100 * (last - opened) / opened:.3f}",
        "weightedAvgPrice": decimal_text(average) if average else "0",
        "prevClosePrice": decimal_text(opened),
        "lastPrice": decimal_text(last),
        "lastQty": decimal_text(max(market.precision.lot, row[b.BASE] // max(1, row[b.TRADES]))),
        "bidPrice": decimal_text(last - market.precision.tick),
        "bidQty": decimal_text(market.precision.lot * (100 + closed_ms // 1000 % 97)),
        "askPrice": decimal_text(last),
        "askQty": decimal_text(market.precision.lot * (100 + closed_ms // 1000 % 89)),
        "openPrice": decimal_text(opened),
        "highPrice": decimal_text(row[b.HIGH]),
        "lowPrice": decimal_text(row[b.LOW]),
        "volume": decimal_text(row[b.BASE]),
        "quoteVolume": decimal_text(row[b.QUOTE]),
        "openTime": row[b.OPEN_TIME],
        "closeTime": closed_ms,
        "firstId": last_id - row[b.TRADES] + 1 if row[b.TRADES] else -1,
        "lastId": last_id if row[b.TRADES] else -1,
        "count": row[b.TRADES],
    }
    return {name: full[name] for name in _MINI} if mini else full


def symbol_info(market: ReplayMarket) -> dict[str, object]:
    """One entry of exchangeInfo's `symbols`."""
    tick, lot = decimal_text(market.precision.tick), decimal_text(market.precision.lot)
    return {
        "symbol": market.symbol,
        "status": "TRADING",
        "baseAsset": market.base,
        "baseAssetPrecision": 8,
        "quoteAsset": market.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"],
        "icebergAllowed": True,
        "ocoAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": True,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.00000000", "tickSize": tick},
            {"filterType": "LOT_SIZE", "minQty": lot, "maxQty": "9000000.00000000", "stepSize": lot},
        ],
        "permissions": [],
        "permissionSets": [["SPOT", "MARGIN"]],
    }


def rate_limits(weight_per_minute: int) -> list[dict[str, object]]:
    """exchangeInfo's `rateLimits`."""
    limits = (
        ("REQUEST_WEIGHT", "MINUTE", 1, weight_per_minute),
        ("ORDERS", "SECOND", 10, 100),
        ("ORDERS", "DAY", 1, 200_000),
        ("RAW_REQUESTS", "MINUTE", 5, 300_000),
    )
    return [{"rateLimitType": t, "interval": i, "intervalNum": n, "limit": limit} for t, i, n, limit in limits]
