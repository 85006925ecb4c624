"""`/forecasts` and `/forecasts/latest`: sealed forecasts, and the newest of each series where it stands."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from include.api.answers import respond
from include.api.questions import EARLIEST, Horizon, Question, Symbol, Venue, Windowed
from include.api.schemas import Duration, Exact, Row, described
from include.serving.forecasts import ForecastQuestion, forecasts, latest_forecasts

router = APIRouter()
USUAL_WINDOW = timedelta(days=30)

State = Literal["served", "stale", "incomplete", "refused", "model_old", "nothing_known", "unverified"]


class Forecast(Row):
    """One sealed forecast; its fields are those of the view `predictions`."""

    crypto: str
    timestamp: datetime = Field(description="The time that is forecast.")
    horizon: Duration
    timeframe: str
    predicted_price: Exact
    lower_price: Exact
    upper_price: Exact
    coverage: float = Field(description="Share of outcomes that lower_price to upper_price is meant to hold.")
    model: str
    model_version: str | None = Field(description="Null for the naive forecast.")
    is_naive: bool
    made_at: datetime
    as_of: datetime = Field(description="Close of the newest candle it uses.")
    as_of_price: Exact
    actual_price: Exact | None = Field(description="Null until the target has closed.")
    venue: str
    symbol: str
    lower_price_95: Exact | None
    upper_price_95: Exact | None
    up_probability: float | None
    model_age: Duration | None = Field(description="At made_at, since the last outcome the model learned from.")
    predicted_volatility: float | None
    lower_volatility: float | None
    upper_volatility: float | None
    lower_volatility_95: float | None
    upper_volatility_95: float | None
    actual_volatility: float | None
    volatility_model: str | None
    volatility_model_version: str | None
    is_volatility_baseline: bool | None
    volatility_model_age: Duration | None


class Latest(Row):
    """The newest forecast of a series; where `state` is not `served` it has no numbers, and `reason` says why."""

    crypto: str
    venue: str
    symbol: str
    timeframe: str
    horizon: Duration
    state: State = Field(description="`served`, or the first of the reasons why it does not stand.")
    reason_class: str | None = Field(description="Of a refusal, in one word.")
    reason: str | None
    refused_at: datetime | None
    as_of: datetime | None
    timestamp: datetime | None = Field(description="The time that is forecast.")
    is_past: bool | None = Field(description="That time has come, and the next forecast is not due yet.")
    made_at: datetime | None
    model: str | None
    model_version: str | None = Field(description="Null for the naive forecast.")
    is_naive: bool | None
    model_age: Duration | None = Field(description="At made_at, since the last outcome the model learned from.")
    trained_at: datetime | None = Field(description="The newest training, which judged who serves.")
    coverage: float | None
    as_of_price: Exact | None
    predicted_price: Exact | None
    lower_price: Exact | None
    upper_price: Exact | None
    lower_price_95: Exact | None
    upper_price_95: Exact | None
    up_probability: float | None
    volatility_state: State | Literal["none"] = Field(description="`none`: not forecast at this horizon.")
    volatility_reason: str | None
    volatility_model: str | None
    volatility_model_version: str | None
    is_volatility_baseline: bool | None
    volatility_model_age: Duration | None
    predicted_volatility: float | None
    lower_volatility: float | None
    upper_volatility: float | None
    lower_volatility_95: float | None
    upper_volatility_95: float | None


class ForecastsQuery(Windowed):
    venue: Venue | None = None
    symbol: Symbol | None = None
    horizon: Horizon | None = None


class LatestQuery(Question):
    venue: Venue | None = None
    symbol: Symbol | None = None
    horizon: Horizon | None = None


@router.get("/forecasts", responses=described(Forecast), response_class=Response, tags=["forecasts"])
def get_forecasts(request: Request, asked: Annotated[ForecastsQuery, Query()]) -> Response:
    """Sealed forecasts by the time that is forecast, with what became of them.

    Without `from`, from 30 days ago on; without `to`, all that lie ahead. Where the window reaches beyond now, the
    answer abstains if a newest forecast does not stand; what is past was sealed, and stays answered.
    """
    with request.app.state.warehouse.look() as look:
        start = asked.start or max((asked.end or look.now) - USUAL_WINDOW, EARLIEST)
        question = ForecastQuestion(start, asked.end, asked.venue, asked.symbol, asked.horizon)
        answer = forecasts(look, question)
        return respond(request, look, answer, limit=asked.limit, cursor=asked.cursor, untrusted=asked.untrusted)


@router.get("/forecasts/latest", responses=described(Latest), response_class=Response, tags=["forecasts"])
def get_latest(request: Request, asked: Annotated[LatestQuery, Query()]) -> Response:
    """The newest forecast of each market and horizon, or why there is none that stands.

    A row without numbers says why it abstains; the answer as a whole abstains where every row does.
    """
    with request.app.state.warehouse.look() as look:
        answer = latest_forecasts(look, asked.venue, asked.symbol, asked.horizon)
        return respond(request, look, answer, untrusted=asked.untrusted)
