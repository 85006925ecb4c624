"""A digest sees what a model has learned, and nothing of how it lies in memory."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from include.forecasting.digest import state_sha256

RECORD = np.zeros(2, dtype=[("leaf", "u1"), ("value", "<f8")])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (0.1, np.nextafter(0.1, 1.0)),
        (1, 1.0),
        (1, True),
        (0.0, -0.0),
        (None, "None"),
        ([1, 2], [2, 1]),
        ([[1], 2], [[1, 2]]),
        (["ab", "c"], ["a", "bc"]),
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, [("a", 1)]),
        (np.zeros(4), np.zeros((2, 2))),
        (np.zeros(4), np.zeros(4, dtype=np.float32)),
        (np.array(["a"], dtype=object), np.array(["b"], dtype=object)),
        (SimpleNamespace(a=1), SimpleNamespace(a=2)),
        (np.random.RandomState(0), np.random.RandomState(1)),
        (int, float),
        (np.dtype("f4"), np.dtype("f8")),
    ],
)
def test_what_differs_differs(one: Any, other: Any) -> None:
    assert state_sha256(one) == state_sha256(one)
    assert state_sha256(one) != state_sha256(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ((1, 2), [1, 2]),  # a stored tuple may come back as a list
        (np.float64(0.1), 0.1),
        (np.int64(3), 3),
        (np.arange(6.0).reshape(2, 3).T, np.ascontiguousarray(np.arange(6.0).reshape(2, 3).T)),
        (np.arange(3, dtype=">i8"), np.arange(3, dtype="<i8")),
    ],
)
def test_what_is_the_same_is_the_same(one: Any, other: Any) -> None:
    assert state_sha256(one) == state_sha256(other)


def test_what_lies_between_the_fields_of_a_record_does_not_count() -> None:
    aligned = np.dtype([("leaf", "u1"), ("value", "<f8")], align=True)
    first, second = (np.frombuffer(bytearray([fill] * 32), dtype=aligned).copy() for fill in (0, 255))
    for values in (first, second):
        values["leaf"], values["value"] = 1, 2.0
    assert state_sha256(first) == state_sha256(second)
    second["value"][1] = 3.0
    assert state_sha256(first) != state_sha256(second)


def test_a_state_that_cannot_be_seen_is_refused() -> None:
    class Hidden:
        __slots__ = ()

        def __reduce__(self) -> str:
            return "hidden"

    with pytest.raises(TypeError, match="Hidden"):
        state_sha256(Hidden())
