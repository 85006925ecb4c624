"""Outages of venues that are known from elsewhere (outages.csv): a candle missing within one was never made."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from include.coverage.spans import Span, within

FILE = Path(__file__).with_name("outages.csv")


class Outage(NamedTuple):
    """A venue made no candles in [starts_at, ends_at), to the second, minute or hour. source: who says so."""

    venue: str
    starts_at: datetime
    ends_at: datetime
    source: str

    def __str__(self) -> str:
        return f"{self.venue} was out from {self.starts_at:%Y-%m-%d %H:%M:%S} to {self.ends_at:%Y-%m-%d %H:%M:%S} UTC"


@cache
def known_outages(venue: str, file: Path = FILE) -> tuple[Outage, ...]:
    """The outages of a venue, oldest first. Raises ValueError for a file that is out of order or cannot be read."""
    with file.open(newline="", encoding="utf-8") as lines:
        rows = [
            Outage(row["venue"], _time(row["starts_at"]), _time(row["ends_at"]), row["source"])
            for row in csv.DictReader(lines)
        ]
    found = [row for row in rows if row.venue == venue]
    for outage in found:
        if outage.starts_at >= outage.ends_at:
            raise ValueError(f"{file.name}: {outage} ends before it starts")
    for before, after in pairwise(found):
        if before.ends_at > after.starts_at:
            raise ValueError(f"{file.name}: {after} starts before the one above it has ended")
    return tuple(found)


def outage_spans(venue: str, timeframe: str) -> list[Span]:
    """Open times whose whole candle lies within an outage of the venue."""
    return within((Span(o.starts_at, o.ends_at) for o in known_outages(venue)), timeframe)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
