"""Kraken's names, and the bodies of its answers."""

from __future__ import annotations

from datetime import UTC, datetime

from include.replay import bars as b
from include.replay.bars import UNIT, Bars, decimal_text
from include.replay.kraken_tape import NS_PER_MS, TapeTrade
from include.replay.world import ReplayMarket

# Only what was listed first has a letter in front in the canonical name; two coins have other names than elsewhere.
_OLD_COINS = {"BTC": "XXBT", "ETH": "XETH", "XRP": "XXRP", "LTC": "XLTC", "DOGE": "XXDG", "ETC": "XETC", "XMR": "XXMR"}
_CURRENCIES = {"USD": "ZUSD", "EUR": "ZEUR", "GBP": "ZGBP", "JPY": "ZJPY", "CAD": "ZCAD"}
_OWN_NAMES = {"BTC": "XBT", "DOGE": "XDG"}
_VOLUME_DECIMALS = 8
_TRADE_DECIMALS = 5


def altname(market: ReplayMarket) -> str:
    """`XBTUSD`"""
    return _own(market.base) + _own(market.quote)


def canonical(market: ReplayMarket) -> str:
    """`XXBTZUSD`: the letters only where both sides have one."""
    if market.base in _OLD_COINS and market.quote in _CURRENCIES:
        return _OLD_COINS[market.base] + _CURRENCIES[market.quote]
    return altname(market)


def asset_pair(market: ReplayMarket) -> dict[str, object]:
    """An entry of AssetPairs."""
    return {
        "altname": altname(market),
        "wsname": f"{_own(market.base)}/{_own(market.quote)}",
        "aclass_base": "currency",
        "base": _OLD_COINS.get(market.base, market.base),
        "aclass_quote": "currency",
        "quote": _CURRENCIES.get(market.quote, market.quote),
        "lot": "unit",
        "cost_decimals": 5,
        "pair_decimals": price_decimals(market),
        "lot_decimals": _VOLUME_DECIMALS,
        "lot_multiplier": 1,
        "leverage_buy": [],
        "leverage_sell": [],
        "fees": [[0, 0.4]],
        "fees_maker": [[0, 0.25]],
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": "0.00005",
        "costmin": "0.5",
        "tick_size": _fixed(market.precision.tick, price_decimals(market)),
        "status": "online",
    }


def noise(market: ReplayMarket) -> dict[str, dict[str, object]]:
    """What AssetPairs lists beside a spot market, which is none: a dark pool and a book of another kind."""
    entry = asset_pair(market)
    dark = {**entry, "altname": f"{altname(market)}.d"}
    del dark["wsname"]
    return {f"{canonical(market)}.d": dark, f"{_own(market.base)}/{_own(market.quote)}:BTNL": entry}


# Listed at any time, whatever the world knows of: a venue's list is never empty.
ALWAYS_LISTED: dict[str, dict[str, object]] = {
    "ZEURZUSD": {
        "altname": "EURUSD",
        "wsname": "EUR/USD",
        "aclass_base": "currency",
        "base": "ZEUR",
        "aclass_quote": "currency",
        "quote": "ZUSD",
        "pair_decimals": 5,
        "lot_decimals": 8,
        "status": "online",
    },
    "AAPLxUSD": {
        "altname": "AAPLxUSD",
        "wsname": "AAPLx/USD",
        "aclass_base": "tokenized_asset",
        "base": "AAPLx",
        "aclass_quote": "currency",
        "quote": "ZUSD",
        "pair_decimals": 2,
        "lot_decimals": 8,
        "status": "online",
    },
}


def price_decimals(market: ReplayMarket) -> int:
    """How many decimals its prices have."""
    return max(0, 9 - len(str(market.precision.tick)))


def ohlc_row(market: ReplayMarket, row: list[int], worth: int) -> list[object]:
    """`[time, open, high, low, close, vwap, volume, count]`; `worth`: sum of price times volume, in 1e-16."""
    decimals = price_decimals(market)
    prices = [_fixed(price, decimals) for price in row[b.OPEN : b.CLOSE + 1]]
    vwap = _fixed(_divided(worth, row[b.BASE] * 10 ** (8 - decimals)) * 10 ** (8 - decimals), decimals)
    return [row[b.OPEN_TIME] // 1000, *prices, vwap, decimal_text(row[b.BASE]), row[b.TRADES]]


def flat_row(market: ReplayMarket, opened_ms: int, price: int) -> list[object]:
    """The row of an interval without trades: the price of the last one, a vwap of zero."""
    decimals = price_decimals(market)
    prices = [_fixed(price, decimals)] * 4
    return [opened_ms // 1000, *prices, _fixed(0, max(decimals, 1)), decimal_text(0), 0]


def trade_row(trade: TapeTrade, with_id: bool) -> list[object]:
    """`[price, volume, time, side, type, misc, trade_id]`, the time as a float of seconds; older rows lack the id."""
    side = "b" if trade.is_buy else "s"
    row: list[object] = [
        _fixed(trade.price, _TRADE_DECIMALS),
        decimal_text(trade.volume),
        trade.at_ns / (1000 * NS_PER_MS),
        side,
        "m",
        "",
    ]
    return [*row, trade.trade_id] if with_id else row


def ticker(market: ReplayMarket, price: int, today: Bars, day: Bars) -> dict[str, object]:
    """An entry of Ticker. today: since midnight, day: the last 24 hours, each at most one row."""
    decimals = price_decimals(market)
    last, tick = _fixed(price, decimals), market.precision.tick
    figures: list[list[int]] = [bars[0].tolist() if len(bars) else _silent(price) for bars in (today, day)]

    def both(column: int) -> list[str]:
        return [_fixed(row[column], decimals) for row in figures]

    averages = [row[b.QUOTE] * UNIT // row[b.BASE] if row[b.BASE] and row[b.QUOTE] else row[b.CLOSE] for row in figures]
    lots = decimal_text(market.precision.lot)
    return {
        "a": [last, "1", "1.000"],
        "b": [_fixed(max(price - tick, tick), decimals), "1", "1.000"],
        "c": [last, lots],
        "v": [decimal_text(row[b.BASE]) for row in figures],
        "p": [_fixed(average, decimals) for average in averages],
        "t": [row[b.TRADES] for row in figures],
        "l": both(b.LOW),
        "h": both(b.HIGH),
        "o": _fixed(figures[0][b.OPEN], decimals),
    }


def server_time(now_ms: int) -> dict[str, object]:
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    return {"unixtime": now_ms // 1000, "rfc1123": f"{now:%a, %d %b %y %H:%M:%S} +0000"}


def system_status(now_ms: int) -> dict[str, object]:
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    return {"status": "online", "timestamp": f"{now:%Y-%m-%dT%H:%M:%SZ}"}


def _own(asset: str) -> str:
    return _OWN_NAMES.get(asset, asset)


def _silent(price: int) -> list[int]:
    row = [0] * b.WIDTH
    for column in (b.OPEN, b.HIGH, b.LOW, b.CLOSE):
        row[column] = price
    return row


def _fixed(units: int, decimals: int) -> str:
    """1e-8 units with `decimals` decimals, or with as many more as the value needs."""
    text = decimal_text(units)
    needed = len(text.rstrip("0")) - text.index(".") - 1
    return text[: text.index(".") + 1 + max(decimals, needed)].rstrip(".")


def _divided(numerator: int, denominator: int) -> int:
    """The quotient rounded half to even."""
    quotient, rest = divmod(numerator, denominator)
    return quotient + (2 * rest > denominator or (2 * rest == denominator and quotient % 2))
