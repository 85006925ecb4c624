"""Requests under way at once: order, number, errors, and leaving early."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.venues.in_flight import in_order


@given(questions=st.lists(st.integers()), at_once=st.integers(1, 5))
def test_answers_come_in_the_order_of_the_questions(questions: list[int], at_once: int) -> None:
    assert list(in_order(lambda number: number * 2, questions, at_once)) == [number * 2 for number in questions]


def test_as_many_as_allowed_are_under_way_and_no_more() -> None:
    together = threading.Barrier(3, timeout=5)
    asked: list[int] = []

    def ask(number: int) -> int:
        asked.append(number)
        if number < 3:
            together.wait()  # would time out if the three were not under way at once
        return number

    answers = in_order(ask, iter(range(100)), 3)
    assert next(answers) == 0
    assert len(asked) <= 4
    answers.close()  # type: ignore[attr-defined]
    assert len(asked) <= 4


def test_an_error_comes_in_its_place_and_ends_it() -> None:
    asked: list[int] = []

    def ask(number: int) -> int:
        asked.append(number)
        if number == 2:
            raise LookupError("the third")
        return number

    answers = in_order(ask, range(100), 2)
    assert [next(answers), next(answers)] == [0, 1]
    with pytest.raises(LookupError, match="the third"):
        next(answers)
    assert len(asked) <= 4
    assert list(answers) == []
