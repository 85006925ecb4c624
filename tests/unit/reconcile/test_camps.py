"""Who is outside the camp that is believed."""

from __future__ import annotations

import pytest

from include.reconcile.camps import divide

THREE = {0: "binance", 1: "kraken", 2: "bitstamp"}
SIBLINGS = {0: "binance", 1: "binance", 2: "kraken"}
FOUR = {0: "binance", 1: "kraken", 2: "bitstamp", 3: "coinbase"}


@pytest.mark.parametrize(
    ("venues", "bad", "outside", "is_attributed"),
    [
        (THREE, set(), (), True),
        (THREE, {(0, 1), (0, 2)}, (0,), True),
        (THREE, {(0, 1)}, (), True),  # 2 agrees with both
        (THREE, {(0, 1), (0, 2), (1, 2)}, (0, 1, 2), False),
        ({0: "binance", 1: "kraken"}, {(0, 1)}, (0, 1), False),
        (SIBLINGS, {(0, 2), (1, 2)}, (0, 1, 2), False),  # one venue's two markets are one voice
        (SIBLINGS, {(0, 1), (0, 2)}, (0,), True),
        (FOUR, {(0, 2), (0, 3), (1, 2), (1, 3)}, (0, 1, 2, 3), False),
        (FOUR, {(0, 1), (0, 2), (0, 3), (1, 2), (1, 3)}, (0, 1), True),
    ],
)
def test_division(
    venues: dict[int, str], bad: set[tuple[int, int]], outside: tuple[int, ...], is_attributed: bool
) -> None:
    assert divide(venues, bad) == (outside, is_attributed)
