"""Any text can be kept, and the usual one as it is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from include.warehouse.text import storable


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00")))
def test_what_postgresql_holds_stays_as_it_is(text: str) -> None:
    assert storable(text) == text


def test_what_it_refuses_is_written_out() -> None:
    assert storable("a\x00b\ud800c") == "a\\u0000b\\ud800c"


@given(st.text())
def test_nothing_is_left_that_it_refuses(text: str) -> None:
    assert b"\x00" not in storable(text).encode()
