"""Blocks: which bars a row is computed from, and how far a corrected candle reaches."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.features.blocks import (
    BLOCK_BARS,
    WARM_UP_BARS,
    BarRange,
    bar_number,
    block_start,
    longest_window,
    lookback_bars,
    merge,
    opening,
    pieces,
    reach,
)

BAR = st.integers(min_value=0, max_value=600_000)
RANGES = st.lists(
    st.tuples(st.integers(0, 300), st.integers(0, 40)).map(lambda pair: BarRange(pair[0], pair[0] + pair[1]))
)


def test_bars_are_numbered_from_the_epoch() -> None:
    noon = datetime(1970, 1, 2, 12, tzinfo=UTC)
    assert bar_number(noon, "1h") == 36
    assert opening(36, "1h") == noon
    assert bar_number(noon, "1d") == 2, "the first bar that opens at or after"


@pytest.mark.parametrize(("timeframe", "window", "lookback"), [("1h", 720, 768), ("1d", 34, 768), ("15m", 2880, 2880)])
def test_what_is_loaded_exceeds_the_longest_window(timeframe: str, window: int, lookback: int) -> None:
    assert longest_window(timeframe) == window
    assert lookback_bars(timeframe) == lookback


@given(changed=BAR, row=BAR, timeframe=st.sampled_from(["1h", "1d", "15m"]))
def test_reach_covers_every_row_that_is_computed_from_the_changed_bar(changed: int, row: int, timeframe: str) -> None:
    by_indicator = block_start(row) - WARM_UP_BARS <= changed <= row
    by_window = row - longest_window(timeframe) < changed <= row
    touched = reach(BarRange(changed, changed + 1), timeframe)
    assert not (by_indicator or by_window) or touched.start <= row < touched.end


def test_reach_is_finite() -> None:
    touched = reach(BarRange(10 * BLOCK_BARS + 5, 10 * BLOCK_BARS + 6), "1h")
    assert touched == BarRange(10 * BLOCK_BARS + 5, 12 * BLOCK_BARS)


@given(ranges=RANGES)
def test_merge_keeps_the_bars_and_leaves_no_neighbours(ranges: list[BarRange]) -> None:
    merged = merge(ranges)
    assert [bar for each in merged for bar in range(*each)] == sorted({bar for each in ranges for bar in range(*each)})
    assert all(left.end < right.start for left, right in pairwise(merged))


@given(start=BAR, length=st.integers(1, 10 * BLOCK_BARS), blocks=st.integers(1, 4))
def test_pieces_cover_a_range_once_and_break_at_blocks(start: int, length: int, blocks: int) -> None:
    cut = pieces(BarRange(start, start + length), blocks)
    assert (cut[0].start, cut[-1].end) == (start, start + length)
    assert all(left.end == right.start for left, right in pairwise(cut))
    assert all(piece.start % BLOCK_BARS == 0 for piece in cut[1:])
    assert all(piece.end - piece.start <= blocks * BLOCK_BARS for piece in cut)
