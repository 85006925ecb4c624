"""Coinbase Exchange's public endpoints over one of a world's books."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.replay import coinbase_bodies as bodies
from include.replay.answers import json_answer, not_served
from include.replay.bars import STEP_MS
from include.replay.clock import ReplayClock
from include.replay.coinbase_market import CoinbaseError, CoinbaseMarkets
from include.replay.errors import NotServedError
from include.replay.request_bucket import RequestBucket
from include.replay.world import Book, ReplayMarket

Handler = Callable[[Request], Response]
TIMEFRAMES = {"60": "1m", "300": "5m", "900": "15m", "3600": "1h", "21600": "6h", "86400": "1d"}
MOST_BUCKETS = 300
# Of ends before this the venue says that they are too old; of later ones, before a listing, that there is nothing.
TOO_OLD_MS = int(datetime(2013, 1, 1, tzinfo=UTC).timestamp() * 1000)
_TOO_MANY_BUCKETS = "granularity too small for the requested time range. Count of aggregations requested exceeds 300"
# Up to this many candles from before the start come too, by the start's place among the buckets.
_EARLY_CYCLE = 3


class Coinbase:
    """Routes below `/coinbase`. `bucket`: the limit of requests, by default the venue's own."""

    def __init__(self, book: Book, clock: ReplayClock, bucket: RequestBucket | None = None) -> None:
        self._markets = CoinbaseMarkets(book, clock)
        self._bucket = bucket or RequestBucket()

    def routes(self) -> list[Route]:
        return [
            self._route("/time", self._time),
            self._route("/products", self._products),
            self._route("/products/{id}", lambda request: json_answer(bodies.exchange_product(self._market(request)))),
            self._route("/products/{id}/candles", self._candles),
            self._route("/products/{id}/ticker", self._ticker),
            self._route("/products/{id}/stats", self._stats),
        ]

    def _route(self, path: str, handler: Handler) -> Route:
        async def endpoint(request: Request) -> Response:
            if not self._bucket.take():
                return Response("Too many requests", 429, media_type="text/plain")
            try:
                return handler(request)
            except CoinbaseError as error:
                return json_answer(error.body, error.status)
            except NotServedError as error:
                return not_served(str(error))

        return Route(path, endpoint, methods=["GET"])

    def _time(self, request: Request) -> Response:
        now_ms = self._markets.now_ms()
        return json_answer({"iso": bodies.iso_micros(now_ms), "epoch": now_ms / 1000})

    def _products(self, request: Request) -> Response:
        return json_answer([bodies.ALWAYS_LISTED, *map(bodies.exchange_product, self._markets.all())])

    def _candles(self, request: Request) -> Response:
        market = self._market(request)
        query = request.query_params
        granularity = query.get("granularity")
        if granularity is None:
            raise NotServedError("candles without a granularity")
        if granularity not in TIMEFRAMES:
            raise _refused("Unsupported granularity")
        timeframe = TIMEFRAMES[granularity]
        step_ms = STEP_MS[timeframe]
        if "start" in query and "end" in query:
            start_ms, last_ms = _instant("start", query["start"]), _instant("end", query["end"])
            if start_ms >= last_ms:
                raise _refused("start must be before end")
            if last_ms < TOO_OLD_MS:
                raise _refused("End is too old")
            if (last_ms - start_ms) // step_ms + 1 > MOST_BUCKETS:
                raise _refused(_TOO_MANY_BUCKETS)
            early_ms = start_ms - start_ms // step_ms % _EARLY_CYCLE * step_ms
            page = self._markets.page(market, timeframe, early_ms, last_ms, MOST_BUCKETS + _EARLY_CYCLE)
        else:
            page = self._markets.page(market, timeframe, None, None, MOST_BUCKETS)  # one alone is ignored as well
        return Response(bodies.exchange_candles(page, step_ms), media_type="application/json; charset=utf-8")

    def _ticker(self, request: Request) -> Response:
        market = self._market(request)
        price, traded_ms = self._markets.last_trade(market)
        return json_answer(bodies.exchange_ticker(market, price, traded_ms, self._markets.day(market)))

    def _stats(self, request: Request) -> Response:
        market = self._market(request)
        price, _ = self._markets.last_trade(market)
        return json_answer(bodies.exchange_stats(price, self._markets.day(market), self._markets.month_volume(market)))

    def _market(self, request: Request) -> ReplayMarket:
        market = self._markets.find(request.path_params["id"])
        if market is None:
            raise CoinbaseError(404, {"message": "NotFound"})
        return market


def _refused(message: str) -> CoinbaseError:
    return CoinbaseError(400, {"message": message})


def _instant(name: str, text: str) -> int:
    """Epoch milliseconds of an ISO time, a date, or epoch seconds."""
    try:
        if text.isdecimal():
            return int(text) * 1000
        at = datetime.fromisoformat(text)
        return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise _refused(f"Invalid {name}") from error
