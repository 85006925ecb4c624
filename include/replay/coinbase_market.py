"""What both of Coinbase's interfaces look up: products, pages of candles, the last trade."""

from __future__ import annotations

from include.replay import bars as b
from include.replay.bars import Bars
from include.replay.clock import ReplayClock
from include.replay.coinbase_bodies import product_id
from include.replay.errors import NotServedError
from include.replay.world import DAY_MS, HOUR_MS, Book, ReplayMarket, forming, klines, last_price, rolling_day, whole

MONTH_MS = 30 * DAY_MS


class CoinbaseError(Exception):
    """An answer that is an error, with its body."""

    def __init__(self, status: int, body: dict[str, object]) -> None:
        super().__init__(str(body))
        self.status = status
        self.body = body


class CoinbaseMarkets:
    """The venue's markets at the clock's now; `book` must list no others."""

    def __init__(self, book: Book, clock: ReplayClock) -> None:
        self._book = book
        self._clock = clock

    def now_ms(self) -> int:
        return self._clock.now_ms()

    def all(self) -> list[ReplayMarket]:
        """Markets that have had a trade, by name."""
        return sorted(filter(self._has_traded, self._book.markets.values()), key=product_id)

    def find(self, name: str) -> ReplayMarket | None:
        """The market of that name, if it has had a trade."""
        named = (market for market in self._book.markets.values() if product_id(market) == name)
        return next(filter(self._has_traded, named), None)

    def page(self, market: ReplayMarket, timeframe: str, start_ms: int | None, last_ms: int | None, limit: int) -> Bars:
        """Candles with start <= open <= last, ascending, `limit` at most; without bounds the newest.

        The one in progress is among them; intervals without trades are not. Raises NotServedError for a timeframe
        the world does not have.
        """
        found = klines(self._book, market.symbol, timeframe, start_ms, last_ms, limit, self.now_ms())
        return found[found[:, b.BASE] > 0]

    def last_trade(self, market: ReplayMarket) -> tuple[int, int]:
        """Price (1e-8 units) and time (epoch ms) of the last trade."""
        now_ms = self.now_ms()
        price = last_price(self._book, market.symbol, now_ms)
        if price is None:
            raise NotServedError(f"no trade of {market.symbol} before the world's now")
        if len(forming(self._book, market.symbol, "1h", now_ms)):
            return price, now_ms
        newest = whole(self._book).closed(market.symbol, "1h", 0, now_ms - now_ms % HOUR_MS, 1, True)
        return price, int(newest[-1, b.CLOSE_TIME])

    def day(self, market: ReplayMarket) -> Bars:
        """The last 24 hours as one row; none where nothing was traded in them."""
        return rolling_day(self._book, market.symbol, self.now_ms())

    def month_volume(self, market: ReplayMarket) -> int:
        """Base volume of the whole hours of the last 30 days, in 1e-8 units."""
        now_ms = self.now_ms()
        hours = whole(self._book).closed(market.symbol, "1h", now_ms - MONTH_MS, now_ms, MONTH_MS // HOUR_MS, True)
        done = hours[hours[:, b.OPEN_TIME] + HOUR_MS <= now_ms]
        return int(done[:, b.BASE].sum())

    def _has_traded(self, market: ReplayMarket) -> bool:
        return last_price(self._book, market.symbol, self.now_ms()) is not None
