"""Coinbase Advanced Trade's public endpoints over one of a world's books."""

from __future__ import annotations

from collections.abc import Callable

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

PREFIX = "/api/v3/brokerage"
TIMEFRAMES = {
    "ONE_MINUTE": "1m",
    "FIVE_MINUTE": "5m",
    "FIFTEEN_MINUTE": "15m",
    "THIRTY_MINUTE": "30m",
    "ONE_HOUR": "1h",
    "TWO_HOUR": "2h",
    "FOUR_HOUR": "4h",
    "SIX_HOUR": "6h",
    "ONE_DAY": "1d",
}
# The documentation says 350; clients have met 300.
FEWER_BUCKETS_THAN = 300
_TOO_MANY_BUCKETS = "start and end argument is invalid - number of candles requested should be less than 300"


class CoinbaseAdvanced:
    """Routes below `/coinbase_advanced`. `bucket`: the limit of requests, by default the venue's own."""

    def __init__(self, book: Book, clock: ReplayClock, bucket: RequestBucket | None = None) -> None:
        self._markets = CoinbaseMarkets(book, clock)
        self._bucket = bucket or RequestBucket()

    def routes(self) -> list[Route]:
        return [
            self._route("/time", self._time),
            self._route("/market/products", self._products),
            self._route("/market/products/{id}", lambda request: json_answer(self._product(self._market(request)))),
            self._route("/market/products/{id}/candles", self._candles),
            self._route("/market/products/{id}/ticker", self._ticker),
            self._route("/products", _unauthorized),
            self._route("/products/{rest:path}", _unauthorized),
        ]

    def _route(self, path: str, handler: Callable[[Request], Response]) -> Route:
        async def endpoint(request: Request) -> Response:
            if not self._bucket.take():
                return Response("Too many requests", 429, media_type="text/plain")
            try:
                return handler(request)
            except CoinbaseError as error:
                return json_answer(error.body, error.status)
            except NotServedError as error:
                return not_served(str(error))

        return Route(f"{PREFIX}{path}", endpoint, methods=["GET"])

    def _time(self, request: Request) -> Response:
        now_ms = self._markets.now_ms()
        fields = {"iso": bodies.iso_micros(now_ms), "epochSeconds": str(now_ms // 1000), "epochMillis": str(now_ms)}
        return json_answer(fields)

    def _products(self, request: Request) -> Response:
        products = [self._product(market) for market in self._markets.all()]
        return json_answer({"products": products, "num_products": len(products)})

    def _product(self, market: ReplayMarket) -> dict[str, object]:
        return bodies.advanced_product(market, self._markets.last_trade(market)[0], self._markets.day(market))

    def _candles(self, request: Request) -> Response:
        market = self._market(request)
        start, end, granularity = (_required(request, name) for name in ("start", "end", "granularity"))
        limit = request.query_params.get("limit", "350")
        if granularity not in TIMEFRAMES:
            raise _refused(f"parsing field granularity: {granularity} is not valid")
        if not (start.isdecimal() and end.isdecimal() and int(start) <= int(end)):
            raise _refused("start and end argument is invalid")
        if not limit.isdecimal() or not 1 <= int(limit) <= 350:
            raise _refused("limit argument is invalid")
        timeframe = TIMEFRAMES[granularity]
        step_ms = STEP_MS[timeframe]
        start_ms, last_ms = int(start) * 1000, int(end) * 1000
        if (last_ms - start_ms) // step_ms + 1 >= FEWER_BUCKETS_THAN:
            raise _refused(_TOO_MANY_BUCKETS)
        page = self._markets.page(market, timeframe, start_ms, last_ms, FEWER_BUCKETS_THAN)
        return json_answer(bodies.advanced_candles(page[-int(limit) :], step_ms))

    def _ticker(self, request: Request) -> Response:
        market = self._market(request)
        _required(request, "limit")
        return json_answer(bodies.advanced_ticker(market, *self._markets.last_trade(market)))

    def _market(self, request: Request) -> ReplayMarket:
        name = request.path_params["id"]
        market = self._markets.find(name)
        if market is None:
            text = f"product {name} not found"
            raise CoinbaseError(404, {"error": "NOT_FOUND", "error_details": text, "message": text})
        return market


def _unauthorized(request: Request) -> Response:
    """Without `/market` every path needs a key, whatever it asks for."""
    return Response("Unauthorized\n", 401, media_type="text/plain; charset=utf-8")


def _required(request: Request, name: str) -> str:
    value = request.query_params.get(name)
    if not value:
        raise _refused(f"{name} argument is required")
    return value


def _refused(text: str) -> CoinbaseError:
    return CoinbaseError(400, {"error": "INVALID_ARGUMENT", "error_details": text, "message": text})
