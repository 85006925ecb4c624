"""Windows of several pages: asked for at once, handed on in order, each with what it is evidence of."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.candles.batch import CandleBatch
from include.candles.timeframes import EPOCH
from include.venues import binance
from include.venues.binance import Binance
from include.venues.errors import RateLimitedError, UnavailableError
from include.venues.gate import Gate
from include.venues.http import Response, Retry
from include.venues.model import CandlePage

START = datetime(2024, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOW = START + timedelta(days=365)
PAGE = 5


def ms(at: datetime) -> int:
    return (at - EPOCH) // timedelta(milliseconds=1)


def kline(opened_at: datetime) -> list[Any]:
    end = ms(opened_at) + 3_599_999
    return [ms(opened_at), "10.00000000", "12.00000000", "9.00000000", "11.00000000", "5.00000000", end,
            "52.00000000", 3, "2.00000000", "21.00000000", "0"]  # fmt: skip


class Venue:
    """Klines as Binance selects them, `limit` rows at most, whatever is asked for."""

    def __init__(self, rows: list[Any], limit: int = PAGE) -> None:
        self.rows, self.limit = rows, limit
        self.asked: list[int] = []

    def get(self, path: str, params: Any = None, headers: Any = None) -> Response:
        self.asked.append(params["startTime"])
        chosen = [row for row in self.rows if params["startTime"] <= row[0] <= params["endTime"]]
        body = json.dumps(chosen[: min(self.limit, params["limit"])], separators=(",", ":"))
        return Response(200, {}, body.encode(), f"{path}?{params}")


@contextmanager
def small_pages() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(binance, "LIMITS", dataclasses.replace(binance.LIMITS, page_size=PAGE))
        yield


def pages(venue: Any, start: datetime, end: datetime, **given: Any) -> list[CandlePage]:
    with small_pages():
        return list(Binance(venue, **given).candles("BTCUSDT", "1h", start, end, NOW))


def opened(found: list[CandlePage]) -> list[datetime]:
    return [candle.opened_at for page in found for candle in page.candles]


@given(
    missing=st.sets(st.integers(0, 32)),
    odd=st.dictionaries(st.integers(0, 32), st.integers(1, 3_599_999), max_size=4),
    limit=st.integers(1, PAGE),
    window=st.tuples(st.integers(-3, 35), st.integers(-3, 35)),
)
def test_nothing_is_lost_or_doubled_and_the_evidence_is_whole_and_true(
    missing: set[int], odd: dict[int, int], limit: int, window: tuple[int, int]
) -> None:
    there = [START + hour * HOUR for hour in range(33) if hour not in missing]
    beside = [START + hour * HOUR + timedelta(milliseconds=late) for hour, late in odd.items()]
    start, end = (START + hour * HOUR for hour in window)
    found = pages(Venue([kline(at) for at in sorted([*there, *beside])], limit), start, end)
    expected = [at for at in there if start <= at < end]
    assert opened(found) == expected
    refused = [row.opened_at for page in found for row in page.rejected if row.opened_at]
    assert refused == sorted(set(refused))
    # A lower limit may cut off what opens beside the hour that ends a request's window: no candle can.
    lost = {at for at in beside if start <= at < end} - set(refused)
    assert set(refused) <= set(beside)
    assert all(at >= end - HOUR or (at - start) // HOUR % PAGE == PAGE - 1 for at in lost)
    assert not found or (found[0].start, found[-1].end) == (start, end)
    assert all(one.end == other.start for one, other in pairwise(found))
    for page in found:
        assert [candle.opened_at for candle in page.candles] == [at for at in there if page.start <= at < page.end]


def test_whole_pages_come_as_columns_one_request_each() -> None:
    venue = Venue([kline(START + hour * HOUR) for hour in range(20)])
    found = pages(venue, START, START + 20 * HOUR)
    assert sorted(venue.asked) == [ms(START + hour * HOUR) for hour in (0, 5, 10, 15)]
    assert [(type(page.candles), len(page.candles)) for page in found] == [(CandleBatch, 5)] * 4


def test_an_end_between_two_hours_takes_the_hour_it_falls_into() -> None:
    (page,) = pages(Venue([kline(START), kline(START + HOUR)]), START, START + 1.5 * HOUR)
    assert (len(page.candles), page.start, page.end) == (2, START, START + 2 * HOUR)


class Slow(Venue):
    """Answers when `together` requests are under way."""

    def __init__(self, rows: list[Any], together: int) -> None:
        super().__init__(rows)
        self.barrier = threading.Barrier(together, timeout=5)

    def get(self, path: str, params: Any = None, headers: Any = None) -> Response:
        answer = super().get(path, params)
        self.barrier.wait()
        return answer


def test_pages_are_asked_for_together_and_come_in_order() -> None:
    hours = [START + hour * HOUR for hour in range(6 * PAGE)]
    found = pages(Slow([kline(at) for at in hours], together=3), hours[0], hours[-1] + HOUR, concurrency=3)
    assert opened(found) == hours


def test_who_leaves_early_asks_for_no_more() -> None:
    hours = [START + hour * HOUR for hour in range(100 * PAGE)]
    venue = Venue([kline(at) for at in hours])
    with small_pages():
        left = Binance(venue, concurrency=2).candles("BTCUSDT", "1h", hours[0], hours[-1] + HOUR, NOW)
        next(left)
        left.close()  # type: ignore[attr-defined]
    assert len(venue.asked) <= 4
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("in-flight")]


def test_a_refusal_comes_after_the_pages_before_it() -> None:
    class Refusing(Venue):
        def get(self, path: str, params: Any = None, headers: Any = None) -> Response:
            answer = super().get(path, params)
            return Response(429, {"Retry-After": "7"}, b"{}", path) if params["startTime"] > ms(START) else answer

    venue = Refusing([kline(START + hour * HOUR) for hour in range(40 * PAGE)])
    with small_pages():
        found = Binance(venue).candles("BTCUSDT", "1h", START, START + 40 * PAGE * HOUR, NOW)
        assert len(next(found).candles) == PAGE
        with pytest.raises(RateLimitedError):
            next(found)
    assert len(venue.asked) < 20


def test_every_request_goes_through_the_gate_with_its_weight() -> None:
    class Counting(Gate):
        def __init__(self) -> None:
            self.entered: list[float] = []
            self.left: list[int] = []

        def enter(self, weight: float) -> None:
            self.entered.append(weight)

        def leave(self, weight: float, response: Response | None, error: Any) -> None:
            self.left.append(response.status if response else 0)

    gate = Counting()
    pages(Venue([kline(START + hour * HOUR) for hour in range(20)]), START, START + 20 * HOUR, gate=gate)
    assert (gate.entered, gate.left) == ([2] * 4, [200] * 4)


class Fixed:
    def __init__(self, rows: Any) -> None:
        self.rows = rows

    def get(self, path: str, params: Any = None, headers: Any = None) -> Response:
        return Response(200, {}, json.dumps(self.rows).encode(), path)


def test_a_page_of_which_no_row_can_be_read_is_kept_for_the_quarantine() -> None:
    broken = [[*kline(START + hour * HOUR)[:4], None, *kline(START)[5:]] for hour in range(3)]
    (page,) = pages(Fixed(broken), START, START + 3 * HOUR)
    assert (page.candles, page.start, page.end) == ([], START, START + 3 * HOUR)
    assert [row.opened_at for row in page.rejected] == [START + hour * HOUR for hour in range(3)]
    (page,) = pages(Fixed([{"a": 1}, None]), START, START + 3 * HOUR)
    assert [row.opened_at for row in page.rejected] == [None, None]


@pytest.mark.parametrize("rows", [{}, "rows", 7, None])
def test_an_answer_that_is_no_list_is_an_outage(retry: Retry, rows: Any) -> None:
    with pytest.raises(UnavailableError, match="cannot be read"):
        pages(Fixed(rows), START, START + 3 * HOUR, retry=retry)
