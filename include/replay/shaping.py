"""A venue's book with the faults of a plan in its rows, so that no twin needs to know of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from include.replay import bars as b
from include.replay.bars import Bars
from include.replay.clock import ReplayClock
from include.replay.fault_plan import FaultPlan, HostPlan, Wish, chance
from include.replay.revisions import Revisions, grown
from include.replay.world import Book, ReplayMarket

_MISSING = ("late", "hole", "truncated")
_TRUNCATED_AFTER_DAY = 10
_STILL_TO_COME = 101  # percent of the volume before it is revised

Mask = NDArray[np.bool_]


class FaultyBook:
    """The book as a host shows it while a plan is in force: rows late, missing, doubled, out of order, not final.

    `whole` is the book without faults: prices of a moment, candles in progress and figures of a day come from it.
    host: whose plan counts. revisions: of the venue; the archive has those of its exchange.
    """

    def __init__(self, whole: Book, host: str, plan: FaultPlan, revisions: Revisions, clock: ReplayClock) -> None:
        self.whole = whole
        self._host = host
        self._plan = plan
        self._revisions = revisions
        self._clock = clock
        # Of a plan: in how many answers a candle has met a fault that ends after some.
        self._counted_for: HostPlan | None = None
        self._met: dict[tuple[str, str, str, int], int] = {}

    @property
    def markets(self) -> Mapping[str, ReplayMarket]:
        plan = self._plan.of(self._host)
        wish = plan.wishes.get("delisted") if plan else None
        if plan is None or wish is None or wish.starts_at is None or self._clock.now() < wish.starts_at:
            return self.whole.markets
        return {symbol: market for symbol, market in self.whole.markets.items() if not wish.concerns(symbol)}

    def finer(self, symbol: str, timeframe: str) -> str | None:
        return self.whole.finer(symbol, timeframe)

    def closed(self, symbol: str, timeframe: str, start_ms: int, end_ms: int, limit: int, newest: bool) -> Bars:
        plan = self._plan.of(self._host)
        if plan is None:
            page = self.whole.closed(symbol, timeframe, start_ms, end_ms, limit, newest)
            return self._revisions.applied(symbol, timeframe, page)
        if plan is not self._counted_for:
            self._counted_for, self._met = plan, {}
        wanted = limit
        while True:
            page = self.whole.closed(symbol, timeframe, start_ms, end_ms, wanted, newest)
            struck = {kind: self._struck(plan, kind, symbol, timeframe, page) for kind in _MISSING}
            hidden = np.logical_or.reduce(list(struck.values()))
            short = limit - (len(page) - int(hidden.sum()))
            if short <= 0 or len(page) < wanted:
                break
            wanted = 2 * wanted + short
        shown = np.flatnonzero(~hidden)
        reached = slice(None)
        if len(shown) > limit:
            reached = slice(shown[-limit], None) if newest else slice(shown[limit - 1] + 1)
        for kind, mask in struck.items():
            self._count(plan, kind, symbol, timeframe, page[reached], mask[reached])
        page = page[reached][~hidden[reached]]
        page = self._revisions.applied(symbol, timeframe, page)
        return self._disturbed(plan, symbol, timeframe, page, limit, newest)

    def _disturbed(self, plan: HostPlan, symbol: str, timeframe: str, page: Bars, limit: int, newest: bool) -> Bars:
        """The page with rows of smaller volume, second rows and exchanged rows."""

        def strike(kind: str) -> Mask:
            mask = self._struck(plan, kind, symbol, timeframe, page)
            self._count(plan, kind, symbol, timeframe, page, mask)
            return mask

        is_full = len(page) >= limit
        early = strike("revised")
        if early.any():
            page = page.copy()
            for column in (b.BASE, b.QUOTE, b.TRADES, b.TAKER_BASE, b.TAKER_QUOTE):
                page[early, column] = page[early, column] * 100 // _STILL_TO_COME
        doubled, contradicted = strike("duplicate"), strike("contradicting")
        swapped = strike("out_of_order")
        times = 1 + (doubled | contradicted)
        if times.max(initial=1) > 1:
            second = np.repeat(contradicted, times) & np.r_[False, np.diff(np.repeat(np.arange(len(page)), times)) == 0]
            page, swapped = np.repeat(page, times, axis=0), np.repeat(swapped, times)
            page[second] = grown(page[second])
            if is_full:  # second rows take the place of others, as a venue's own limit would have it
                first = max(0, len(page) - limit) if newest else 0
                first += bool(second[first])  # a false row never stands without the true one
                page, swapped = page[first : first + limit], swapped[first : first + limit]
        for row in np.flatnonzero(swapped[:-1]):
            page = page.copy()
            page[[row, row + 1]] = page[[row + 1, row]]
        return page

    def _struck(self, plan: HostPlan, kind: str, symbol: str, timeframe: str, page: Bars) -> Mask:
        """Which rows meet a fault of this kind now."""
        struck = np.zeros(len(page), dtype=np.bool_)
        wish = plan.wishes.get(kind)
        if wish is None or not wish.concerns(symbol) or (wish.until_request and plan.requests >= wish.until_request):
            return struck
        opens = page[:, b.OPEN_TIME]
        within = np.ones(len(page), dtype=np.bool_)
        if wish.starts_at:
            within &= opens >= wish.starts_at.timestamp() * 1000
        if wish.ends_at:
            within &= opens < wish.ends_at.timestamp() * 1000
        if wish.seconds:
            within &= opens + b.STEP_MS[timeframe] + wish.seconds * 1000 > self._clock.now_ms()
        if kind in _MISSING and within.any():
            within &= opens != self._first_open(symbol, timeframe)
        for row in np.flatnonzero(within):
            struck[row] = self._is_chosen(plan, kind, wish, symbol, timeframe, int(opens[row]))
        return struck

    def _first_open(self, symbol: str, timeframe: str) -> int:
        """The market's first candle is never missing: it tells when the market was listed."""
        return int(self.whole.closed(symbol, timeframe, 0, self._clock.now_ms(), 1, False)[0, b.OPEN_TIME])

    def _is_chosen(self, plan: HostPlan, kind: str, wish: Wish, symbol: str, timeframe: str, opened_ms: int) -> bool:
        chosen: object = opened_ms
        if kind == "truncated":
            date = np.datetime64(opened_ms, "ms")
            month = date.astype("datetime64[M]")
            if int((date - month) // np.timedelta64(1, "D")) < _TRUNCATED_AFTER_DAY:
                return False
            chosen = month
        if wish.share < 1 and chance(plan.seed, self._host, kind, symbol, timeframe, chosen) >= wish.share:
            return False
        return not wish.answers or self._met.get((kind, symbol, timeframe, opened_ms), 0) < wish.answers

    def _count(self, plan: HostPlan, kind: str, symbol: str, timeframe: str, page: Bars, struck: Mask) -> None:
        wish = plan.wishes.get(kind)
        if wish is None:
            return
        plan.done[kind] += int(struck.sum())
        if wish.answers:
            for opened in page[struck, b.OPEN_TIME].tolist():
                key = (kind, symbol, timeframe, opened)
                self._met[key] = self._met.get(key, 0) + 1
