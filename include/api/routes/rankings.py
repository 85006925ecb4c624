"""`/rankings`: coins by their performance on each day."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from include.api.answers import respond
from include.api.questions import Windowed
from include.api.schemas import Exact, Row, described
from include.serving.rankings import rankings

router = APIRouter()


class Ranking(Row):
    """One coin on one UTC day."""

    day: date
    crypto: str
    rank: int | None = Field(description="1 is best, ties share a rank; null with a reason.")
    change_percent: Exact | None = Field(description="Over the day's 24 hours.")
    close: Exact | None
    close_before: Exact | None = Field(description="At the end of the day before.")
    universe_size: int = Field(description="Coins that were listed that day.")
    reason: Literal["no_close", "no_close_before", "flagged_close", "flagged_close_before"] | None = Field(
        description="Why the coin has no rank; a day that still runs has no close yet."
    )
    venue: str = Field(description="Of the market that spoke for the coin.")
    symbol: str


@router.get("/rankings", responses=described(Ranking), response_class=Response, tags=["market"])
def get_rankings(request: Request, asked: Annotated[Windowed, Query()]) -> Response:
    """Coins by day; without `from`, of the last 30 days.

    The answer abstains where a day is missing, or the newest ranked day began more than 50 hours ago.
    """
    with request.app.state.warehouse.look() as look:
        answer = rankings(look, asked.start, asked.end)
        return respond(request, look, answer, limit=asked.limit, cursor=asked.cursor, untrusted=asked.untrusted)
