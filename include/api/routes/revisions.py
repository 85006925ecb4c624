"""`/revisions`: candles that a venue changed after the fact."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from include.api.answers import respond
from include.api.questions import Symbol, Timeframe, Venue, Windowed
from include.api.schemas import Exact, Row, described
from include.serving.records import recorded

router = APIRouter()


class Revision(Row):
    """Values that were replaced, and by which."""

    revision_id: int
    venue: str
    symbol: str
    timeframe: str
    opened_at: datetime
    recorded_at: datetime = Field(description="When these values became known.")
    superseded_at: datetime = Field(description="When they were replaced.")
    open: Exact
    high: Exact
    low: Exact
    close: Exact
    volume: Exact = Field(description="In base units.")
    source: str
    new_open: Exact | None = Field(description="What replaced it; null where the candle is gone.")
    new_high: Exact | None
    new_low: Exact | None
    new_close: Exact | None
    new_volume: Exact | None
    new_source: str | None


class RevisionQuery(Windowed):
    venue: Venue | None = None
    symbol: Symbol | None = None
    timeframe: Timeframe | None = None


@router.get("/revisions", responses=described(Revision), response_class=Response, tags=["coverage"])
def get_revisions(request: Request, asked: Annotated[RevisionQuery, Query()]) -> Response:
    """Values of candles that were replaced, the newest replacement first; the window is one of open times."""
    with request.app.state.warehouse.look() as look:
        answer = recorded(
            look,
            "revisions",
            ("revision_id",),
            venue=asked.venue,
            symbol=asked.symbol,
            timeframe=asked.timeframe,
            starts_at=asked.start,
            ends_at=asked.end,
        )
        return respond(request, look, answer, limit=asked.limit, cursor=asked.cursor, untrusted=asked.untrusted)
