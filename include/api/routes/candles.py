"""`/candles`: closed candles of one market."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from include.api.answers import respond
from include.api.questions import Symbol, Timeframe, Venue, Windowed
from include.api.schemas import Exact, Row, described
from include.serving.candles import CandleQuestion, candles

router = APIRouter()


class Candle(Row):
    """One closed candle, named by its open time."""

    venue: str
    symbol: str
    timeframe: str
    opened_at: datetime
    open: Exact
    high: Exact
    low: Exact
    close: Exact
    volume: Exact = Field(description="In base units.")
    quote_volume: Exact | None
    trade_count: int | None
    vwap: Exact | None
    taker_buy_base_volume: Exact | None
    taker_buy_quote_volume: Exact | None
    source: str = Field(description="Which of the venue's services it came from.")
    recorded_at: datetime = Field(description="When the present values became known.")


class CandleQuery(Windowed):
    venue: Venue
    symbol: Symbol
    timeframe: Timeframe = "1h"


@router.get("/candles", responses=described(Candle), response_class=Response, tags=["market"])
def get_candles(request: Request, asked: Annotated[CandleQuery, Query()]) -> Response:
    """Closed candles by open time, with every digit the venue gave.

    Without `from`, the newest 500. An answer abstains where a candle of its window is neither held nor explained or has
    left for the archive, or the newest one is overdue.
    """
    with request.app.state.warehouse.look() as look:
        answer = candles(look, CandleQuestion(asked.venue, asked.symbol, asked.timeframe, asked.start, asked.end))
        return respond(request, look, answer, limit=asked.limit, cursor=asked.cursor, untrusted=asked.untrusted)
