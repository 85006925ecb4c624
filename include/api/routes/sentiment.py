"""`/sentiment`: the Fear & Greed index."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from include.api.answers import respond
from include.api.questions import Windowed
from include.api.schemas import Row, described
from include.serving.sentiment import sentiment

router = APIRouter()


class Sentiment(Row):
    """The index of one day."""

    timestamp: datetime = Field(description="The day's start.")
    value: int = Field(ge=0, le=100, description="0 is extreme fear, 100 extreme greed.")
    classification: str
    published_at: datetime = Field(description="From when on it could be known.")
    source: str


@router.get("/sentiment", responses=described(Sentiment), response_class=Response, tags=["market"])
def get_sentiment(request: Request, asked: Annotated[Windowed, Query()]) -> Response:
    """The Fear & Greed index by day; without `from`, of the last 365 days.

    The publisher left out a few days for ever: they lower completeness and do not make an answer abstain; a newest
    value older than 50 hours does.
    """
    with request.app.state.warehouse.look() as look:
        answer = sentiment(look, asked.start, asked.end)
        return respond(request, look, answer, limit=asked.limit, cursor=asked.cursor, untrusted=asked.untrusted)
