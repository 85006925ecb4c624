"""The shape of answers, for the description of the API; answers themselves are written by the database."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, create_model

from include.api.formats import ARROW, CSV, PARQUET


class ReasonShape(BaseModel):
    """Why an answer abstains."""

    code: Literal["stale", "incomplete", "refused", "model_old", "nothing_known", "unverified"]
    text: str = Field(description="For a person: what is wrong, by how much, and the deadline.")
    since: datetime | None = Field(description="From when on, UTC, where it is known.")


class Envelope(BaseModel):
    """What every answer says of itself."""

    model_config = ConfigDict(extra="forbid")

    as_of: datetime = Field(description="The world's time at which it was read, UTC.")
    world: str | None = Field(description="`live`, or a replayed world whose prices are no market's.")
    verdict: Literal["answered", "abstained"] = Field(description="`abstained`: do not rely on it; `reasons` say why.")
    reasons: list[ReasonShape]
    complete_until: datetime | None = Field(description="Up to here nothing is missing that is not explained.")
    completeness_percent: float | None = Field(
        ge=0, le=100, description="Share held of what is expected in the window; null where nothing can be expected."
    )
    next: str | None = Field(description="Where the next page is; null on the last one.")


# Written with every digit the venue gave; who reads it into binary floating point loses some.
Exact = Annotated[Decimal, WithJsonSchema({"type": "number"})]

# ISO 8601. JSON Schema's own format `duration` knows no fraction of a second.
DURATION = r"^P(-?\d+[YMWD])*(T(-?\d+(\.\d+)?[HMS])+)?$"
Duration = Annotated[timedelta, WithJsonSchema({"type": "string", "pattern": DURATION})]


class Row(BaseModel):
    """One row; its fields are those of the public view."""

    model_config = ConfigDict(extra="forbid")


class ProblemShape(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    instance: str


def described(row: type[Row]) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route whose rows have this shape."""
    shape = create_model(f"{row.__name__}Answer", __base__=Envelope, data=(list[row], ...))  # type: ignore[valid-type]
    problems = {
        404: "Nothing of that name is known.",
        406: "Answers do not come in that form.",
        422: "The question cannot be understood.",
        503: "The warehouse is away, or the answer took too long.",
    }
    refusals = {401: "Nobody is logged in.", 403: "This user may not."}
    return {
        200: {
            "model": shape,
            "content": {CSV: {}, ARROW: {}, PARQUET: {}},
            "description": "The rows, and how far they can be trusted.",
        },
        304: {"description": "What the asker has is still true."},
        **{
            status: {
                "content": {"application/problem+json": {"schema": ProblemShape.model_json_schema()}},
                "description": text,
            }
            for status, text in {**refusals, **problems}.items()
        },
    }
