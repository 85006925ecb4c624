"""`/alerts`: price alerts that stand or were sent."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from include.api.answers import respond
from include.api.questions import Crypto, Windowed
from include.api.schemas import Duration, Exact, Row, described
from include.serving.alerts import alerts

router = APIRouter()


class Alert(Row):
    """One crossing of the threshold by the change of a market's price."""

    crypto: str
    direction: Literal["up", "down"]
    triggered_at: datetime = Field(description="Close of the candle that crossed.")
    change_percent: Exact
    price: Exact
    price_before: Exact
    threshold_percent: Exact
    change_window: Duration = Field(description="Between price_before and price.")
    known_at: datetime = Field(description="When the present figures became known.")
    notification: Literal["sent", "historic", "other_market"] | None = Field(
        description="`historic`: known too late to be sent; null: to be sent."
    )
    notified_at: datetime | None
    retracted_at: datetime | None = Field(description="Since when it is known that the candles do not say so.")
    venue: str
    symbol: str


class AlertQuery(Windowed):
    crypto: Crypto | None = None


@router.get("/alerts", responses=described(Alert), response_class=Response, tags=["market"])
def get_alerts(request: Request, asked: Annotated[AlertQuery, Query()]) -> Response:
    """Alerts by the close that triggered them, of one coin or all; without `from`, of the last 90 days.

    That there is none means something only while hours come in and are searched: the answer abstains where the newest
    candle is overdue, or the search lags more than 2 hours behind it.
    """
    with request.app.state.warehouse.look() as look:
        answer = alerts(look, asked.crypto, asked.start, asked.end)
        return respond(request, look, answer, limit=asked.limit, cursor=asked.cursor, untrusted=asked.untrusted)
