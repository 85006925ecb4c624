"""What a quote is worth in another: moves that all markets of a quote share are no fault of any of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from include.reconcile import thresholds as t
from include.reconcile.model import Floats, numeraire_rank
from include.reconcile.pairs import Measure, Pairs

# (quote, numeraire) -> log of its move beyond the usual
Moves = dict[tuple[str, str], float]


def common_moves(cases: Sequence[Pairs], measures: Sequence[Measure], row: int) -> Moves:
    """Moves of quotes beyond the usual that two base coins at least show alike in a row.

    Each market of the quote is a witness with its median distance from the markets of the numeraire. The move with
    most witnesses counts; without two base coins that agree there is none.
    """
    witnesses: dict[tuple[str, str], list[tuple[str, float, float]]] = {}
    for pairs, measure in zip(cases, measures, strict=True):
        instruments = pairs.panel.instruments
        found: dict[tuple[int, str], list[tuple[float, float]]] = {}
        for place, (i, j) in enumerate(pairs.index):
            distance, limit = float(measure.distance[place, row]), float(measure.threshold[place, row])
            first, second = instruments[i].quote, instruments[j].quote
            if first == second or np.isnan(distance) or pairs.is_off_level(place, row):
                continue
            if numeraire_rank(first) > numeraire_rank(second):
                found.setdefault((i, second), []).append((distance, limit))
            else:
                found.setdefault((j, first), []).append((-distance, limit))
        for (column, numeraire), seen in found.items():
            seen.sort()
            middle = min(seen[(len(seen) - 1) // 2], seen[len(seen) // 2], key=lambda pair: abs(pair[0]))
            witnesses.setdefault((instruments[column].quote, numeraire), []).append((pairs.panel.base, *middle))
    moves = {key: _agreed(said) for key, said in witnesses.items()}
    return {key: move for key, move in moves.items() if move}


def _agreed(said: list[tuple[str, float, float]]) -> float:
    """The move most witnesses (base, move, threshold) share, from two bases at least; 0 where there is none."""
    best = (0, 0.0, 0.0)
    for _, centre, reach in said:
        alike = min(reach / 2, max(t.ALIKE_FLOOR, t.ALIKE * abs(centre)))
        near = [(base, move) for base, move, _ in said if abs(move - centre) <= alike]
        if len({base for base, _ in near}) >= 2:
            move = float(np.median([move for _, move in near]))
            best = max(best, (len(near), -abs(move), move))
    return best[2]


def less_moves(pairs: Pairs, measure: Measure, row: int, moves: Moves) -> Floats:
    """Distances of a row without what the moves of quotes add to them."""
    distance = measure.distance[:, row].copy()
    for place, (i, j) in enumerate(pairs.index):
        first, second = (pairs.panel.instruments[k].quote for k in (i, j))
        if not pairs.is_off_level(place, row):
            distance[place] += moves.get((second, first), 0.0) - moves.get((first, second), 0.0)
    return distance


def moved_quotes(cases: Sequence[Pairs], pairs: Pairs, measure: Measure, row: int, places: Collection[int]) -> set[str]:
    """Quotes whose own move explains all pairs (`places`) that disagree in a row; none where it does not.

    The division has to run along quotes. It is believed where two venues at least stand on either side; else only if
    no other base coin contradicts it and the distance goes over into the next candle, as no slip of a price does.
    """
    instruments = pairs.panel.instruments
    quotes = [instrument.quote for instrument in instruments]
    if not _may_be_quotes(pairs, measure, row, places):
        return set()
    present = np.flatnonzero(pairs.panel.present[row])
    numeraire = min((quotes[k] for k in present), key=numeraire_rank)
    moved = {quotes[k] for place in places for k in pairs.index[place]} - {numeraire}
    sides = [{instruments[k].venue for k in present if (quotes[k] in moved) is side} for side in (True, False)]
    if min(map(len, sides)) >= 2:
        return moved
    if any(_has_both(other, row, moved, {numeraire}) for other in cases if other is not pairs):
        return set()
    columns = {k for place in places for k in pairs.index[place] if quotes[k] in moved}
    return moved if all(_carried_over(pairs, measure, row, places, column) for column in columns) else set()


def moves_alone(
    cases: Sequence[Pairs], pairs: Pairs, measure: Measure, row: int, column: int, places: Collection[int]
) -> bool:
    """Whether a market that stands apart in `places` moves with its quote, as far as its own candles can tell."""
    quotes = [instrument.quote for instrument in pairs.panel.instruments]
    across = [place for place in places if quotes[pairs.index[place][0]] != quotes[pairs.index[place][1]]]
    if not across or not _may_be_quotes(pairs, measure, row, across):
        return False
    others = {quotes[k] for place in across for k in pairs.index[place]} - {quotes[column]}
    if any(_has_both(other, row, {quotes[column]}, others) for other in cases if other is not pairs):
        return False
    return _carried_over(pairs, measure, row, across, column)


def _may_be_quotes(pairs: Pairs, measure: Measure, row: int, places: Collection[int]) -> bool:
    quotes = [instrument.quote for instrument in pairs.panel.instruments]
    return measure.name in {"close", "open"} and not any(
        quotes[pairs.index[place][0]] == quotes[pairs.index[place][1]] or pairs.is_off_level(place, row)
        for place in places
    )


def _has_both(pairs: Pairs, row: int, moved: set[str], others: set[str]) -> bool:
    """Whether this base has markets of both sides and would show the move as well."""
    here = {pairs.panel.instruments[k].quote for k in np.flatnonzero(pairs.panel.present[row])}
    return bool(moved & here) and bool(others & here)


def _carried_over(pairs: Pairs, measure: Measure, row: int, places: Collection[int], column: int) -> bool:
    """Whether a market's distance of a close stands in the next open too, or that of an open in the close before.

    One other market with which it does is enough: the others may be wrong in either candle, a wrong close or open of
    this market would show against all.
    """
    at_close = measure.name == "close"
    here, other, there = (
        (pairs.apart, pairs.apart_at_open, row + 1) if at_close else (pairs.apart_at_open, pairs.apart, row - 1)
    )
    if not 0 <= there < other.shape[1]:
        return False
    own = [place for place in places if column in pairs.index[place]]
    change = np.abs(other[own, there] - here[own, row])
    return bool(np.any(change <= np.abs(measure.distance[own, row]) / 2))


def quote_levels(cases: Sequence[Pairs]) -> list[Floats]:
    """For each base the log of each column's quote in the foremost other quote [column, row]; NaN where unknown.

    The level of an hour is known where two base coins show it alike; else the usual one of the base is taken, which
    no single candle can bend.
    """
    own = [_levels(pairs, pairs.apart) for pairs in cases]
    usual = [_levels(pairs, pairs.usual) for pairs in cases]
    levels = []
    for pairs, known, here in zip(cases, usual, own, strict=True):
        level = np.full((len(pairs.panel.instruments), pairs.apart.shape[1]), np.nan)
        for column, instrument in enumerate(pairs.panel.instruments):
            for key in sorted(known, key=lambda key: numeraire_rank(key[1])):
                if key[0] != instrument.quote:
                    continue
                others = [each[key] for each in own if each is not here and key in each]
                seen = here[key]
                alike = np.zeros(seen.shape, dtype=np.bool_)
                for other in others:
                    alike |= np.abs(other - seen) <= np.maximum(t.ALIKE_FLOOR, t.ALIKE * np.abs(seen))
                value = np.where(alike, seen, np.where(np.isnan(seen), np.nan, known[key]))
                level[column] = np.where(np.isnan(level[column]), value, level[column])
        levels.append(level)
    return levels


def _levels(pairs: Pairs, distances: Floats) -> dict[tuple[str, str], Floats]:
    """Median distance [row] of the markets of a quote from those of each prior one, as (quote, prior quote) -> log."""
    by_quotes: dict[tuple[str, str], list[Floats]] = {}
    for place, (i, j) in enumerate(pairs.index):
        first, second = (pairs.panel.instruments[k].quote for k in (i, j))
        if first != second:
            there = np.where(np.isnan(pairs.apart[place]), np.nan, distances[place])
            forward = numeraire_rank(first) > numeraire_rank(second)
            by_quotes.setdefault((first, second) if forward else (second, first), []).append(
                there if forward else -there
            )
    levels = {}
    for key, stack in by_quotes.items():
        values = np.stack(stack)
        some = ~np.isnan(values).all(axis=0)
        levels[key] = np.full(values.shape[1], np.nan)
        levels[key][some] = np.nanmedian(values[:, some], axis=0)
    return levels
