"""The walk along a chain, without a database: what is named where, and how much is held at a time."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from include.forecasting.chain import COLUMNS, GENESIS, SealedRow, Series
from include.forecasting.verify_chain import MOST_COLUMNS_TOLD, ChainWalk, Finding
from include.forecasting.verify_heads import Head, NotedHeads, UnreadableHeadsError, parse

SERIES = Series("binance:BTC/USDT", "1h", 1)
HOUR = 3_600_000_000
NOTED_AT = datetime(1970, 1, 1, 5, tzinfo=UTC)


def row(position: int, previous: str, **changed: Any) -> SealedRow:
    """A whole row; its target is hour `position` of 1970."""
    values = {
        **dict.fromkeys(COLUMNS),
        "venue": "binance", "symbol": "BTC/USDT", "forecast_id": 100 + position, "instrument_id": 1, "timeframe": "1h",
        "horizon_bars": 1, "as_of": Decimal((position - 1) * HOUR), "target_at": Decimal(position * HOUR),
        "made_at": Decimal((position - 1) * HOUR + 5), "sealed_at": Decimal((position - 1) * HOUR + 7),
        "as_of_price": Decimal("60000.5"), "predicted_log_return": 0.01, "predicted_price": Decimal("60600.25"),
        "lower_price": Decimal(60000), "upper_price": Decimal(61000), "coverage": 0.8, "model": "m",
        "model_version": "1", "is_naive": False, "chain_position": position, "previous_sha256": previous, **changed,
    }  # fmt: skip
    return SealedRow(values, SealedRow(values, None).computed_sha256)


def chain(length: int) -> Iterator[SealedRow]:
    previous = GENESIS
    for position in range(1, length + 1):
        made = row(position, previous)
        previous = made.row_sha256
        yield made


def walk(rows: list[SealedRow], *noted: NotedHeads, world: str | None = None) -> list[Finding]:
    return list(ChainWalk(SERIES, noted, world).findings(rows))


def told(found: list[Finding]) -> list[tuple[str, int | None, str | None]]:
    return [(finding.kind, finding.position, finding.column) for finding in found]


def altered(original: SealedRow, **changed: Any) -> SealedRow:
    return SealedRow({**original.values, **changed}, original.row_sha256)


def test_a_whole_chain_is_quiet() -> None:
    rows = list(chain(5))
    seen = ChainWalk(SERIES)
    assert list(seen.findings(rows)) == []
    assert (seen.head, seen.rows) == (Head(5, rows[-1].row_sha256), 5)
    assert walk([]) == []


@pytest.mark.parametrize("gone", [1, 2, 3, 4])
def test_a_gap_is_named_wherever_it_is(gone: int) -> None:
    rows = [each for each in chain(5) if each.position != gone]
    assert told(walk(rows)) == [("removed", gone, None)]


@pytest.mark.parametrize("place", [1, 3, 5])
def test_a_removed_and_an_altered_row_are_both_named(place: int) -> None:
    rows = [altered(r, coverage=0.9) if r.position == place else r for r in chain(5) if r.position != 2]
    assert set(told(walk(rows))) == {("removed", 2, None), ("altered", place, "coverage")}


def test_closing_up_after_a_removal_is_reordering() -> None:
    rows = [r if r.position < 3 else altered(r, chain_position=r.position - 1) for r in chain(5) if r.position != 3]
    assert told(walk(rows)) == [("reordered", 3, "chain_position"), ("reordered", 4, "chain_position")]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("model", "another model"),
        ("model_version", None),
        ("model_version", "12"),
        ("target_at", Decimal(99 * HOUR)),
        ("as_of_price", Decimal("60000.4")),
        ("upper_price", Decimal(61001)),
        ("is_naive", True),
        ("previous_sha256", "f" * 64),
        ("coverage", 0.8000000000000002),
    ],
)
def test_the_column_is_told_where_neighbours_or_one_character_tell_it(column: str, value: Any) -> None:
    rows = list(chain(5))
    rows[2] = altered(rows[2], **{column: value})
    assert told(walk(rows)) == [("altered", 3, column)]


def test_what_cannot_be_told_is_named_without_a_column() -> None:
    rows = list(chain(5))
    rows[2] = altered(rows[2], lower_price=Decimal("12345.678"), coverage=0.9)
    (found,) = walk(rows)
    assert (found.kind, found.position, found.column) == ("altered", 3, None)
    assert found.target_at == datetime(1970, 1, 1, 3, tzinfo=UTC)


def test_the_column_is_told_for_so_many_rows_and_all_are_named() -> None:
    rows = [altered(each, upper_price=Decimal(61001)) for each in chain(MOST_COLUMNS_TOLD + 3)]
    found = walk(rows)
    assert len(found) == MOST_COLUMNS_TOLD + 3
    assert [each.column for each in found[-4:]] == ["upper_price", None, None, None]


def test_the_rightful_row_of_two_at_one_place_is_the_one_that_is_followed() -> None:
    rows = list(chain(5))
    rival = row(3, rows[1].row_sha256, forecast_id=999)
    for pair in itertools.permutations([rows[2], rival]):
        (found,) = walk([*rows[:2], *pair, *rows[3:]])
        assert (found.kind, found.forecast_id) == ("inserted", 999)


def test_a_first_row_that_follows_something() -> None:
    assert told(walk([row(1, "a" * 64)])) == [("altered", 1, "previous_sha256")]


def test_notes_tell_what_a_chain_cannot() -> None:
    rows = list(chain(5))
    notes = NotedHeads(NOTED_AT, "live", {SERIES: Head(4, rows[3].row_sha256)})
    assert told(walk(rows[:4], notes)) == []
    assert told(walk(rows[:2], notes)) == [("removed", 3, None)]
    assert told(walk(rows, notes)) == [("inserted", 5, None)]  # its target is the time of the note
    other = NotedHeads(NOTED_AT, "recorded", {SERIES: Head(4, "e" * 64)})
    assert told(walk(rows, other)) == [("rewritten", 4, None)]
    assert told(walk([], notes)) == [("removed", 1, None)]
    unknown = NotedHeads(NOTED_AT, "live", {})
    assert [each.position for each in walk(rows, unknown)] == [1, 2, 3, 4, 5]


def test_a_live_seal_after_its_target() -> None:
    late = row(1, GENESIS, sealed_at=Decimal(HOUR))
    assert told(walk([late], world="live")) == [("inserted", 1, None)]
    assert walk([late], world="recorded") == []


def test_memory_does_not_grow_with_the_chain() -> None:
    def peak(length: int) -> int:
        tracemalloc.start()
        assert next(ChainWalk(SERIES).findings(chain(length)), None) is None
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    peak(10)
    assert peak(3000) < 2 * peak(30) + 20_000


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "[]",
        '{"heads": []}',
        '{"heads": [{"market": "m"}], "noted_at": "2024-01-01T00:00:00+00:00", "world": "live"}',
        '{"heads": [], "noted_at": "2024-01-01T00:00:00", "world": "live"}',
    ],
)
def test_files_that_hold_no_heads(text: str) -> None:
    with pytest.raises(UnreadableHeadsError):
        parse(text)
