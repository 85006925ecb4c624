"""How complete candles are, as trust says it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from include.coverage.equation import SeriesCoverage
from include.serving.trust import Reason


def unexplained(counted: SeriesCoverage) -> Reason | None:
    """A reason to abstain where candles are neither held nor explained."""
    if not counted.unknown:
        return None
    first = counted.unknown[0]
    number = counted.equation.unknown
    text = f"{number} of {counted.equation.expected} candles are neither held nor explained, first {first}"
    return Reason("incomplete", text, first.span.start)


def complete_until(counted: SeriesCoverage) -> datetime | None:
    """The first open time that is still to come or neither held nor explained, else the end of what is expected."""
    missing = [each.span.start for each in counted.unknown] + [span.start for span in counted.spans["pending"]]
    return min(missing) if missing else counted.extent and counted.extent.end


def percent_held(counted: Sequence[SeriesCoverage]) -> float | None:
    """Share of all the candles expected that are held, 0 to 100; None where none is expected."""
    expected = sum(each.equation.expected for each in counted)
    return 100 * sum(each.equation.observed for each in counted) / expected if expected else None
