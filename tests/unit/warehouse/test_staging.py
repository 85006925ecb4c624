"""Duplicates within one batch."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.warehouse.staging import ContradictingRowsError, UpsertCounts, merge_duplicates


@given(st.dictionaries(st.integers(), st.text()), st.randoms())
def test_any_order_and_repetition_merges_to_the_same_rows(rows: dict[int, str], random: object) -> None:
    once = list(rows.items())
    shuffled = once * 2
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert merge_duplicates(shuffled, key=lambda row: row[0]) == sorted(once)


def test_equal_decimals_of_different_text_are_equal() -> None:
    assert merge_duplicates([(1, Decimal("1.0")), (1, Decimal("1.00"))], key=lambda row: row[0]) == [
        (1, Decimal("1.0"))
    ]


def test_unequal_rows_of_one_key_name_both() -> None:
    with pytest.raises(ContradictingRowsError, match=r"for 1: \(1, 'a'\) and \(1, 'b'\)"):
        merge_duplicates([(1, "a"), (1, "b")], key=lambda row: row[0])


def test_counts_add_up() -> None:
    assert UpsertCounts(1, 2, 3).plus(UpsertCounts(10, 20, 30)) == UpsertCounts(11, 22, 33)
