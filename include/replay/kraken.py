"""Kraken's public endpoints over one of a world's books."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.replay import bars as b
from include.replay import kraken_bodies as bodies
from include.replay.answers import json_answer, not_served
from include.replay.clock import ReplayClock
from include.replay.errors import NotServedError
from include.replay.kraken_ohlc import ohlc_rows
from include.replay.kraken_tape import NS_PER_MS, Tape
from include.replay.request_bucket import RequestBucket
from include.replay.world import DAY_MS, HOUR_MS, Book, ReplayMarket, forming, last_price, rolling_day, whole

Handler = Callable[[Request], dict[str, object]]
TIMEFRAMES = {"1": "1m", "5": "5m", "15": "15m", "30": "30m", "60": "1h", "240": "4h", "1440": "1d"}
OTHER_INTERVALS = ("10080", "21600")  # the venue has these too, a world has not
MOST_TRADES = 1000
# A cursor below this is one of seconds.
_LEAST_NS = 10**12


class KrakenError(Exception):
    """An answer whose `error` list holds this one string."""


class Kraken:
    """Routes below `/kraken`.

    bucket: the limit of requests, by default about one a second. most_rows: of OHLC, the candle in progress included;
    720 and 721 were seen. trade_ids: whether Trades has a seventh column, as since 2022. repeats_boundary: whether
    the trade at the cursor comes again.
    """

    def __init__(
        self,
        book: Book,
        clock: ReplayClock,
        bucket: RequestBucket | None = None,
        *,
        most_rows: int = 721,
        trade_ids: bool = True,
        repeats_boundary: bool = False,
    ) -> None:
        self._book = book
        self._tape = Tape(whole(book))
        self._clock = clock
        self._bucket = bucket or RequestBucket(per_second=1, burst=2)
        self._most_rows = most_rows
        self._trade_ids = trade_ids
        self._repeats_boundary = repeats_boundary

    def routes(self) -> list[Route]:
        return [
            self._route("Time", lambda _: bodies.server_time(self._clock.now_ms())),
            self._route("SystemStatus", lambda _: bodies.system_status(self._clock.now_ms())),
            self._route("AssetPairs", self._asset_pairs),
            self._route("OHLC", self._ohlc),
            self._route("Ticker", self._ticker),
            self._route("Trades", self._trades),
        ]

    def _route(self, endpoint: str, handler: Handler) -> Route:
        async def answer(request: Request) -> Response:
            if not self._bucket.take():
                return json_answer({"error": ["EAPI:Rate limit exceeded"]})
            try:
                return json_answer({"error": [], "result": handler(request)})
            except KrakenError as error:
                return json_answer({"error": [str(error)]})
            except NotServedError as error:
                return not_served(str(error))

        return Route(f"/0/public/{endpoint}", answer, methods=["GET"])

    def _asset_pairs(self, request: Request) -> dict[str, object]:
        wanted = request.query_params.get("pair")
        if wanted is not None:
            return {bodies.canonical(market): bodies.asset_pair(market) for market in self._asked(wanted)}
        listed: dict[str, object] = dict(bodies.ALWAYS_LISTED)
        for market in self._listed():
            listed[bodies.canonical(market)] = bodies.asset_pair(market)
            listed |= bodies.noise(market)
        return listed

    def _ohlc(self, request: Request) -> dict[str, object]:
        market = self._one(request)
        interval = request.query_params.get("interval", "1")
        if interval in OTHER_INTERVALS:
            raise NotServedError(f"interval {interval}")
        if interval not in TIMEFRAMES:
            raise KrakenError("EGeneral:Invalid arguments")
        since = _integer(request, "since")
        now_ms = self._clock.now_ms()
        if since is not None and since * 1000 > now_ms:
            since = None  # a far future, which milliseconds look like, is ignored
        rows, last = ohlc_rows(self._book, self._tape, market, TIMEFRAMES[interval], now_ms, since, self._most_rows)
        return {bodies.canonical(market): rows, "last": last}

    def _ticker(self, request: Request) -> dict[str, object]:
        wanted = request.query_params.get("pair")
        markets = self._listed() if wanted is None else self._asked(wanted)
        now_ms = self._clock.now_ms()
        entries: dict[str, object] = {}
        for market in markets:
            price = last_price(self._book, market.symbol, now_ms)
            if price is None:
                raise NotServedError(f"no trade of {market.symbol} before the world's now")
            midnight = now_ms - now_ms % DAY_MS
            hours = whole(self._book).closed(market.symbol, "1h", midnight, now_ms - now_ms % HOUR_MS, 24, False)
            today = b.fold(np.concatenate([hours, forming(self._book, market.symbol, "1h", now_ms)]), DAY_MS)
            day = rolling_day(self._book, market.symbol, now_ms)
            entries[bodies.canonical(market)] = bodies.ticker(market, price, today, day)
        return entries

    def _trades(self, request: Request) -> dict[str, object]:
        market = self._one(request)
        count = _integer(request, "count")
        if count is not None and not 1 <= count <= MOST_TRADES:
            raise KrakenError("EGeneral:Invalid arguments:count")
        since, until = _integer(request, "since"), self._clock.now_ms() * NS_PER_MS
        if since is None:
            raise NotServedError("the newest trades, without a cursor")
        after = since if since >= _LEAST_NS else since * 1000 * NS_PER_MS
        tape = self._tape.trades(market.symbol, after - self._repeats_boundary, until)
        page = list(islice(tape, count or MOST_TRADES))
        rows = [bodies.trade_row(trade, self._trade_ids) for trade in page]
        return {bodies.canonical(market): rows, "last": str(page[-1].at_ns if page else after)}

    def _one(self, request: Request) -> ReplayMarket:
        markets = self._asked(request.query_params.get("pair", ""))
        if len(markets) != 1:
            raise KrakenError("EGeneral:Invalid arguments")
        return markets[0]

    def _asked(self, names: str) -> list[ReplayMarket]:
        """The markets of a list of canonical names and altnames; one unknown name refuses all of them."""
        known = {bodies.altname(market): market for market in self._listed()}
        known |= {bodies.canonical(market): market for market in known.values()}
        wanted = names.split(",")
        if not set(wanted) <= set(known):
            raise KrakenError("EQuery:Unknown asset pair")
        return [known[name] for name in dict.fromkeys(wanted)]

    def _listed(self) -> list[ReplayMarket]:
        """Markets that have had a trade, by name."""
        now_ms = self._clock.now_ms()
        traded = [m for m in self._book.markets.values() if self._tape.first_open(m.symbol, "1h", now_ms) is not None]
        return sorted(traded, key=bodies.canonical)


def _integer(request: Request, name: str) -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 19):
        raise KrakenError(f"EGeneral:Invalid arguments:{name}")
    return int(text)
