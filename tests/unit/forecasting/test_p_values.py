"""No p-value is zero, in any table or sentence."""

from __future__ import annotations

import pytest

from include.forecasting.p_values import p_figure, p_stated


@pytest.mark.parametrize(
    ("value", "figure", "stated"),
    [
        (0.0, "< 0.001", "p < 0.001"),
        (0.00099, "< 0.001", "p < 0.001"),
        (0.001, "0.001", "p = 0.001"),
        (0.0415, "0.042", "p = 0.042"),
        (1.0, "1.000", "p = 1.000"),
    ],
)
def test_in_words(value: float, figure: str, stated: str) -> None:
    assert (p_figure(value), p_stated(value)) == (figure, stated)
