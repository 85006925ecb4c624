"""`/tickers` and `/tickers/latest`: spot snapshots."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from include.api.answers import respond
from include.api.questions import Question, Symbol, Venue, Windowed
from include.api.schemas import Exact, Row, described
from include.serving.tickers import TickerQuestion, latest_tickers, tickers

router = APIRouter()


class Ticker(Row):
    """What a market's ticker said at one time; a figure that the venue does not publish is null."""

    venue: str
    symbol: str
    observed_at: datetime = Field(description="The venue's time of the answer.")
    last: Exact
    bid: Exact | None
    ask: Exact | None
    open_24h: Exact | None
    high_24h: Exact | None
    low_24h: Exact | None
    base_volume_24h: Exact | None
    quote_volume_24h: Exact | None
    change_percent_24h: Exact | None
    trade_count_24h: int | None
    source: str


class LatestTicker(Ticker):
    """The newest snapshot of a market."""

    age_seconds: float = Field(description="Time since it was observed.")


class TickerQuery(Windowed):
    venue: Venue
    symbol: Symbol


class LatestQuery(Question):
    venue: Venue | None = None
    symbol: Symbol | None = None


@router.get("/tickers", responses=described(Ticker), response_class=Response, tags=["market"])
def get_tickers(request: Request, asked: Annotated[TickerQuery, Query()]) -> Response:
    """Snapshots of one market by the venue's time; without `from`, those of the last day.

    A venue keeps no history of them. Complete is the share of the window in which there was one not older than its
    deadline of 30 minutes; an answer abstains where that is not all of it.
    """
    with request.app.state.warehouse.look() as look:
        answer = tickers(look, TickerQuestion(asked.venue, asked.symbol, asked.start, asked.end))
        return respond(request, look, answer, limit=asked.limit, cursor=asked.cursor, untrusted=asked.untrusted)


@router.get("/tickers/latest", responses=described(LatestTicker), response_class=Response, tags=["market"])
def get_latest_tickers(request: Request, asked: Annotated[LatestQuery, Query()]) -> Response:
    """The newest snapshot of each market that trades, with its age; of one venue or symbol, if named.

    The answer abstains where one of them is older than 30 minutes, or missing.
    """
    with request.app.state.warehouse.look() as look:
        answer = latest_tickers(look, asked.venue, asked.symbol)
        return respond(request, look, answer, untrusted=asked.untrusted)
