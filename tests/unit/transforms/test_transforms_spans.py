"""How far a change reaches, what of it is left alone, and how it is cut."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from include.coverage.spans import Span
from include.transforms import spans
from include.transforms.definition import SOURCES, definition_sha256
from include.warehouse.sql import SQL_FOLDER

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOON = datetime(2024, 3, 5, 12, tzinfo=UTC)
MIDNIGHT = datetime(2024, 3, 5, tzinfo=UTC)
CHANGED = Span(NOON, NOON + HOUR)


def test_reach_of_one_candle() -> None:
    assert spans.flags_reach(CHANGED, "1h") == Span(NOON, NOON + 25 * HOUR)
    assert spans.flags_reach(Span(MIDNIGHT, MIDNIGHT + DAY), "1d") == Span(MIDNIGHT, MIDNIGHT + 25 * DAY)
    assert spans.prices_reach(CHANGED) == Span(NOON, NOON + 3 * HOUR)
    assert spans.alerts_reach(CHANGED) == Span(NOON, NOON + 27 * HOUR)
    assert spans.days_reach(CHANGED) == Span(MIDNIGHT, MIDNIGHT + DAY)
    assert spans.ranking_reach(CHANGED) == Span(MIDNIGHT, MIDNIGHT + 2 * DAY)


@pytest.mark.parametrize("hour", [22, 23])
def test_flags_reach_into_the_next_day(hour: int) -> None:
    late = Span(MIDNIGHT + hour * HOUR, MIDNIGHT + (hour + 1) * HOUR)
    assert spans.days_reach(late) == Span(MIDNIGHT, MIDNIGHT + 2 * DAY)
    assert spans.ranking_reach(late) == Span(MIDNIGHT, MIDNIGHT + 3 * DAY)


def test_what_is_near_to_dropped_candles_is_left_alone() -> None:
    changes = [Span(NOON, NOON + 20 * DAY), Span(NOON + 3 * DAY, NOON + 21 * DAY)]
    assert spans.computable(changes, None) == [Span(NOON, NOON + 21 * DAY)]
    assert spans.computable(changes, NOON) == [Span(MIDNIGHT + 8 * DAY, NOON + 21 * DAY)]
    assert spans.computable(changes, NOON + 40 * DAY) == []


def test_pieces_are_bounded_and_leave_nothing_out() -> None:
    whole = Span(MIDNIGHT, MIDNIGHT + 400 * DAY)
    found = list(spans.pieces([whole]))
    assert [piece.end - piece.start for piece in found] == [92 * DAY] * 4 + [32 * DAY]
    assert (found[0].start, found[-1].end) == whole
    assert all(one.end == other.start for one, other in pairwise(found))
    assert len(list(spans.pieces([whole], "1d"))) == 1


def test_the_definition_is_of_every_statement_that_computes() -> None:
    writing = {path for path in (SQL_FOLDER / "transforms").iterdir() if path.name.startswith(("upsert_", "merge"))}
    assert writing <= set(SOURCES)
    assert all(source.is_file() for source in SOURCES)
    assert len(definition_sha256()) == 64
