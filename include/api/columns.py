"""Columns of the feature registry as a parameter, and as fields of rows."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from include.features.registry import FEATURES, NAMES


def _known(text: str) -> str:
    """The names in the registry's order, each once."""
    asked = {name.strip() for name in text.split(",")} - {""}
    unknown = sorted(asked - set(NAMES))
    if unknown:
        raise ValueError(f"there is no column {', '.join(unknown)}; there are {', '.join(NAMES)}")
    return ",".join(name for name in NAMES if name in asked)


Columns = Annotated[
    str,
    AfterValidator(_known),
    Field(max_length=2000, description="Columns of the feature registry, separated by commas.", examples=["rsi_14"]),
]

# For pydantic's create_model: a column that was not asked for is left out.
FIELDS: dict[str, Any] = {
    feature.name: (float | None, Field(default=None, description=f"{feature.definition} [{feature.unit}]"))
    for feature in FEATURES
}


def split(columns: str) -> list[str]:
    """The names in a parameter of this kind."""
    return columns.split(",") if columns else []
