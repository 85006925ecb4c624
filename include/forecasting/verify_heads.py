"""Heads of chains that were noted elsewhere: what a chain that was wholly computed anew is found against."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from include.forecasting.chain import GENESIS, Series


class UnreadableHeadsError(ValueError):
    """A file holds no heads as `verify-forecasts --json` prints them."""


class Head(NamedTuple):
    """The newest row of a chain: its place, from 1 (0: there was no row), and its hash."""

    position: int
    row_sha256: str


EMPTY = Head(0, GENESIS)


@dataclass(frozen=True, slots=True)
class NotedHeads:
    """The heads of all chains at one time. noted_at: by the database's clock; world: whose forecasts they are."""

    noted_at: datetime
    world: str | None
    heads: Mapping[Series, Head]

    def of(self, series: Series) -> Head:
        """The head of a series; EMPTY where it had no row yet."""
        return self.heads.get(series, EMPTY)

    def is_past(self, at: datetime | None) -> bool:
        """Whether a forecast for `at` could not be sealed any more when the heads were noted.

        Only of the live world that can be told: others have a clock of their own.
        """
        return self.world == "live" and at is not None and at <= self.noted_at


def describe(heads: Mapping[Series, Head]) -> list[dict[str, Any]]:
    """Heads as JSON shows them."""
    return [{**series._asdict(), **head._asdict()} for series, head in heads.items()]


def parse(text: str) -> NotedHeads:
    """Heads from what `verify-forecasts --json` printed. Raises UnreadableHeadsError."""
    try:
        document = json.loads(text)
        rows: Sequence[Mapping[str, Any]] = document["heads"]
        heads = {
            Series(str(row["market"]), str(row["timeframe"]), int(row["horizon_bars"])): Head(
                int(row["position"]), str(row["row_sha256"])
            )
            for row in rows
        }
        noted_at = datetime.fromisoformat(document["noted_at"])
        world = document["world"]
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableHeadsError(f"no heads as verify-forecasts --json prints them: {error!r}") from error
    if noted_at.tzinfo is None:
        raise UnreadableHeadsError("noted_at names no time zone")
    return NotedHeads(noted_at, world, heads)
