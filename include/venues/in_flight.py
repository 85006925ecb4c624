"""Several requests of one task under way at once, their answers in the order they were asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


def in_order(ask: Callable[[Q], A], questions: Iterable[Q], at_once: int) -> Iterator[A]:
    """`ask` of each question, `at_once` of them under way, answers in the order of the questions.

    No more than `at_once` answers exist at a time, however many questions there are: the next question is asked when
    an answer is taken. The first error is raised in its place and ends it; so does the caller's leaving. What is
    under way then is waited for, what is not yet asked is not asked.
    """
    waiting = iter(questions)
    with ThreadPoolExecutor(at_once, thread_name_prefix="in-flight") as pool:
        under_way: deque[Future[A]] = deque(pool.submit(ask, question) for question in islice(waiting, at_once))
        try:
            while under_way:
                answer = under_way.popleft().result()
                under_way.extend(pool.submit(ask, question) for question in islice(waiting, 1))
                yield answer
        finally:
            for future in under_way:
                future.cancel()
