"""Who stands apart in a row of one measure, and whether it is the quote that moved or the market that is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from include.reconcile import thresholds as t
from include.reconcile.basis import moved_quotes, moves_alone
from include.reconcile.camps import divide
from include.reconcile.model import Finding, Floats
from include.reconcile.pairs import Measure, Pairs

Edge = tuple[int, int]


def blame(cases: Sequence[Pairs], pairs: Pairs, measure: Measure, row: int, distance: Floats) -> Iterator[Finding]:
    """Findings of one row; `distance` [pair]: the measure's, less what is explained already.

    cases: all base coins of the comparison, for what they say of a quote.
    """
    bad = {place for place in range(len(pairs.index)) if abs(distance[place]) > measure.threshold[place, row]}
    if not bad:
        return
    apart = {
        place: abs(float(distance[place])) for place in range(len(pairs.index)) if distance[place] == distance[place]
    }
    venues = {k: pairs.panel.instruments[k].venue for place in apart for k in pairs.index[place]}
    if not divide(venues, _edges(pairs, bad)).outside:
        return
    quotes = moved_quotes(cases, pairs, measure, row, bad)
    if quotes:
        for column in _columns(pairs, bad):
            if pairs.panel.instruments[column].quote in quotes:
                yield _finding(pairs, measure, row, column, distance, bad, (column,), is_basis=True)
        return
    while bad:
        wide = t.SIDING * max(apart[place] for place in bad)
        division = divide(
            venues, _edges(pairs, {p for p in apart if apart[p] > wide and {*pairs.index[p]} <= {*venues}})
        )
        involved = _columns(pairs, bad)
        named = {*division.outside} & {*involved} if division.is_attributed else set()
        if not named:
            for column in involved:
                yield _finding(pairs, measure, row, column, distance, bad, involved, is_basis=False)
            return
        for column in sorted(named):
            against = {p for p in bad if column in pairs.index[p] and len(named & {*pairs.index[p]}) == 1} or bad
            is_basis = moves_alone(cases, pairs, measure, row, column, against)
            yield _finding(pairs, measure, row, column, distance, against, (column,), is_basis=is_basis)
        venues = {k: venue for k, venue in venues.items() if k not in named}
        bad = {p for p in bad if {*pairs.index[p]} <= {*venues}}


def _edges(pairs: Pairs, places: set[int]) -> frozenset[Edge]:
    return frozenset(pairs.index[place] for place in places)


def _columns(pairs: Pairs, places: set[int]) -> tuple[int, ...]:
    return tuple(sorted({k for place in places for k in pairs.index[place]}))


def _finding(
    pairs: Pairs,
    measure: Measure,
    row: int,
    column: int,
    distance: Floats,
    places: set[int],
    suspects: tuple[int, ...],
    *,
    is_basis: bool,
) -> Finding:
    """The finding on a column, with the figures of the pair that is furthest beyond its threshold."""
    own = {place for place in places if column in pairs.index[place]} or places
    worst = max(own, key=lambda place: abs(distance[place]) / measure.threshold[place, row])
    off = float(distance[worst]) * (1.0 if pairs.index[worst][0] == column else -1.0)
    limit = float(measure.threshold[worst, row])
    reason = measure.name
    if reason in {"time_shift", "column_order"}:
        off = limit = float("nan")  # shares of a scatter, no distances
    if reason in {"close", "open"} and limit in {t.LEVEL, t.SAME_QUOTE_LEVEL}:
        reason = "level"
    if is_basis:
        return Finding(row, column, "quote_basis", reason, off, limit, suspects, off)
    return Finding(row, column, "outlier", reason, off, limit, suspects, float("nan"))
