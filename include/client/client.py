"""One method per question of the data API; each gives a DataFrame, or raises Abstained with the reasons."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, TypedDict, Unpack
from urllib.parse import parse_qs, urlsplit

import pandas as pd

from include.client.errors import Abstained
from include.client.frames import ARROW, frame
from include.client.session import Session

ROWS = 10_000  # in a page, the most that the API gives
Time = datetime | date | str
_REASON = re.compile(r"(?:^| \| )([a-z_]+): ")


class Form(TypedDict, total=False):
    """How an answer is wanted."""

    untrusted: bool
    exact: bool


class Client:
    """Asks one Airflow as one user.

    url: Airflow's address, e.g. `http://127.0.0.1:8080`. Either username and password, or a token of Airflow's.
    Neither password nor token stands in a message, a log or the client's text.

    Every question takes `untrusted=True`, to have the rows of an answer that abstains, and `exact=True`, to have
    decimals as decimal.Decimal instead of the nearest float64. Times are UTC in both directions; one without a zone is
    meant to be UTC. Windows are half-open, [start, end); without `end` up to now. What the answer says of itself lies
    in the frame's `attrs["trust"]`. Raises Abstained, or ApiError for no answer.
    """

    def __init__(
        self, url: str, username: str | None = None, password: str | None = None, *, token: str | None = None
    ) -> None:
        self._session = Session(url, username, password, token)

    def __repr__(self) -> str:
        return f"Client({self._session.url!r})"

    def instruments(self, **answer: Unpack[Form]) -> pd.DataFrame:
        """The markets there are."""
        return self.ask("instruments", paged=True, **answer)

    def candles(
        self,
        venue: str,
        symbol: str,
        timeframe: str = "1h",
        start: Time | None = None,
        end: Time | None = None,
        **answer: Unpack[Form],
    ) -> pd.DataFrame:
        """Closed candles by open time; without `start` the newest 500."""
        market = {"venue": venue, "symbol": symbol, "timeframe": timeframe}
        return self.ask("candles", {**market, **_window(start, end)}, paged=True, **answer)

    def tickers(
        self, venue: str, symbol: str, start: Time | None = None, end: Time | None = None, **answer: Unpack[Form]
    ) -> pd.DataFrame:
        """Tickers of one market by the time they were observed at."""
        return self.ask("tickers", {"venue": venue, "symbol": symbol, **_window(start, end)}, paged=True, **answer)

    def latest_tickers(
        self, venue: str | None = None, symbol: str | None = None, **answer: Unpack[Form]
    ) -> pd.DataFrame:
        """The newest ticker of every market that trades, or of those that are named."""
        return self.ask("tickers/latest", {"venue": venue, "symbol": symbol}, **answer)

    def sentiment(self, start: Time | None = None, end: Time | None = None, **answer: Unpack[Form]) -> pd.DataFrame:
        """The Fear & Greed index by day; alternative.me asks to be named wherever it is shown."""
        return self.ask("sentiment", _window(start, end), paged=True, **answer)

    def features(
        self,
        crypto: str,
        start: Time | None = None,
        end: Time | None = None,
        columns: Sequence[str] | None = None,
        **answer: Unpack[Form],
    ) -> pd.DataFrame:
        """Price, indicators and features of a coin by the close of the hour; all columns, or those named."""
        named = ",".join(columns) if columns else None
        return self.ask("features", {"crypto": crypto, "columns": named, **_window(start, end)}, paged=True, **answer)

    def rankings(self, start: Time | None = None, end: Time | None = None, **answer: Unpack[Form]) -> pd.DataFrame:
        """The coins' daily ranking."""
        return self.ask("rankings", _window(start, end), paged=True, **answer)

    def alerts(
        self, crypto: str | None = None, start: Time | None = None, end: Time | None = None, **answer: Unpack[Form]
    ) -> pd.DataFrame:
        """Price alerts, of one coin or of all."""
        return self.ask("alerts", {"crypto": crypto, **_window(start, end)}, paged=True, **answer)

    def coverage(
        self, venue: str | None = None, symbol: str | None = None, timeframe: str | None = None, **answer: Unpack[Form]
    ) -> pd.DataFrame:
        """The equation of completeness, a row per series of candles."""
        return self.ask("coverage", {"venue": venue, "symbol": symbol, "timeframe": timeframe}, paged=True, **answer)

    def forecasts(
        self,
        venue: str | None = None,
        symbol: str | None = None,
        horizon: str | None = None,
        start: Time | None = None,
        end: Time | None = None,
        **answer: Unpack[Form],
    ) -> pd.DataFrame:
        """Sealed forecasts by the time they are of, and what came of them. horizon: as ISO 8601, `PT24H`."""
        named = {"venue": venue, "symbol": symbol, "horizon": horizon}
        return self.ask("forecasts", {**named, **_window(start, end)}, paged=True, **answer)

    def latest_forecasts(
        self,
        venue: str | None = None,
        symbol: str | None = None,
        horizon: str | None = None,
        **answer: Unpack[Form],
    ) -> pd.DataFrame:
        """The newest forecast of every series; where `state` is not `served`, `reason` instead of numbers."""
        return self.ask("forecasts/latest", {"venue": venue, "symbol": symbol, "horizon": horizon}, **answer)

    def scoreboard(self, window: str | None = None, **answer: Unpack[Form]) -> pd.DataFrame:
        """Skill of sealed forecasts against each baseline; window: `7 days`, `30 days`, `90 days` or `all`."""
        return self.ask("scoreboard", {"window": window}, **answer)

    def models(self, **answer: Unpack[Form]) -> pd.DataFrame:
        """The newest trainings and those that serve, with their age."""
        return self.ask("models", **answer)

    def ask(
        self,
        path: str,
        params: Mapping[str, object] | None = None,
        *,
        paged: bool = False,
        untrusted: bool = False,
        exact: bool = False,
    ) -> pd.DataFrame:
        """Any question, by path and parameters of the API; all pages where it has any. None leaves a parameter out."""
        asked = {name: str(value) for name, value in (params or {}).items() if value is not None}
        asked |= {"untrusted": str(untrusted).lower()} | ({"limit": str(ROWS)} if paged else {})
        pages: list[bytes] = []
        trusts: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            answer = self._session.get(path, asked | cursor, ARROW)
            pages.append(answer.content)
            trusts.append(trust_of(answer.headers))
            if trusts[-1]["verdict"] == "abstained" and not untrusted:
                raise Abstained(trusts[-1])
            following = answer.links.get("next")
            if following is None:
                break
            # Only the cursor is taken from the link: where to ask stays what the caller said.
            cursor = {"cursor": parse_qs(urlsplit(following["url"]).query)["cursor"][0]}
        found = frame(pages, exact=exact)
        # Each page is an answer of its own: the first that abstains speaks for all.
        found.attrs["trust"] = next((each for each in trusts if each["verdict"] == "abstained"), trusts[0])
        return found


def trust_of(headers: Mapping[str, str]) -> dict[str, Any]:
    """What an answer says of itself, as plain values, which pandas can store with the frame."""
    percent = headers.get("Market-Completeness-Percent")
    said = _REASON.split(headers.get("Market-Reasons", ""))[1:]
    return {
        "as_of": headers["Market-As-Of"],
        "world": headers.get("Market-World"),
        "verdict": headers["Market-Verdict"],
        "reasons": [{"code": code, "text": text} for code, text in zip(said[::2], said[1::2], strict=True)],
        "complete_until": headers.get("Market-Complete-Until"),
        "completeness_percent": float(percent) if percent else None,
    }


def _window(start: Time | None, end: Time | None) -> dict[str, str]:
    return {name: _in_utc(at) for name, at in (("from", start), ("to", end)) if at is not None}


def _in_utc(at: Time) -> str:
    """ISO 8601. Raises ValueError for a text that is no time."""
    if isinstance(at, str):
        at = datetime.fromisoformat(at)
    elif not isinstance(at, datetime):
        at = datetime.combine(at, time())
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).isoformat()
