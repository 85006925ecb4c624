"""Bodies of Coinbase's answers, those of Exchange and those of Advanced Trade."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from include.replay import bars as b
from include.replay.bars import Bars, decimal_text
from include.replay.world import ReplayMarket

# Trade ids are not recorded: they are counted from the clock, one each 10 ms.
_TRADE_ID_MS = 10
# One volume in seven has float noise upwards, one downwards; the bucket decides, so that a repeat has the same.
_NOISE_CYCLE, _NOISE_UP, _NOISE_DOWN = 7, 3, 5


def product_id(market: ReplayMarket) -> str:
    return f"{market.base}-{market.quote}"


def number_text(units: int) -> str:
    """1e-8 units as a number without trailing zeros: `63582.07`, `63582`."""
    return decimal_text(units).rstrip("0").rstrip(".")


def volume_text(row: list[int], step_ms: int) -> str:
    """A candle's base volume: the shortest number, or its neighbour among the doubles."""
    turn = row[b.OPEN_TIME] // step_ms % _NOISE_CYCLE
    if turn not in (_NOISE_UP, _NOISE_DOWN):
        return number_text(row[b.BASE])
    return repr(math.nextafter(row[b.BASE] / b.UNIT, math.inf if turn == _NOISE_UP else 0.0))


def exchange_candles(page: Bars, step_ms: int) -> bytes:
    """Rows `[time, low, high, open, close, volume]` of JSON numbers, newest first."""
    rows: list[list[int]] = page[::-1].tolist()
    texts = (
        f"[{row[b.OPEN_TIME] // 1000},{number_text(row[b.LOW])},{number_text(row[b.HIGH])},"
        f"{number_text(row[b.OPEN])},{number_text(row[b.CLOSE])},{volume_text(row, step_ms)}]"
        for row in rows
    )
    return f"[{','.join(texts)}]".encode()


def advanced_candles(page: Bars, step_ms: int) -> dict[str, object]:
    """Objects of texts with the same figures, newest first."""
    rows: list[list[int]] = page[::-1].tolist()
    return {
        "candles": [
            {
                "start": str(row[b.OPEN_TIME] // 1000),
                "low": number_text(row[b.LOW]),
                "high": number_text(row[b.HIGH]),
                "open": number_text(row[b.OPEN]),
                "close": number_text(row[b.CLOSE]),
                "volume": volume_text(row, step_ms),
            }
            for row in rows
        ]
    }


def exchange_product(market: ReplayMarket) -> dict[str, object]:
    """One entry of Exchange's /products."""
    return {
        "id": product_id(market),
        "base_currency": market.base,
        "quote_currency": market.quote,
        "quote_increment": number_text(market.precision.tick),
        "base_increment": number_text(market.precision.lot),
        "display_name": product_id(market),
        "min_market_funds": "1",
        "margin_enabled": False,
        "post_only": False,
        "limit_only": False,
        "cancel_only": False,
        "status": "online",
        "status_message": "",
        "trading_disabled": False,
        "fx_stablecoin": False,
        "max_slippage_percentage": "0.02000000",
        "auction_mode": False,
        "high_bid_limit_percentage": "",
    }


# Listed at any time, whatever the world knows of: a venue's list is never empty.
ALWAYS_LISTED: dict[str, object] = {
    "id": "USDT-EUR",
    "base_currency": "USDT",
    "quote_currency": "EUR",
    "quote_increment": "0.001",
    "base_increment": "0.01",
    "display_name": "USDT-EUR",
    "status": "online",
    "trading_disabled": False,
}


def advanced_product(market: ReplayMarket, price: int, day: Bars) -> dict[str, object]:
    """One entry of Advanced Trade's products; `day`: the last 24 hours as at most one row. A book in USD is the one
    in USDC as well."""
    row: list[int] | None = day[0].tolist() if len(day) else None
    change = f"{100 * (price - row[b.OPEN]) / row[b.OPEN]:.8f}" if row else ""
    aliases = {"USD": f"{market.base}-USDC", "USDC": f"{market.base}-USD"}
    alias = aliases.get(market.quote, "")
    return {
        "product_id": product_id(market),
        "price": number_text(price),
        "price_percentage_change_24h": change,
        "volume_24h": number_text(row[b.BASE]) if row else "0",
        "base_increment": number_text(market.precision.lot),
        "quote_increment": number_text(market.precision.tick),
        "is_disabled": False,
        "status": "online",
        "trading_disabled": False,
        "base_currency_id": market.base,
        "quote_currency_id": market.quote,
        "product_type": "SPOT",
        "alias": alias if market.quote == "USDC" else "",
        "alias_to": [alias] if market.quote == "USD" else [],
    }


def exchange_ticker(market: ReplayMarket, price: int, traded_ms: int, day: Bars) -> dict[str, object]:
    """/ticker: the last trade, the best prices around it, and the volume of the last 24 hours."""
    return {
        "ask": number_text(price),
        "bid": number_text(price - market.precision.tick),
        "volume": decimal_text(int(day[0, b.BASE]) if len(day) else 0),
        "trade_id": traded_ms // _TRADE_ID_MS,
        "price": number_text(price),
        "size": number_text(market.precision.lot),
        "time": iso_micros(traded_ms),
        "rfq_volume": "0",
    }


def exchange_stats(price: int, day: Bars, month_volume: int) -> dict[str, object]:
    """/stats: the rolling 24 hours; all of it `0` where nothing was traded in them."""
    figures: list[int] = day[0].tolist() if len(day) else [0] * b.WIDTH
    return {
        "open": number_text(figures[b.OPEN]),
        "high": number_text(figures[b.HIGH]),
        "low": number_text(figures[b.LOW]),
        "last": number_text(price),
        "volume": decimal_text(figures[b.BASE]),
        "volume_30day": decimal_text(month_volume),
    }


def advanced_ticker(market: ReplayMarket, price: int, traded_ms: int) -> dict[str, object]:
    """The last trade alone, and the best prices around it."""
    trade = {
        "trade_id": str(traded_ms // _TRADE_ID_MS),
        "product_id": product_id(market),
        "price": number_text(price),
        "size": number_text(market.precision.lot),
        "time": iso_micros(traded_ms),
        "side": "BUY",
        "bid": "",
        "ask": "",
    }
    return {
        "trades": [trade],
        "best_bid": number_text(price - market.precision.tick),
        "best_ask": number_text(price),
    }


def iso_micros(at_ms: int) -> str:
    """`2014-11-06T10:34:47.123456Z`"""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
