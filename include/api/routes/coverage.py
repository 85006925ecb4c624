"""`/coverage`, `/coverage/days`, `/coverage/holes`: what is there, what is not, and why."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from include.api.answers import respond
from include.api.questions import Paged, Symbol, Timeframe, Venue, Windowed
from include.api.schemas import Row, described
from include.serving.coverage import coverage_of_series
from include.serving.coverage_days import coverage_days
from include.serving.coverage_holes import coverage_holes

router = APIRouter()


class Series(Row):
    """One series and its equation: expected = observed + empty + outage + out of reach + pending + unknown."""

    venue: str
    symbol: str
    timeframe: str
    starts_at: datetime | None = Field(description="First open time that is expected.")
    ends_at: datetime | None = Field(description="End of what is expected.")
    expected: int
    observed: int = Field(description="Held, by the table or by the verified archive.")
    archived: int = Field(description="Of those, in the archive only.")
    empty: int = Field(description="The venue made none, as its answers attest.")
    outage: int = Field(description="The venue was out.")
    out_of_reach: int = Field(description="No source of ours goes back so far.")
    pending: int = Field(description="Closed a moment ago.")
    unknown: int = Field(description="Neither held nor explained: an alert.")
    completeness_percent: float | None
    is_complete: bool = Field(description="Nothing is unknown.")


class Day(Row):
    """One UTC day of a series; observed includes what the archive holds."""

    venue: str
    symbol: str
    timeframe: str
    day: date
    expected: int
    observed: int
    empty: int
    outage: int
    out_of_reach: int
    pending: int
    unknown: int


class Hole(Row):
    """Candles in a row that are not held for one reason."""

    venue: str
    symbol: str
    timeframe: str
    starts_at: datetime
    ends_at: datetime
    candles: int = Field(description="How many are lacking.")
    state: Literal["empty", "outage", "out_of_reach", "pending", "unknown"]
    reason: str
    evidence: str = Field(description="Which answer of which host said so.")
    answered_at: datetime | None


class SeriesQuery(Paged):
    venue: Venue | None = None
    symbol: Symbol | None = None
    timeframe: Timeframe | None = None


class OneSeriesQuery(Windowed):
    venue: Venue
    symbol: Symbol
    timeframe: Timeframe = "1h"


@router.get("/coverage", responses=described(Series), response_class=Response, tags=["coverage"])
def get_coverage(request: Request, asked: Annotated[SeriesQuery, Query()]) -> Response:
    """The equation of completeness of every series, counted now."""
    with request.app.state.warehouse.look() as look:
        answer = coverage_of_series(look, asked.venue, asked.symbol, asked.timeframe)
        return respond(request, look, answer, limit=asked.limit, cursor=asked.cursor, untrusted=asked.untrusted)


@router.get("/coverage/days", responses=described(Day), response_class=Response, tags=["coverage"])
def get_coverage_days(request: Request, asked: Annotated[OneSeriesQuery, Query()]) -> Response:
    """The equation of one series by UTC day; without `from` since its beginning."""
    with request.app.state.warehouse.look() as look:
        answer = coverage_days(look, asked.venue, asked.symbol, asked.timeframe, asked.start, asked.end)
        return respond(request, look, answer, limit=asked.limit, cursor=asked.cursor, untrusted=asked.untrusted)


@router.get("/coverage/holes", responses=described(Hole), response_class=Response, tags=["coverage"])
def get_coverage_holes(request: Request, asked: Annotated[OneSeriesQuery, Query()]) -> Response:
    """Each hole of one series with its reason and its evidence; without `from` since its beginning."""
    with request.app.state.warehouse.look() as look:
        answer = coverage_holes(look, asked.venue, asked.symbol, asked.timeframe, asked.start, asked.end)
        return respond(request, look, answer, limit=asked.limit, cursor=asked.cursor, untrusted=asked.untrusted)
