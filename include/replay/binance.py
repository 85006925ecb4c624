"""Binance's public spot endpoints over a world."""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from include.replay.answers import json_answer, not_served
from include.replay.bars import STEP_MS, decimal_text, kline_rows
from include.replay.binance_bodies import rate_limits, symbol_info, ticker_24hr
from include.replay.binance_parameters import BinanceError, Parameters
from include.replay.clock import ReplayClock
from include.replay.errors import NotServedError
from include.replay.limits import Standing, Verdict, WeightBudget
from include.replay.world import Book, klines, last_price, rolling_day

Handler = Callable[[Request], Response]
_TOO_MUCH = "Too much request weight used; current limit is {limit} request weight per 1 MINUTE. Please use WebSocket \
Streams for live updates to avoid polling the API."


class Binance:
    """Routes below `/binance`; every answer carries the weight used in this minute."""

    def __init__(self, book: Book, clock: ReplayClock, budget: WeightBudget) -> None:
        self._book = book
        self._clock = clock
        self._budget = budget

    def routes(self) -> list[Route]:
        return [
            self._route("ping", self._ping),
            self._route("time", self._time),
            self._route("exchangeInfo", self._exchange_info),
            self._route("klines", self._klines),
            self._route("ticker/24hr", self._ticker_24hr),
            self._route("ticker/price", self._ticker_price),
        ]

    def _route(self, path: str, handler: Handler) -> Route:
        async def endpoint(request: Request) -> Response:
            verdict = self._budget.spend(weight(request.scope))
            response = self._refusal(verdict) or self._answer(handler, request)
            response.headers["x-mbx-used-weight"] = response.headers["x-mbx-used-weight-1m"] = str(verdict.used)
            return response

        return Route(f"/api/v3/{path}", endpoint, methods=["GET"])

    def _answer(self, handler: Handler, request: Request) -> Response:
        try:
            return handler(request)
        except BinanceError as error:
            return json_answer({"code": error.code, "msg": error.message}, error.status)
        except NotServedError as error:
            return not_served(str(error))

    def _refusal(self, verdict: Verdict) -> Response | None:
        headers = {"Retry-After": str(verdict.retry_after)}
        if verdict.standing is Standing.LIMITED:
            return json_answer({"code": -1003, "msg": _TOO_MUCH.format(limit=self._budget.limit)}, 429, headers)
        if verdict.standing is Standing.BANNED:
            message = f"Way too much request weight used; IP banned until {verdict.banned_until_ms}."
            return json_answer({"code": -1003, "msg": message}, 418, headers)
        return None

    def _ping(self, request: Request) -> Response:
        Parameters(request.query_params, ())
        return json_answer({})

    def _time(self, request: Request) -> Response:
        Parameters(request.query_params, ())
        return json_answer({"serverTime": self._clock.now_ms()})

    def _exchange_info(self, request: Request) -> Response:
        allowed = ("symbol", "symbols", "permissions", "showPermissionSets", "symbolStatus")
        names = Parameters(request.query_params, allowed).symbols()
        return json_answer(
            {
                "timezone": "UTC",
                "serverTime": self._clock.now_ms(),
                "rateLimits": rate_limits(self._budget.limit),
                "exchangeFilters": [],
                "symbols": [symbol_info(self._book.markets[name]) for name in self._known(names)],
            }
        )

    def _klines(self, request: Request) -> Response:
        sent = Parameters(request.query_params, ("symbol", "interval", "startTime", "endTime", "timeZone", "limit"))
        symbol, interval, limit = sent.symbol(), sent.interval(), sent.limit()
        start, last = sent.instant("startTime"), sent.instant("endTime")
        self._known([symbol])
        if request.query_params.get("timeZone", "0") != "0":
            raise NotServedError("timeZone other than 0")
        if interval not in STEP_MS:
            raise NotServedError(f"interval {interval}")
        page = klines(self._book, symbol, interval, start, last, limit, self._clock.now_ms())
        return json_answer(kline_rows(page))

    def _ticker_24hr(self, request: Request) -> Response:
        sent = Parameters(request.query_params, ("symbol", "symbols", "type", "symbolStatus"))
        mini = sent.text("type", "^(FULL|MINI)$") == "MINI"
        now_ms = self._clock.now_ms()
        tickers = []
        for name in self._known(sent.symbols()):
            day = rolling_day(self._book, name, now_ms)
            if len(day):
                tickers.append(ticker_24hr(self._book.markets[name], day, mini))
        return _object_or_array(tickers, sent)

    def _ticker_price(self, request: Request) -> Response:
        sent = Parameters(request.query_params, ("symbol", "symbols", "symbolStatus"))
        now_ms = self._clock.now_ms()
        prices = {name: last_price(self._book, name, now_ms) for name in self._known(sent.symbols())}
        return _object_or_array(
            [{"symbol": name, "price": decimal_text(price)} for name, price in prices.items() if price], sent
        )

    def _known(self, names: list[str] | None) -> list[str]:
        """All symbols for None. Raises BinanceError -1121 where one of them does not exist."""
        if names is None:
            return list(self._book.markets)
        if not set(names) <= set(self._book.markets):
            raise BinanceError(-1121, "Invalid symbol.")
        return names


def _object_or_array(items: list[dict[str, object]] | list[dict[str, str]], sent: Parameters) -> Response:
    if not sent.wants_one:
        return json_answer(items)
    if not items:
        raise NotServedError("no trade in the 24 hours before the world's now")
    return json_answer(items[0])


def weight(scope: Scope) -> int:
    """What the request costs of the budget of a minute."""
    query = QueryParams(scope["query_string"])
    match scope["path"].split("/api/v3/")[-1]:
        case "exchangeInfo":
            return 20
        case "klines":
            return 2
        case "ticker/price":
            return 2 if "symbol" in query else 4
        case "ticker/24hr" if "symbol" in query:
            return 2
        case "ticker/24hr":
            count = query["symbols"].count(",") + 1 if "symbols" in query else 101
            return 2 if count <= 20 else 40 if count <= 100 else 80
    return 1
