"""What is asked in which order where a source does not reach all of a stretch."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from include.collect.page_sources import PageSources, rest_only
from include.collect.sources import KRAKEN_OHLCVT, KRAKEN_TRADES, OUT_OF_REACH, Segment, SourceSettings
from include.venues.errors import OutOfReachError, UnavailableError, VenueError
from include.venues.model import CandlePage

HOUR = timedelta(hours=1)
START = datetime(2024, 3, 1, tzinfo=UTC)
END = START + 10 * HOUR
BEYOND = OutOfReachError("kraken", "not as old as that")


class Source:
    """Answers `held` hours of what it is asked for, then raises `error` where something is left."""

    def __init__(self, name: str, held: tuple[int, int] = (0, 0), error: VenueError = BEYOND) -> None:
        self.name, self.held, self.error = name, held, error
        self.asked: list[tuple[int, int]] = []

    def candles(
        self, venue_symbol: str, timeframe: str, start: datetime, end: datetime, now: datetime
    ) -> Iterator[CandlePage]:
        self.asked.append(((start - START) // HOUR, (end - START) // HOUR))
        first, until = max(start, START + self.held[0] * HOUR), min(end, START + self.held[1] * HOUR)
        if first < until:
            yield CandlePage([], [], "synthetic", self.name, "r", "0" * 64, first, until)
        if not (first <= start and until >= end):
            raise self.error


def pages(
    rest: Source, others: list[Source], source: str, *fallbacks: str
) -> tuple[list[tuple[str, int, int]], VenueError | None]:
    """Source and hours of each page, and the error after them."""
    venue: Any = rest
    sources = PageSources(venue, "kraken", {each.name: each.candles for each in others})
    found = []
    try:
        for page, file in sources.pages(Segment(source, START, END, "why", fallbacks), "XXBTZUSD", "1h", END):
            assert file is None
            found.append((page.source, (page.start - START) // HOUR, (page.end - START) // HOUR))
    except VenueError as error:
        return found, error
    return found, None


def test_what_a_source_does_not_reach_is_asked_of_the_next_and_of_nobody_else() -> None:
    rest, files = Source("kraken-rest", (6, 10)), Source(KRAKEN_OHLCVT, (2, 8))
    trades = Source(KRAKEN_TRADES, (0, 10))
    found = pages(rest, [files, trades], "kraken-rest", KRAKEN_OHLCVT, KRAKEN_TRADES, OUT_OF_REACH)
    assert found == ([("kraken-rest", 6, 10), (KRAKEN_OHLCVT, 2, 6), (KRAKEN_TRADES, 0, 2)], None)
    assert (files.asked, trades.asked) == ([(0, 6)], [(0, 2)])


def test_where_no_fallback_is_left_the_error_says_so() -> None:
    rest, files = Source("kraken-rest", (6, 10)), Source(KRAKEN_OHLCVT, (2, 8))
    assert pages(rest, [files], "kraken-rest", KRAKEN_OHLCVT, OUT_OF_REACH) == (
        [("kraken-rest", 6, 10), (KRAKEN_OHLCVT, 2, 6)],
        BEYOND,
    )
    assert pages(rest, [], "kraken-rest") == ([("kraken-rest", 6, 10)], BEYOND)


def test_a_source_that_is_down_is_not_replaced() -> None:
    down = UnavailableError("kraken", "HTTP 503")
    rest, trades = Source("kraken-rest", (0, 4), down), Source(KRAKEN_TRADES, (0, 10))
    assert pages(rest, [trades], "kraken-rest", KRAKEN_TRADES) == ([("kraken-rest", 0, 4)], down)
    assert trades.asked == []


@pytest.mark.parametrize(
    ("names", "settings"),
    [
        ((), SourceSettings()),
        ((KRAKEN_OHLCVT,), SourceSettings(kraken_ohlcvt=True)),
        ((KRAKEN_TRADES,), SourceSettings(kraken_trades=True)),
    ],
)
def test_a_plan_counts_on_what_is_at_hand(names: tuple[str, ...], settings: SourceSettings) -> None:
    venue: Any = Source("kraken-rest")
    assert PageSources(venue, "kraken", {name: Source(name).candles for name in names}).settings == settings
    assert rest_only(venue, "kraken").settings == SourceSettings()
