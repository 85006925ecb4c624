"""`/models`, `/promotions`, `/scoreboard`, `/calibration`: who forecasts, on what evidence, and how it has done."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from include.api.answers import respond
from include.api.questions import Horizon, Paged, Question, Symbol, Venue
from include.api.schemas import Duration, Row, described
from include.serving.records import calibration, models, recorded, scoreboard

router = APIRouter()

Target = Literal["log_return", "volatility"]


class Kind(Row):
    """What is forecast of which market."""

    venue: str
    symbol: str
    timeframe: str
    horizon: Duration
    target: Target


class Model(Kind):
    """One training: the newest of its kind, or that of the version which serves."""

    registered_model: str
    model_version: str
    is_newest: bool
    is_serving: bool
    serving_version: str | None = Field(description="Null: no model beats the baseline, and the baseline is served.")
    newest_decision: str | None
    decided_at: datetime | None
    recipe: str
    baseline: str = Field(description="The best of the baselines, which it was compared with.")
    trained_at: datetime
    known_at: datetime
    training_rows: int
    training_starts_at: datetime
    training_ends_at: datetime
    test_rows: int
    folds: int
    tries: int
    skill: float = Field(description="1 - loss / loss of the baseline.")
    p_value_over_baseline: float
    p_value_adjusted: float = Field(description="For all that was tried.")
    interval_coverage: float | None
    interval_coverage_95: float | None
    mlflow_run_id: str
    model_sha256: str | None
    dataset_sha256: str
    age_seconds: float
    deadline_seconds: float = Field(description="Largest age of the newest training of a kind.")
    is_overdue: bool = Field(description="The newest training of this kind is older than that.")


class Promotion(Row):
    """One decision who serves, with the figures it rests on."""

    promotion_id: int
    decided_at: datetime
    venue: str | None
    symbol: str | None
    timeframe: str | None
    horizon: Duration | None
    target: Target
    registered_model: str
    decision: Literal["promoted", "kept", "retired", "naive", "rolled_back"]
    reason: str
    champion_before: str | None
    champion_after: str | None = Field(description="Null: the baseline serves from then on.")
    recipe: str | None
    baseline: str | None
    skill: float | None
    p_value_over_baseline: float | None
    tries: int | None
    p_value_adjusted: float | None
    champion_skill: float | None
    p_value_over_champion: float | None
    test_rows: int | None
    folds: int | None
    test_starts_at: datetime | None
    test_ends_at: datetime | None
    mlflow_run_id: str | None
    decided_by: str | None = Field(description="Who rolled back; null: the rules.")


class Line(Kind):
    """One model version against one baseline, on outcomes of one window."""

    model: str
    model_version: str | None
    baseline: str
    time_window: str
    forecasts: int
    days: int
    loss: float
    baseline_loss: float
    skill: float | None = Field(description="1 - loss / baseline_loss; 0 is the baseline.")
    skill_lower: float | None = Field(description="With skill_upper its 95 % interval; null below 30 days.")
    skill_upper: float | None
    mae: float
    direction_accuracy: float | None
    interval_coverage: float | None
    interval_coverage_95: float | None
    first_target_at: datetime
    last_target_at: datetime


class Calibration(Kind):
    """Outcomes within the intervals that were to hold a nominal share of them."""

    nominal: float
    inside: float
    inside_lower: float = Field(description="With inside_upper Wilson's 95 % interval, as if outcomes did not overlap.")
    inside_upper: float
    forecasts: int


class Direction(Row):
    """How often the price rose where the probability of a rise lay within a tenth."""

    venue: str
    symbol: str
    timeframe: str
    horizon: Duration
    lower: float
    upper: float
    mean_probability: float
    share_up: float
    forecasts: int


class MarketQuery(Question):
    venue: Venue | None = None
    symbol: Symbol | None = None
    horizon: Horizon | None = None


class PromotionQuery(Paged):
    venue: Venue | None = None
    symbol: Symbol | None = None
    horizon: Horizon | None = None


class WindowQuery(MarketQuery):
    window: Annotated[
        Literal["7 days", "30 days", "90 days", "all"], Field(description="Back from the newest outcome of any market.")
    ] = "90 days"


@router.get("/models", responses=described(Model), response_class=Response, tags=["forecasts"])
def get_models(request: Request, asked: Annotated[MarketQuery, Query()]) -> Response:
    """The newest training of each kind of forecast, and the one that serves where a model does."""
    with request.app.state.warehouse.look() as look:
        answer = models(look, asked.venue, asked.symbol, asked.horizon)
        return respond(request, look, answer, untrusted=asked.untrusted)


@router.get("/promotions", responses=described(Promotion), response_class=Response, tags=["forecasts"])
def get_promotions(request: Request, asked: Annotated[PromotionQuery, Query()]) -> Response:
    """Every decision who serves, the newest first, with its statistics."""
    with request.app.state.warehouse.look() as look:
        named = {"venue": asked.venue, "symbol": asked.symbol, "horizon": asked.horizon}
        answer = recorded(look, "promotions", ("promotion_id",), **named)
        return respond(request, look, answer, limit=asked.limit, cursor=asked.cursor, untrusted=asked.untrusted)


@router.get("/scoreboard", responses=described(Line), response_class=Response, tags=["forecasts"])
def get_scoreboard(request: Request, asked: Annotated[WindowQuery, Query()]) -> Response:
    """How sealed forecasts have done against every baseline, per model version."""
    with request.app.state.warehouse.look() as look:
        answer = scoreboard(look, asked.window, asked.venue, asked.symbol, asked.horizon)
        return respond(request, look, answer, untrusted=asked.untrusted)


@router.get("/calibration", responses=described(Calibration), response_class=Response, tags=["forecasts"])
def get_calibration(request: Request, asked: Annotated[WindowQuery, Query()]) -> Response:
    """Share of outcomes within the 80 % and 95 % intervals, of prices and of volatility."""
    with request.app.state.warehouse.look() as look:
        answer = calibration(look, asked.window, asked.venue, asked.symbol, asked.horizon, of_direction=False)
        return respond(request, look, answer, untrusted=asked.untrusted)


@router.get("/calibration/direction", responses=described(Direction), response_class=Response, tags=["forecasts"])
def get_calibration_of_direction(request: Request, asked: Annotated[WindowQuery, Query()]) -> Response:
    """How often prices rose, in tenths of the probability that was given to a rise."""
    with request.app.state.warehouse.look() as look:
        answer = calibration(look, asked.window, asked.venue, asked.symbol, asked.horizon, of_direction=True)
        return respond(request, look, answer, untrusted=asked.untrusted)
