"""`/features`: indicators and features of a coin's hours."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, create_model

from include.api.answers import respond
from include.api.columns import FIELDS, Columns, split
from include.api.questions import Crypto, Windowed
from include.api.schemas import Exact, Row, described
from include.serving.features import FeatureQuestion, features

router = APIRouter()


class Hour(Row):
    """One hour of the market that speaks for a coin; a feature is null where it is not defined."""

    crypto: str
    timestamp: datetime = Field(description="Close of the hour, from when on the row was known.")
    open: Exact
    high: Exact
    low: Exact
    price: Exact = Field(description="At `timestamp`.")
    volume: Exact = Field(description="In coins.")
    quote_volume: Exact | None
    opened_at: datetime
    venue: str
    symbol: str


FeatureRow = create_model("Feature", __base__=Hour, __doc__=Hour.__doc__, **FIELDS)


class FeatureQuery(Windowed):
    crypto: Crypto
    columns: Columns = ""


@router.get("/features", responses=described(FeatureRow), response_class=Response, tags=["market"])
def get_features(request: Request, asked: Annotated[FeatureQuery, Query()]) -> Response:
    """Hours of a coin by their close, with all features or those of `columns`; without `from`, the last 500.

    The answer abstains where the hours' candles would, where features are missing, and where they lag more than 2
    hours behind the candles.
    """
    with request.app.state.warehouse.look() as look:
        answer = features(look, FeatureQuestion(asked.crypto, asked.start, asked.end, split(asked.columns)))
        return respond(request, look, answer, limit=asked.limit, cursor=asked.cursor, untrusted=asked.untrusted)
