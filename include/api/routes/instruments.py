"""`/instruments`: which markets there are."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from include.api.answers import respond
from include.api.questions import Paged
from include.api.schemas import Row, described
from include.serving.instruments import instruments

router = APIRouter()


class Instrument(Row):
    """One market: an instrument on one venue."""

    venue: str
    symbol: str
    venue_symbol: str = Field(description="The venue's own name of it.")
    base: str
    quote: str
    listed_at: datetime = Field(description="First open time the venue is known to have.")
    delisted_at: datetime | None = Field(description="First open time it made no candles for any more.")
    timeframes: list[str] = Field(description="That have candles.")
    first_opened_at: datetime | None = Field(description="Of its hourly candles, the archived ones included.")
    newest_opened_at: datetime | None = Field(description="Of its hourly candles.")


@router.get("/instruments", responses=described(Instrument), response_class=Response, tags=["market"])
def get_instruments(request: Request, asked: Annotated[Paged, Query()]) -> Response:
    """Every market by venue and symbol. How far a market's candles can be trusted, their own answers say."""
    with request.app.state.warehouse.look() as look:
        answer = instruments(look)
        return respond(request, look, answer, limit=asked.limit, cursor=asked.cursor, untrusted=asked.untrusted)
