"""Parameters that questions share, checked at the edge: what passes here is bound, never written into SQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

EARLIEST = datetime(2009, 1, 1, tzinfo=UTC)  # the first block of Bitcoin's chain
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
USUAL_ROWS = 1000
MOST_ROWS = 10_000  # a year of hours in one answer
LARGEST_CURSOR = 1000


def _within(at: datetime) -> datetime:
    if not EARLIEST <= at <= LATEST:
        raise ValueError(f"times lie between {EARLIEST:%Y} and {LATEST:%Y}")
    return at.astimezone(UTC)


Time = Annotated[AwareDatetime, AfterValidator(_within)]
Venue = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$", description="Our name of the exchange.", examples=["binance"])
]
Symbol = Annotated[
    str, Field(pattern=r"^[A-Z0-9]{1,20}/[A-Z0-9]{1,20}$", description="`BASE/QUOTE`.", examples=["BTC/USDT"])
]
Crypto = Annotated[
    str, Field(pattern=r"^[A-Z0-9]{1,20}$", description="A coin, the base of a market.", examples=["BTC"])
]
Horizon = Annotated[
    str, Field(pattern=r"^PT[1-9][0-9]{0,4}H$", description="Hours ahead, in ISO 8601.", examples=["PT24H"])
]
Timeframe = Literal["1m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d"]


class Question(BaseModel):
    """What every question may say; a parameter that is not known is refused."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    untrusted: Annotated[
        bool, Field(description="Bring the rows of an answer that abstains, too; its verdict stays.")
    ] = False


class Times(Question):
    """A question about a half-open window [from, to) of times in UTC."""

    start: Annotated[Time | None, Field(alias="from", description="First time; with its offset from UTC.")] = None
    end: Annotated[Time | None, Field(alias="to", description="Times before this one; now where it is left out.")] = (
        None
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.start and self.end and self.start >= self.end:
            raise ValueError("`to` has to be later than `from`")
        return self


class Paged(Question):
    """A question with many rows."""

    limit: Annotated[int, Field(ge=1, le=MOST_ROWS, description="Rows in a page.")] = USUAL_ROWS
    cursor: Annotated[
        str | None, Field(max_length=LARGEST_CURSOR, description="From the answer before, to go on after it.")
    ] = None


class Windowed(Times, Paged):
    """A question with many rows, about a window of times."""
