"""The rows of one OHLC answer: what was traded, flat rows where nothing was, and the candle in progress at the end."""

from __future__ import annotations

from include.replay import bars as b
from include.replay import kraken_bodies as bodies
from include.replay.bars import STEP_MS, Bars, decimal_text
from include.replay.errors import NotServedError
from include.replay.kraken_tape import Tape
from include.replay.world import Book, ReplayMarket, forming, whole

Row = list[object]
_NO_LIMIT = 10**9
_LOOKED_AT = 10


def ohlc_rows(
    book: Book, tape: Tape, market: ReplayMarket, timeframe: str, now_ms: int, since: int | None, most_rows: int
) -> tuple[list[Row], int]:
    """Rows that open after `since` (seconds), and the open time in seconds of the newest committed one.

    At most `most_rows`, the newest; nothing from before the first trade. The last one is always that in progress.
    """
    step_ms = STEP_MS[timeframe]
    current = now_ms - now_ms % step_ms
    first = tape.first_open(market.symbol, timeframe, now_ms)
    if first is None:
        raise NotServedError(f"no trade of {market.symbol} before the world's now")
    # The newest rows are looked at even where they are not asked for: they tell what has been committed.
    asked = 0 if since is None else min(since * 1000 // step_ms, current // step_ms - _LOOKED_AT) * step_ms
    start = max(first, current - (most_rows - 1) * step_ms, asked)
    rows = _traded_or_flat(tape, market, timeframe, start, current)
    price = tape.last_close(market.symbol, current)
    live = _live_row(book, market, timeframe, now_ms, price)
    shown = _as_shown(book, market, timeframe, rows, start, current)
    last = max((opened for opened, _ in shown), default=current - step_ms) // 1000
    return [*(row for opened, row in shown if since is None or opened > since * 1000), live], last


def _traded_or_flat(tape: Tape, market: ReplayMarket, timeframe: str, start: int, end: int) -> dict[int, Row]:
    """A row for every open time (ms) in [start, end)."""
    sums = tape.candles(market.symbol, timeframe, start, end)
    traded: dict[int, tuple[list[int], int]] = {
        row[b.OPEN_TIME]: (row, worth) for row, worth in zip(sums.bars.tolist(), sums.worth, strict=True)
    }
    price = tape.last_close(market.symbol, start)
    rows: dict[int, Row] = {}
    for opened in range(start, end, STEP_MS[timeframe]):
        if opened in traded:
            row, worth = traded[opened]
            rows[opened] = bodies.ohlc_row(market, row, worth)
            price = row[b.CLOSE]
        elif price is not None:
            rows[opened] = bodies.flat_row(market, opened, price)
    return rows


def _live_row(book: Book, market: ReplayMarket, timeframe: str, now_ms: int, price: int | None) -> Row:
    """The candle in progress, flat while nothing was traded in it."""
    live = forming(book, market.symbol, timeframe, now_ms)
    if len(live) and live[0, b.BASE] > 0:
        row: list[int] = live[0].tolist()
        row[b.TRADES] = max(row[b.TRADES], 1)
        return bodies.ohlc_row(market, row, row[b.CLOSE] * row[b.BASE])
    opened = now_ms - now_ms % STEP_MS[timeframe]
    return bodies.flat_row(market, opened, int(live[0, b.OPEN]) if price is None else price)


def _as_shown(
    book: Book, market: ReplayMarket, timeframe: str, rows: dict[int, Row], start: int, end: int
) -> list[tuple[int, Row]]:
    """The rows with their open times (ms) as the book shows them: some missing, twice, changed or not in order."""
    if whole(book) is book:
        return list(rows.items())
    true = _by_open(whole(book).closed(market.symbol, timeframe, start, end, _NO_LIMIT, False))
    shown: list[list[int]] = book.closed(market.symbol, timeframe, start, end, _NO_LIMIT, False).tolist()
    flat = [opened for opened in rows if opened not in true]
    result: list[tuple[int, Row]] = []
    for row in shown:
        opened = row[b.OPEN_TIME]
        while flat and flat[0] < opened:
            result.append((flat[0], rows[flat.pop(0)]))
        result.append((opened, rows[opened] if row == true[opened] else _changed(rows[opened], row)))
    return result + [(opened, rows[opened]) for opened in flat]


def _by_open(bars: Bars) -> dict[int, list[int]]:
    return {row[b.OPEN_TIME]: row for row in bars.tolist()}


def _changed(row: Row, bar: list[int]) -> Row:
    """The row with the volume and count of another version of its candle."""
    return [*row[:6], decimal_text(bar[b.BASE]), max(bar[b.TRADES], 1)]
