"""`/quarantine` and `/budgets`: answers word for word and what stands between us and each host."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from include.api.answers import respond
from include.api.questions import Question, Symbol, Venue, Windowed
from include.api.schemas import Row, described
from include.serving.records import recorded

router = APIRouter()


class Rejected(Row):
    """A row of an answer that failed validation."""

    quarantine_id: int
    recorded_at: datetime
    dataset: str
    source: str
    venue: str | None
    symbol: str | None
    timeframe: str | None
    opened_at: datetime | None
    reason: str
    request: str | None
    raw: str = Field(description="The text as it came.")


class Budget(Row):
    """One limit of one host, and its circuit; a host without a limit has its circuit alone. Times are real ones."""

    source: str
    circuit: Literal["closed", "half_open", "open"]
    circuit_reason: str | None
    opened_at: datetime | None
    retry_at: datetime | None
    failure_count: int
    blocked_for_seconds: float | None
    blocked_until: datetime | None
    blocked_reason: str | None
    last_error: str | None
    changed_at: datetime
    window_seconds: int | None
    units: float | None = Field(description="Most weight in any such window.")
    capacity: float | None
    refill_per_second: float | None
    tokens_left: float | None = Field(description="Weight that may be sent at once.")
    requests_this_hour: int | None
    weight_this_hour: float | None
    requests_this_month: int | None
    weight_this_month: float | None


class QuarantineQuery(Windowed):
    dataset: Annotated[str | None, Field(pattern=r"^[a-z_]{1,40}$", description="`candle`, for example.")] = None
    venue: Venue | None = None
    symbol: Symbol | None = None


@router.get("/quarantine", responses=described(Rejected), response_class=Response, tags=["machinery"])
def get_quarantine(request: Request, asked: Annotated[QuarantineQuery, Query()]) -> Response:
    """Rows of answers that failed validation, the newest first; the window is one of when they came."""
    with request.app.state.warehouse.look() as look:
        answer = recorded(
            look,
            "quarantine",
            ("quarantine_id",),
            dataset=asked.dataset,
            venue=asked.venue,
            symbol=asked.symbol,
            starts_at=asked.start,
            ends_at=asked.end,
        )
        return respond(request, look, answer, limit=asked.limit, cursor=asked.cursor, untrusted=asked.untrusted)


@router.get("/budgets", responses=described(Budget), response_class=Response, tags=["machinery"])
def get_budgets(request: Request, asked: Annotated[Question, Query()]) -> Response:
    """Request budget and circuit of every host that was ever asked."""
    with request.app.state.warehouse.look() as look:
        return respond(request, look, recorded(look, "budgets", ()), untrusted=asked.untrusted)
