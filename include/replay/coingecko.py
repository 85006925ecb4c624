"""CoinGecko's v3 endpoints over a world: the free host's (keyless and demo) and the paid one's (pro)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.replay import coingecko_charts as charts
from include.replay.answers import json_answer, not_served
from include.replay.clock import ReplayClock
from include.replay.coingecko_bodies import market_entry, price
from include.replay.coins import Coin, coins_of
from include.replay.errors import NotServedError
from include.replay.limits import Standing, WeightBudget
from include.replay.world import DAY_MS, World

# Answers are cached for a minute: all questions within it see the same sample.
_CACHED_MS = 60_000
_SAMPLED_AT_MS = 25_330
_LARGEST_PAGE = 250
_LARGEST_HISTORY_DAYS = 365


class CoinGeckoError(Exception):
    """An answer of CoinGecko that is an error, in one of its shapes."""

    def __init__(self, status: int, body: dict[str, object]) -> None:
        super().__init__(str(body))
        self.status = status
        self.body = body


class CoinGecko:
    """Routes below `/coingecko/api/v3`, or with `is_pro` below `/coingecko_pro/api/v3`. Currencies other than usd are
    unsupported here, which the API shows by a missing key."""

    def __init__(self, world: World, clock: ReplayClock, budget: WeightBudget, *, is_pro: bool = False) -> None:
        self._is_pro = is_pro
        self._clock = clock
        self._coins = coins_of(world)
        self._budget = budget

    def routes(self) -> list[Route]:
        return [
            self._route("/ping", lambda _: json_answer({"gecko_says": "(V3) To the Moon!"})),
            self._route("/simple/price", self._simple_price),
            self._route("/coins/markets", self._markets),
            self._route("/coins/{id}/market_chart", self._market_chart),
            self._route("/coins/{id}/ohlc", self._ohlc),
        ]

    def _route(self, path: str, handler: Callable[[Request], Response]) -> Route:
        async def endpoint(request: Request) -> Response:
            verdict = self._budget.spend(1)
            if verdict.standing is not Standing.WELCOME:
                text = "You've exceeded the Rate Limit. Please visit https://www.coingecko.com/en/api/pricing"
                body = {"status": {"error_code": 429, "error_message": text}}
                return json_answer(body, 429, {"Retry-After": str(verdict.retry_after)})
            try:
                self._check_key(request)
                return handler(request)
            except CoinGeckoError as error:
                return json_answer(error.body, error.status)
            except NotServedError as error:
                return not_served(str(error))

        return Route(f"/api/v3{path}", endpoint, methods=["GET"])

    def _check_key(self, request: Request) -> None:
        """Both kinds of key look alike; only the header, or parameter, tells which one is meant."""
        demo, pro = (_key(request, kind) for kind in ("demo", "pro"))
        if pro is not None and not self._is_pro:
            text = "If you are using Pro API key, please change your root URL to pro-api.coingecko.com"
            raise CoinGeckoError(400, self._status(10010, text))
        if demo is not None and self._is_pro:
            text = "If you are using Demo API key, please change your root URL to api.coingecko.com"
            raise CoinGeckoError(400, self._status(10011, text))
        key = pro if self._is_pro else demo
        if (key is None and self._is_pro) or (key is not None and not key.startswith("CG-")):
            raise CoinGeckoError(401, self._status(10002, "API Key Missing"))

    def _simple_price(self, request: Request) -> Response:
        query = request.query_params
        currencies = _mandatory(request, "vs_currencies").split(",")
        found: dict[str, dict[str, object]] = {}
        # An id behind a space after the comma is not recognised, as with the real service.
        for coin_id in query.get("ids", "").split(","):
            coin = self._coins.get(coin_id)
            sample = coin.at(self._sampled_ms()) if coin else None
            if not coin or not sample:
                continue
            entry: dict[str, object] = {}
            if "usd" in currencies:
                entry["usd"] = price(sample.price)
                if query.get("include_market_cap") == "true":
                    entry["usd_market_cap"] = sample.market_cap
                if query.get("include_24hr_vol") == "true":
                    entry["usd_24h_vol"] = sample.volume_24h
                if query.get("include_24hr_change") == "true":
                    entry["usd_24h_change"] = market_entry(coin, sample)["price_change_percentage_24h"]
                if query.get("include_last_updated_at") == "true":
                    entry["last_updated_at"] = sample.at_ms // 1000
            found[coin_id] = entry
        return json_answer(found)

    def _markets(self, request: Request) -> Response:
        if _mandatory(request, "vs_currency") != "usd":
            raise CoinGeckoError(422, {"error": "invalid vs_currency"})
        query = request.query_params
        wanted = query["ids"].split(",") if query.get("ids") else list(self._coins)
        size = min(_whole(query.get("per_page"), 100), _LARGEST_PAGE)
        first = (_whole(query.get("page"), 1) - 1) * size
        pairs = [(coin, coin.at(self._sampled_ms())) for id, coin in self._coins.items() if id in wanted]
        entries = [market_entry(coin, sample) for coin, sample in pairs if sample]
        entries.sort(key=lambda entry: -float(str(entry["market_cap"])))
        ranked = [{**entry, "market_cap_rank": rank} for rank, entry in enumerate(entries, 1)]
        return json_answer(ranked[first : first + size])

    def _market_chart(self, request: Request) -> Response:
        coin, days = self._coin_and_days(request)
        if days != "max" and not days.isdigit():
            raise CoinGeckoError(422, {"error": "invalid days"})
        if not self._is_pro and (days == "max" or int(days) > _LARGEST_HISTORY_DAYS):
            text = "Your request exceeds the allowed time range. Public API users are limited to querying historical \
data within the past 365 days."
            raise CoinGeckoError(401, {"error": self._status(10012, text)})
        daily = request.query_params.get("interval") == "daily"
        now_ms = self._clock.now_ms()
        count = (now_ms - coin.first_ms()) // DAY_MS + 1 if days == "max" else int(days)
        return json_answer(charts.market_chart(coin, count, daily, now_ms))

    def _ohlc(self, request: Request) -> Response:
        coin, days = self._coin_and_days(request)
        if days not in charts.OHLC_DAYS:
            raise CoinGeckoError(422, {"error": "invalid days"})
        return json_answer(charts.ohlc(coin, int(days), self._clock.now_ms()))

    def _coin_and_days(self, request: Request) -> tuple[Coin, str]:
        currency = _mandatory(request, "vs_currency")
        days = _mandatory(request, "days")
        coin = self._coins.get(request.path_params["id"])
        if coin is None:
            raise CoinGeckoError(404, {"error": "coin not found"})
        if currency != "usd":
            raise CoinGeckoError(422, {"error": "invalid vs_currency"})
        return coin, days

    def _sampled_ms(self) -> int:
        now_ms = self._clock.now_ms()
        return (now_ms - _SAMPLED_AT_MS) // _CACHED_MS * _CACHED_MS + _SAMPLED_AT_MS

    def _status(self, code: int, message: str) -> dict[str, object]:
        stamp = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC).isoformat(timespec="milliseconds")
        return {"status": {"timestamp": stamp, "error_code": code, "error_message": message}}


def _key(request: Request, kind: str) -> str | None:
    return request.headers.get(f"x-cg-{kind}-api-key", request.query_params.get(f"x_cg_{kind}_api_key"))


def _mandatory(request: Request, name: str) -> str:
    value = request.query_params.get(name)
    if not value:
        raise CoinGeckoError(422, {"error": f"Missing parameter {name}"})
    return value


def _whole(text: str | None, default: int) -> int:
    return int(text) if text and text.isdigit() and int(text) else default
