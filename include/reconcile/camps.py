"""Who is wrong where candles of one hour disagree: the largest camp in agreement, counted by venues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from functools import cache
from itertools import combinations
from typing import NamedTuple


class Division(NamedTuple):
    """Columns outside the camp that is believed; `is_attributed` False where two camps have equal standing.

    Nobody is outside where all agree, or where those that disagree are linked by one that agrees with both.
    """

    outside: tuple[int, ...]
    is_attributed: bool


def divide(venues: Mapping[int, str], bad: Set[tuple[int, int]]) -> Division:
    """Divide the columns (keys of `venues`, each with its venue) by the pairs (i, j), i < j, that disagree.

    Series of one venue share its troubles: they count as one voice, so a camp needs two venues to be believed.
    """
    return _divide(tuple(sorted(venues.items())), frozenset(bad))


@cache
def _divide(members: tuple[tuple[int, str], ...], bad: frozenset[tuple[int, int]]) -> Division:
    if not bad:
        return Division((), True)
    venue = dict(members)
    camps: list[tuple[int, ...]] = []
    for size in range(len(members), 0, -1):
        for camp in combinations(sorted(venue), size):
            if not any(pair in bad for pair in combinations(camp, 2)) and not any(set(camp) < set(c) for c in camps):
                camps.append(camp)

    def standing(camp: Sequence[int]) -> tuple[int, int]:
        return len({venue[i] for i in camp}), len(camp)

    best = max(standing(camp) for camp in camps)
    leading = [set(camp) for camp in camps if standing(camp) == best]
    everyone = set(venue)
    if len(leading) == 1 and best[0] >= 2:
        return Division(tuple(sorted(everyone - leading[0])), True)
    if len(leading) > 1 and set.intersection(*leading):
        return Division((), True)
    by_venues = [set(camp) for camp in camps if standing(camp)[0] == best[0]]
    return Division(tuple(sorted(set.union(*by_venues))), False)
