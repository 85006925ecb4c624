"""What a single series says against itself."""

from __future__ import annotations

import numpy as np

from include.reconcile.judge import judge
from include.reconcile.model import Instrument, Panel
from include.reconcile.own import impossible_average, impossible_prices, stale

ROWS = 40


def panel(venues: tuple[str, ...] = ("binance", "kraken")) -> Panel:
    """A market that moves 10 bps an hour, the same at all venues; volume 5 everywhere, 5 * close in the quote."""
    close = np.outer(100 * np.exp(0.001 * (np.arange(1, ROWS + 1) % 7)), np.ones(len(venues)))
    opened = np.vstack([close[:1], close[:-1]])
    instruments = tuple(Instrument(k, venue, "BTC/USD", "BTC", "USD") for k, venue in enumerate(venues))
    high, low = np.maximum(opened, close) * 1.001, np.minimum(opened, close) / 1.001
    volume = np.full(close.shape, 5.0)
    expected = np.ones(close.shape, dtype=np.bool_)
    return Panel("BTC", 0, instruments, opened, high, low, close, volume, volume * close, expected)


def test_sound_candles_are_not_accused() -> None:
    sound = panel()
    assert not impossible_prices(sound).any()
    assert not impossible_average(sound).any()
    assert not stale(sound).any()
    (judged,) = judge([sound])
    assert judged.findings == {}
    assert judged.compared.all()


def test_a_high_below_the_close_and_a_price_of_zero_are_impossible() -> None:
    wrong = panel()
    wrong.high[3, 0] = wrong.close[3, 0] * 0.99
    wrong.low[5, 1] = 0
    assert np.argwhere(impossible_prices(wrong)).tolist() == [[0, 3], [1, 5]]


def test_an_average_price_outside_of_the_range_is_impossible() -> None:
    wrong = panel()
    wrong.base_volume[3, 0] *= 100
    wrong.base_volume[4, 0] = 0  # nothing was traded: no average
    wrong.quote_volume[5, 0] = np.nan  # the venue does not say
    assert np.argwhere(impossible_average(wrong)).tolist() == [[0, 3]]


def test_two_still_candles_are_stale_while_another_venue_moves() -> None:
    wrong = panel()
    for values in (wrong.open, wrong.high, wrong.low, wrong.close):
        values[10:13, 1] = wrong.close[9, 1]
        values[20, 1] = wrong.close[19, 1]  # one hour without a trade happens
    assert np.argwhere(stale(wrong)).tolist() == [[1, 10], [1, 11], [1, 12]]


def test_a_repeated_candle_is_stale() -> None:
    wrong = panel()
    for values in (wrong.open, wrong.high, wrong.low, wrong.close, wrong.base_volume):
        values[10, 1] = values[9, 1]
    assert np.argwhere(stale(wrong)).tolist() == [[1, 10]]


def test_where_all_stand_still_nobody_is_stale() -> None:
    quiet = panel()
    for values in (quiet.open, quiet.high, quiet.low, quiet.close):
        values[:] = 100.0
    assert not stale(quiet).any()


def test_markets_of_one_venue_are_not_compared_with_each_other() -> None:
    (judged,) = judge([panel(("binance", "binance"))])
    assert not judged.compared.any()
    assert judged.findings == {}


def test_a_single_market_is_judged_alone() -> None:
    only = panel(("binance",))
    only.high[3, 0] = only.low[3, 0] / 2
    (judged,) = judge([only])
    assert [f.reason for f in judged.findings.values()] == ["impossible_prices"]


def test_a_gap_counts_where_a_candle_is_expected_and_another_venue_has_one() -> None:
    gaps = panel()
    for values in (gaps.open, gaps.high, gaps.low, gaps.close, gaps.base_volume, gaps.quote_volume):
        values[5:8, 0] = np.nan
        values[7, 1] = np.nan
    gaps.expected[5, 0] = False
    (judged,) = judge([gaps])
    assert {key: f.verdict for key, f in judged.findings.items()} == {(6, 0): "missing"}
