"""`/candles/chart`: candles of one market drawn together, so that years of them fit on a screen."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, create_model

from include.api.answers import respond
from include.api.columns import FIELDS, Columns, split
from include.api.questions import Question, Symbol, Timeframe, Times, Venue
from include.api.schemas import Exact, Row, described
from include.serving.candles import CandleQuestion, chart

router = APIRouter()
USUAL_POINTS = 800
MOST_POINTS = 2000


class Drawn(Row):
    """Candles that open within `bar_seconds` from `opened_at` on, as one; an indicator is null where it is unknown."""

    opened_at: datetime = Field(description="A multiple of the bar's length since the Unix epoch.")
    open: Exact = Field(description="Of the first candle.")
    high: Exact
    low: Exact
    close: Exact = Field(description="Of the last candle.")
    volume: Exact = Field(description="In base units.")
    candles: int = Field(description="How many were held.")
    bar_seconds: int = Field(description="Length of every bar of the answer.")


Bar = create_model("Bar", __base__=Drawn, __doc__=Drawn.__doc__, **FIELDS)


class ChartQuery(Times, Question):
    venue: Venue
    symbol: Symbol
    timeframe: Timeframe = "1h"
    points: Annotated[int, Field(ge=1, le=MOST_POINTS, description="Bars in the answer, at most.")] = USUAL_POINTS
    indicators: Columns = ""


@router.get("/candles/chart", responses=described(Bar), response_class=Response, tags=["market"])
def get_chart(request: Request, asked: Annotated[ChartQuery, Query()]) -> Response:
    """Candles of one market drawn together into at most `points` bars; without `from`, of the newest 500 candles.

    Trust is that of the candles themselves, all of them.
    """
    with request.app.state.warehouse.look() as look:
        question = CandleQuestion(asked.venue, asked.symbol, asked.timeframe, asked.start, asked.end)
        answer = chart(look, question, asked.points, split(asked.indicators))
        return respond(request, look, answer, untrusted=asked.untrusted)
