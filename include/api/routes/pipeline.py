"""`/pipeline`, `/pipeline/runs`, `/pipeline/latency`: is the machinery in time?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from include.api.answers import respond
from include.api.questions import EARLIEST, Paged, Windowed
from include.api.schemas import Row, described
from include.serving.pipeline import freshness
from include.serving.records import latency, recorded

router = APIRouter()
of_dags = APIRouter()  # its answers leave out the DAGs that are hidden from who asks
USUAL_LATENCY = timedelta(days=7)  # of the window where none is given
RUN_KEY = ("finished_at", "dag_id", "run_id", "task_id", "map_index", "try_number")


class Freshness(Row):
    """The newest of one dataset and subject."""

    dataset: Literal["candles", "features", "forecasts", "models", "rankings", "sentiment", "tickers"]
    subject: str = Field(description="Market and timeframe, target or horizon; `all` where there is but one.")
    newest_at: datetime = Field(description="Close, observation, publication, day or training of the newest.")
    age_seconds: float = Field(description="Behind now; of features, behind the newest candle of their series.")
    deadline_seconds: float | None = Field(description="Null for a market that is not configured any more.")
    is_stale: bool


class Run(Row):
    """One try of one task that wrote."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int = Field(description="-1 where the task is not mapped.")
    try_number: int
    window_starts_at: datetime | None
    window_ends_at: datetime | None
    started_at: datetime | None = Field(description="Reckoned back from the end by work_seconds.")
    finished_at: datetime
    work_seconds: float | None
    wait_seconds: float | None = Field(description="Of the work, asleep until a request budget allowed to go on.")
    rows_new: int
    rows_changed: int
    rows_unchanged: int
    rows_rejected: int


class Latency(Row):
    """How long the forecasts of one hour took from its close on."""

    hour_at: datetime = Field(description="The close that the forecasts start from.")
    made_at: datetime = Field(description="When the last of them was sealed, by the world's clock.")
    seconds: float
    forecasts: int


class RunQuery(Windowed):
    dag_id: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9_.\-]{1,250}$")] = None


@router.get("/pipeline", responses=described(Freshness), response_class=Response, tags=["pipeline"])
def get_pipeline(request: Request, asked: Annotated[Paged, Query()]) -> Response:
    """Freshness of each dataset against the deadline after which answers about now abstain."""
    with request.app.state.warehouse.look() as look:
        answer = freshness(look)
        return respond(request, look, answer, limit=asked.limit, cursor=asked.cursor, untrusted=asked.untrusted)


@of_dags.get("/pipeline/runs", responses=described(Run), response_class=Response, tags=["pipeline"])
def get_runs(request: Request, asked: Annotated[RunQuery, Query()]) -> Response:
    """What each task that wrote did, the newest first; the window is one of when they finished.

    Runs of DAGs that the asker may not see are left out.
    """
    with request.app.state.warehouse.look() as look:
        seen = request.state.readable_dags
        readable = None if seen is None else sorted(seen)
        values = {"dag_id": asked.dag_id, "readable": readable, "starts_at": asked.start, "ends_at": asked.end}
        answer = recorded(look, "pipeline_runs", RUN_KEY, **values)
        return respond(request, look, answer, limit=asked.limit, cursor=asked.cursor, untrusted=asked.untrusted)


@router.get("/pipeline/latency", responses=described(Latency), response_class=Response, tags=["pipeline"])
def get_latency(request: Request, asked: Annotated[Windowed, Query()]) -> Response:
    """From the close of each hour to the last of its forecasts; without `from`, the last seven days."""
    with request.app.state.warehouse.look() as look:
        end = asked.end or look.now
        answer = latency(look, asked.start or max(end - USUAL_LATENCY, EARLIEST), end)
        return respond(request, look, answer, limit=asked.limit, cursor=asked.cursor, untrusted=asked.untrusted)
