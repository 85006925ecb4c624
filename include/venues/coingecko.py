"""CoinGecko v3: prices, market caps and volumes of coins across exchanges, in US dollars.

Coins are named by CoinGecko's ids (`bitcoin`): symbols are not unique there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from include.candles.model import RejectedRow
from include.candles.timeframes import EPOCH
from include.candles.validate import raw_text
from include.venues import coingecko_rows
from include.venues.answers import read_json
from include.venues.capabilities import CAPABILITIES
from include.venues.coingecko_plan import PLANS
from include.venues.coingecko_rows import UNREADABLE
from include.venues.errors import (
    AuthenticationError,
    ForbiddenError,
    NoDataError,
    RateLimitedError,
    RequestRejectedError,
    UnavailableError,
    UnknownSymbolError,
    VenueError,
)
from include.venues.gate import NO_GATE, Gate
from include.venues.http import Params, Response, Retry, Transport, fetch, world
from include.venues.model import CoinSnapshot, Observations

T = TypeVar("T")

VENUE = "coingecko"
LIMITS = CAPABILITIES[VENUE]
KEYLESS = "keyless"
ALL_DAYS = "max"
KEY_CODES = frozenset({10002, 10005, 10010, 10011})
BEYOND_REACH_CODE = 10012
DAY = timedelta(days=1)
FIREWALL_CODE = 1020


class CoinGecko:
    """Client of one base URL. `tier` is a plan of PLANS; any but `keyless` needs its `api_key`, sent as a header."""

    def __init__(
        self,
        transport: Transport,
        tier: str = KEYLESS,
        api_key: str | None = None,
        retry: Retry | None = None,
        gate: Gate = NO_GATE,
    ) -> None:
        if tier not in PLANS:
            raise ValueError(f"unknown tier {tier!r}; known: {', '.join(PLANS)}")
        if (tier == KEYLESS) != (not api_key):
            raise ValueError(f"tier {tier!r} and the API key do not fit: {KEYLESS} takes none, any other needs one")
        self._transport = transport
        self.tier = tier
        header = PLANS[tier].key_header
        self._headers = {header: api_key} if header and api_key else {}
        self._retry = retry or Retry()
        self._gate = gate

    def markets(self, ids: Sequence[str], now: datetime) -> Observations[CoinSnapshot]:
        """Newest snapshot of each coin, observed when CoinGecko last updated it (at `now` where it does not say).

        A coin that is missing or without a price is refused; NoDataError where none is left.
        """
        params: Params = {"vs_currency": "usd", "ids": _joined(ids), "per_page": LIMITS.page_size}
        answer, response = self._get("/coins/markets", params, lambda answer: {row["id"]: row for row in answer})
        return _snapshots(ids, answer, lambda coin, row: coingecko_rows.market(coin, row, now), response)

    def simple_price(self, ids: Sequence[str], now: datetime) -> Observations[CoinSnapshot]:
        """As `markets`, cheaper and without supply and rank."""
        params: Params = {
            "ids": _joined(ids),
            "vs_currencies": "usd",
            "include_market_cap": "true",
            "include_24hr_vol": "true",
            "include_last_updated_at": "true",
        }
        answer, response = self._get("/simple/price", params, dict)
        return _snapshots(ids, answer, lambda coin, row: coingecko_rows.simple_price(coin, row, now), response)

    def market_chart(self, coin_id: str, days: int, interval: str | None = None) -> Observations[CoinSnapshot]:
        """Settled samples of the last `days` days, ascending, at the instants CoinGecko sampled (rarely on the hour).

        interval: None lets CoinGecko choose (1 day: 5 minutes; to 90: hourly; above: midnights), `daily` forces
        midnights; the sample at D 00:00 is the price at which day D begins. The point for "now", which ends every
        chart and changes every minute, is left out. Raises NoDataError where nothing else is there.
        """
        return self._chart(coin_id, days, interval)

    def daily_history(self, coin_id: str, days: int | None = None) -> Observations[CoinSnapshot]:
        """The price at each midnight (UTC) of the last `days` days, or as far back as the plan reaches; ascending.

        A sample at D 00:00 is the price at which day D begins; its volume is that of the 24 hours before. Samples at
        other times are refused. Raises NoDataError where nothing is there, UnknownSymbolError for an unknown coin.
        """
        reach = PLANS[self.tier].history_reach
        seen = self._chart(coin_id, days or (reach.days if reach else ALL_DAYS), "daily")
        midnights = [sample for sample in seen if not (sample.observed_at - EPOCH) % DAY]
        odd = [
            RejectedRow(f"daily sample is not of midnight: {sample.observed_at.isoformat()}", str(sample.price_usd))
            for sample in seen
            if (sample.observed_at - EPOCH) % DAY
        ]
        if not midnights:
            raise NoDataError(VENUE, f"no sample of a midnight in {seen.request}")
        return Observations(midnights, seen.world, seen.request, seen.rejected + odd)

    def _chart(self, coin_id: str, days: int | str, interval: str | None) -> Observations[CoinSnapshot]:
        reach = PLANS[self.tier].history_reach
        if reach is not None and (days == ALL_DAYS or timedelta(days=int(days)) > reach):
            raise RequestRejectedError(VENUE, f"tier {self.tier} reaches back {reach.days} days", BEYOND_REACH_CODE)
        params: dict[str, str | int] = {"vs_currency": "usd", "days": days}
        if interval:
            params["interval"] = interval
        (samples, rejected), response = self._get(
            f"/coins/{coin_id}/market_chart", params, lambda answer: coingecko_rows.chart(coin_id, answer)
        )
        if not samples:
            raise NoDataError(VENUE, f"no settled sample in {response.url}")
        return Observations(samples, world(response), response.url, rejected)

    def _get(self, path: str, params: Params, interpret: Callable[[Any], T]) -> tuple[T, Response]:
        """What `interpret` makes of the answer; an answer it cannot make anything of counts as an outage."""

        def read(response: Response) -> tuple[T, Response]:
            answer = read_json(VENUE, response, _refusal)
            code, _ = _code_and_message(answer)
            if code is not None:
                raise _refusal(response, answer)
            try:
                return interpret(answer), response
            except UNREADABLE as error:
                raise UnavailableError(VENUE, f"answer of {response.url} cannot be read: {error!r}") from error

        return fetch(
            VENUE, self._transport, path, params, read, headers=self._headers, retry=self._retry, gate=self._gate
        )


def _joined(ids: Sequence[str]) -> str:
    if not 0 < len(ids) <= LIMITS.page_size:
        raise ValueError(f"between 1 and {LIMITS.page_size} coins fit into one request, not {len(ids)}")
    # No space after the comma: CoinGecko silently drops an id that begins with one.
    return ",".join(ids)


def _snapshots(
    ids: Sequence[str], answer: dict[str, Any], snapshot: Callable[[str, Any], CoinSnapshot], response: Response
) -> Observations[CoinSnapshot]:
    """A snapshot for each coin asked for: CoinGecko leaves out what it does not know and still answers 200."""
    snapshots: list[CoinSnapshot] = []
    rejected: list[RejectedRow] = []
    for coin in dict.fromkeys(ids):
        try:
            snapshots.append(snapshot(coin, answer[coin]))
        except UNREADABLE as error:
            reason = f"snapshot of {coin} cannot be read: {error!r}" if coin in answer else f"{coin} was not answered"
            rejected.append(RejectedRow(reason, raw_text(answer.get(coin))))
    if not snapshots:
        raise NoDataError(VENUE, f"no usable coin in {response.url}: {'; '.join(row.reason for row in rejected)}")
    return Observations(snapshots, world(response), response.url, rejected)


def _code_and_message(body: Any) -> tuple[int | None, str]:
    """CoinGecko's error code and text, whichever of its three shapes the body has."""
    inner = body
    if isinstance(inner, dict) and isinstance(inner.get("error"), dict):
        inner = inner["error"]
    status = inner.get("status") if isinstance(inner, dict) else None
    if isinstance(status, dict) and isinstance(status.get("error_code"), int):
        return status["error_code"], str(status.get("error_message"))
    return None, str(body)


def _refusal(response: Response, body: Any) -> VenueError:
    code, text = _code_and_message(body)
    message = f"{text} (code {code}, HTTP {response.status}, {response.url})"
    if code == 429:
        return RateLimitedError(VENUE, message)
    if code == FIREWALL_CODE:
        return ForbiddenError(VENUE, message)
    # A 401 is not always a bad key: asking beyond the plan's history gives one as well.
    if code == BEYOND_REACH_CODE:
        return RequestRejectedError(VENUE, message, code)
    if code in KEY_CODES or response.status in (401, 403):
        return AuthenticationError(VENUE, message)
    if response.status == 404:
        return UnknownSymbolError(VENUE, message, code)
    return RequestRejectedError(VENUE, message, code)
