"""P-values in words: one that rounds to zero is not zero."""

from __future__ import annotations

SMALLEST_P = 0.001


def p_figure(value: float) -> str:
    """The bare figure, e.g. for a table's cell: `0.042`, or `< 0.001`."""
    return f"< {SMALLEST_P}" if value < SMALLEST_P else f"{value:.3f}"


def p_stated(value: float) -> str:
    """For a sentence: `p = 0.042`, or `p < 0.001`."""
    return f"p {p_figure(value)}" if value < SMALLEST_P else f"p = {p_figure(value)}"
